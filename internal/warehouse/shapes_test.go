package warehouse

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
	peers "github.com/sluice-hq/sluice/ingest/shapes"
)

// evaluated is what a door sees of flags of other programs: each in a rollout, and
// every event declared.
type evaluated struct{}

func (evaluated) Known(string, string) bool              { return true }
func (evaluated) UnitKind(string, string, uint64) string { return "user" }
func (evaluated) Assigned(environment, flag string, _ uint64, variant string) (ingest.Assignment, bool) {
	return ingest.Assignment{Rollout: environment + "/" + flag + "/1", Stage: "half", Epoch: 1, Arm: variant}, true
}
func (evaluated) Declared(string) bool                            { return true }
func (evaluated) RevisionAt(string, string, time.Time) uint64     { return 4 }
func (evaluated) Given(string, string, uint64, string) string     { return "" }
func (evaluated) Variant(_ string, names []string) (string, bool) { return names[0], true }
func (evaluated) UnitKinds() []string                             { return []string{"user"} }

// TestShapes_toTheStoredRow sends the documented example of every shape twice,
// through the intake, the stream and the loader into the engine: what is stored is
// each event, once.
func TestShapes_toTheStoredRow(t *testing.T) {
	w, _ := start(t)
	key := []byte("0123456789abcdef0123456789abcdef")
	codec, stream := ingest.NewCodec(), &ingest.MemStream{}
	in := &ingest.Intake{
		Door:    &ingest.Door{Flags: evaluated{}, Past: evaluated{}, Metrics: evaluated{}, Key: key},
		Packers: []*ingest.Packer{ingest.NewPacker(stream, codec, "test")},
	}
	type row struct {
		Name, Arm string
		Value     int64
		At        int64 // in milliseconds
		Source    ingest.Source
	}
	examples := []struct {
		file, unit string
		shape      peers.Shape
		at         int64 // of its newest event
		want       []row
	}{
		{"featbit", "user-456", peers.FeatBit, 1704067350000, []row{
			{"recommendation-algorithm", "algorithm-v2", 0, 1704067300000, "featbit"}, {"purchase-completed", "", 299_990_000, 1704067350000, ""}, {"item-added", "", 1_000_000, 1704067250000, ""},
		}},
		{"featbit-agent", "user-123", peers.Agent, 1776300060000, []row{
			{"new-checkout", "treatment", 0, 1776300000000, "featbit-agent"}, {"checkout-completed", "", 1_000_000, 1776300060000, ""},
		}},
		{"go-feature-flag", "94a25909-20d8-40cc-8500-fee99b569345", peers.Collector, 1680246000011, []row{{"my-feature-flag", "", 0, 1680246000011, "go-feature-flag"}}},
		{"go-feature-flag-tracking", "EFGH", peers.Collector, 1722266324000, []row{{"clicked-checkout", "", 99_990_000, 1722266324000, ""}}},
		{"segment", "019mr8mf4r", peers.Segment, 1354408212984, []row{{"Item Purchased", "", 14_990_000, 1354408212984, ""}}},
		{"segment-batch", "971mj8mk7p", peers.Segment, 1422837012984, []row{{"Song Played", "", 1_000_000, 1422837012984, ""}}},
		{"cloudevent", "123", peers.CloudEvents, 1522949460000, []row{{"com.github.pull_request.opened", "", 1_000_000, 1522949460000, ""}}},
	}
	for _, c := range examples {
		for range 2 {
			body, err := os.Open("../../ingest/shapes/testdata/" + c.file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			req := ingest.Request{Environment: "production", Type: "application/json", Shape: c.shape, Body: body}
			if got, err := in.Accept(t.Context(), req, time.UnixMilli(c.at)); err != nil || got.Accepted == 0 {
				t.Fatalf("%s: %+v, %v", c.file, got, err)
			}
		}
	}
	l := &ingest.Loader{Shard: "facts-0", Stream: stream, KV: &ingest.MemKV{}, Store: w, Dead: &ingest.MemStream{}, Decoder: codec}
	for more := true; more; {
		var err error
		if more, err = l.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range examples {
		stored, err := w.UnitRows(t.Context(), "user", ingest.UnitHash(key, "user", c.unit))
		if err != nil {
			t.Fatal(err)
		}
		var got []row
		for _, r := range stored.Exposures {
			got = append(got, row{r.Flag, r.Arm, 0, r.At.UnixMilli(), r.Source})
		}
		for _, r := range stored.Metrics {
			got = append(got, row{r.Name, "", r.Value, r.At.UnixMilli(), ""})
		}
		if diff := cmp.Diff(index(c.want), index(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.file, diff)
		}
	}
}

// index counts equal rows, in whichever order they are.
func index[T comparable](list []T) map[T]int {
	n := map[T]int{}
	for _, v := range list {
		n[v]++
	}
	return n
}
