package decisions

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-hq/sluice/stats"
)

// batched is the same units in two forms: one by one, and in batches.
type batched struct {
	single, together MemFacts
	rng              *rand.Rand
	n                int
}

// come lets units come to both, and returns the batch.
func (b *batched) come(epoch int, stage, arm string, at time.Time, units int) Batch {
	out := Batch{ID: fmt.Sprint(b.n), Epoch: epoch, Stage: stage, Arm: arm, At: at, Units: int64(units), Samples: map[string]stats.Sample{}, Newest: map[string]time.Time{}}
	for range units {
		b.n++
		unit := fmt.Sprint("u-", b.n)
		b.single.Expose("r", stage, epoch, arm, unit, at)
		for _, key := range []string{"day_7_retention", "rounds"} {
			value := 0.0
			if b.rng.IntN(3) == 0 {
				value = 1
				b.single.Record("r", key, epoch, unit, value, at)
				out.Newest[key] = at
			}
			u := &memUnit{values: map[string]float64{key: value}}
			out.Samples[key] = out.Samples[key].Merge(u.sample(declared[key], key))
		}
	}
	b.together.Add("r", out)
	return out
}

// Batches of units are counted as the units are: at every time, whatever the
// order in which they come, a repeat or what is known better counted once.
func TestBatchesCountAsTheirUnits(t *testing.T) {
	b := &batched{rng: rand.New(rand.NewPCG(4, 4))}
	begin := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	p := catsPlan()
	p.Metrics.Success = []Success{{Metric: "rounds", MDE: 2000}}
	r := Rollout{Standing: Standing{ID: "r", Stage: 0}, Plan: p, Metrics: map[string]stats.Metric{}}
	for _, key := range p.Measured() {
		def := declared[key]
		def.GateWindow = 90 * time.Minute
		r.Metrics[key] = def
	}
	equal := func(now time.Time) {
		t.Helper()
		want, err := b.single.Evidence(t.Context(), r, now)
		got, err2 := b.together.Evidence(t.Context(), r, now)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		near := cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) <= 1e-9*max(1, math.Abs(x)) })
		if diff := cmp.Diff(want, got, near, cmpopts.IgnoreFields(stats.Moments{}, "Low"), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("at %s, -one by one +together:\n%s", now.Sub(begin), diff)
		}
	}
	for i := range 40 {
		now := begin.Add(time.Duration(i) * 30 * time.Minute)
		stage, epoch := "canary", 1
		if i > 20 {
			stage = "experiment"
		}
		var last Batch
		for _, arm := range []string{"gate_30", "gate_40"} {
			last = b.come(epoch, stage, arm, now, 1+b.rng.IntN(20))
		}
		b.together.Add("r", last) // once more
		equal(now)
		if i%7 == 0 {
			equal(now.Add(-3 * time.Hour)) // a clock that was set back
			equal(now)
		}
	}
	// What is known better takes the place of what was known.
	part := b.come(1, "experiment", "gate_40", begin.Add(20*time.Hour), 10)
	worse := part
	worse.Samples = map[string]stats.Sample{"day_7_retention": stats.Proportion(10, 0), "rounds": stats.Mean(stats.Moments{N: 10})}
	b.together.Add("r", worse)
	b.together.Add("r", part)
	equal(begin.Add(30 * time.Hour))
}

// A batch whose time is long past is counted where it belongs.
func TestABatchMayComeLate(t *testing.T) {
	var f MemFacts
	begin := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	r := Rollout{Standing: Standing{ID: "r"}, Plan: catsPlan(), Metrics: declared}
	add := func(id string, at time.Time, n int64) {
		f.Add("r", Batch{ID: id, Epoch: 1, Stage: "canary", Arm: "gate_30", At: at, Units: n, Samples: map[string]stats.Sample{"day_7_retention": stats.Proportion(n, 1)}})
	}
	sum := func(now time.Time) (n int64) {
		e, err := f.Evidence(t.Context(), r, now)
		if err != nil {
			t.Fatal(err)
		}
		m, _ := e.Metric("day_7_retention")
		for _, s := range m.Strata {
			n += s.Control.N
		}
		return n
	}
	add("a", begin, 10)
	add("c", begin.Add(2*time.Hour), 10)
	if n := sum(begin.Add(3 * time.Hour)); n != 20 {
		t.Errorf("%d units, want 20", n)
	}
	add("b", begin.Add(time.Hour), 5)
	if early, all := sum(begin.Add(90*time.Minute)), sum(begin.Add(3*time.Hour)); early != 15 || all != 25 {
		t.Errorf("%d units after 90 minutes and %d after three hours, want 15 and 25", early, all)
	}
}
