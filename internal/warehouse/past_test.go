package warehouse

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

func pastOf(metrics ...stats.Metric) PastQuestion {
	return PastQuestion{Environment: "production", Flag: "checkout", UnitKind: "user", Control: "off", Metrics: metrics,
		From: noon, Until: noon.Add(3 * 24 * time.Hour), Watermark: map[string]uint64{"facts-0": math.MaxUint64}}
}

func TestPast(t *testing.T) {
	const day = 24 * time.Hour
	var s story
	idle := func(r *ingest.ExposureRow) { r.Enrolled, r.Rollout, r.Arm, r.Stage = false, "", "", "" } // no rollout gave it
	s.expose(1, "off", noon.Add(-time.Hour), idle)                                                    // before: he is new when he comes again
	s.expose(1, "off", noon.Add(time.Hour), idle)
	s.expose(1, "off", noon.Add(day), idle) // again
	s.expose(2, "off", noon.Add(time.Hour)) // enrolled, as control
	s.expose(3, "on", noon.Add(2*time.Hour))
	s.expose(4, "off", noon.Add(day+time.Hour), idle)
	s.expose(5, "off", noon.Add(3*day-time.Minute), idle) // too young for the gate
	s.expose(6, "off", noon.Add(3*day), idle)             // behind the end
	s.expose(7, "off", noon, idle, func(r *ingest.ExposureRow) { r.Synthetic = true })
	s.expose(8, "off", noon, idle, func(r *ingest.ExposureRow) { r.Flag = "search" })
	s.expose(9, "off", noon, idle, func(r *ingest.ExposureRow) { r.UnitKind = "device" })
	s.buy(1, 5, noon.Add(time.Hour+5*time.Minute))
	s.buy(2, 7, noon.Add(time.Hour+11*time.Minute)) // behind the gate's window
	s.buy(3, 9, noon.Add(2*time.Hour))              // of the other variant
	s.buy(4, 3, noon.Add(day+time.Hour))
	s.buy(5, 3, noon.Add(3*day-time.Minute))

	w, _ := start(t)
	if err := w.Insert(t.Context(), block("past", 1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	spent := revenue
	spent.GateWindow = 10 * time.Minute
	got, err := w.Past(t.Context(), pastOf(purchase, spent))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]stats.Sample{
		"purchase": stats.Proportion(3, 2),
		"revenue":  stats.Mean(stats.Moments{N: 3, Mean: 8. / 3, M2: 25 + 9 - 64./3}),
	}
	close := cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) <= 1e-9 })
	if diff := cmp.Diff(want, got.Samples, close); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int64{3, 4, 5}, got.Reach); diff != "" {
		t.Errorf("who came, by day (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int64{"user": 7, "device": 1}, got.Kinds); diff != "" {
		t.Errorf("kinds of units of any flag (-want +got):\n%s", diff)
	}
	if len(got.Queries) != 4 {
		t.Errorf("%d queries", len(got.Queries))
	}

	any := pastOf()
	any.Flag, any.Control = "", ""
	if got, err = w.Past(t.Context(), any); err != nil || got.Reach[0] != 4 {
		t.Errorf("who came to any flag: %v, %v; want 4 on the first day", got.Reach, err)
	}
}

func TestPastOfNoTime(t *testing.T) {
	w, _ := start(t)
	q := pastOf()
	q.Until = q.From.Add(23 * time.Hour)
	if _, err := w.Past(t.Context(), q); !errors.Is(err, errNoTime) {
		t.Errorf("%v, want %v", err, errNoTime)
	}
}
