package meter

import (
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrite(t *testing.T) {
	h := NewHistogram(0.25, 1)
	for _, v := range []float64{0.125, 0.25, 0.5, 4} {
		h.Observe(v)
	}
	var c Count
	c.Add(3)
	c.Add(-1) // a counter never falls
	fill := Family{Name: "sluice_stream_bytes", Help: "Bytes \\ of\na stream.", Kind: Gauge}
	fill.Add(1.5e9, "shard", "facts-0")
	fill.Add(math.Inf(1), "shard", `a "b"`+"\n\\", "kind", "x")
	var got strings.Builder
	err := Write(&got, []Family{
		One("sluice_events_accepted_total", "Events.", Counter, c.Value()), fill, {Name: "sluice_none", Kind: Gauge}, h.Family("sluice_ack_seconds", "Time."),
	})
	want := `# HELP sluice_events_accepted_total Events.
# TYPE sluice_events_accepted_total counter
sluice_events_accepted_total 3
# HELP sluice_stream_bytes Bytes \\ of\na stream.
# TYPE sluice_stream_bytes gauge
sluice_stream_bytes{shard="facts-0"} 1.5e+09
sluice_stream_bytes{shard="a \"b\"\n\\",kind="x"} +Inf
# HELP sluice_ack_seconds Time.
# TYPE sluice_ack_seconds histogram
sluice_ack_seconds_bucket{le="0.25"} 2
sluice_ack_seconds_bucket{le="1"} 3
sluice_ack_seconds_bucket{le="+Inf"} 4
sluice_ack_seconds_sum 4.875
sluice_ack_seconds_count 4
`
	if diff := cmp.Diff(want, got.String()); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestWrite_refuses(t *testing.T) {
	for name, list := range map[string][]Family{
		"a name with a blank": {One("a b", "", Gauge, 1)},
		"one name for two":    {One("a", "", Gauge, 1), One("a", "", Gauge, 2)},
		"a label in capitals": {One("a", "", Gauge, 1, "Shard", "x")},
	} {
		if err := Write(&strings.Builder{}, list); err == nil {
			t.Errorf("%s is written", name)
		}
	}
}

func TestHistogram_atOnce(t *testing.T) {
	h := NewHistogram(1)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				h.Observe(0.5)
			}
		})
	}
	all.Wait()
	f := h.Family("a", "")
	if got := f.Samples[0].Value; got != 8000 || f.Samples[2].Value != 4000 {
		t.Errorf("got %+v", f.Samples)
	}
}
