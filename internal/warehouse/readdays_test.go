package warehouse

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// told stores a story.
func told(t *testing.T, s story) *Warehouse {
	t.Helper()
	w, _ := start(t)
	if err := w.Insert(t.Context(), block("story", 1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestDays counts each day from the unit's own first exposure, and only units
// all of whose days are over.
func TestDays(t *testing.T) {
	var s story
	s.expose(1, "on", noon)
	s.expose(2, "on", noon.Add(5*time.Hour))
	s.expose(3, "off", noon)
	s.expose(4, "on", noon.Add(30*time.Hour)) // its third day is not over
	s.expose(5, "on", noon)
	s.expose(5, "off", noon.Add(time.Minute)) // of two arms
	s.buy(1, 2, noon)
	s.buy(1, 3, noon.Add(day-time.Millisecond))
	s.buy(1, 7, noon.Add(day))         // its second day
	s.buy(1, 90, noon.Add(3*day))      // behind the third
	s.buy(2, 1, noon.Add(4*time.Hour)) // before its first exposure
	s.buy(2, 4, noon.Add(5*time.Hour).Add(2*day))
	s.buy(4, 5, noon.Add(31*time.Hour))
	s.buy(5, 5, noon.Add(time.Hour))
	w, q := told(t, s), question()
	q.Until = noon.Add(4 * day)
	control := stats.Joint{N: 1, Means: []float64{0, 0, 0}, M: make([]float64, 6)}
	for _, tt := range []struct {
		metric stats.Metric
		means  []float64
		m      []float64
	}{
		{revenue, []float64{2.5, 3.5, 2}, []float64{12.5, 17.5, -10, 24.5, -14, 8}},
		{orders, []float64{1, 0.5, 0.5}, []float64{2, 1, -1, 0.5, -0.5, 0.5}},
		{purchase, []float64{0.5, 0.5, 0.5}, []float64{0.5, 0.5, -0.5, 0.5, -0.5, 0.5}},
	} {
		got, queries, err := w.Days(t.Context(), q, tt.metric, 3)
		want := []stats.Days{{Epoch: 1, Stage: "canary", Control: control, Treatment: stats.Joint{N: 2, Means: tt.means, M: tt.m}}}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tt.metric.Key, err, diff)
		}
		asked(t, queries, OfUnits, tt.metric.Key)
	}
	for name, refused := range map[string]func() error{
		"one day":  func() error { _, _, err := w.Days(t.Context(), q, orders, 1); return err },
		"too many": func() error { _, _, err := w.Days(t.Context(), q, orders, stats.MostDays+1); return err },
		"a mean":   func() error { _, _, err := w.Days(t.Context(), q, basket, 3); return err },
	} {
		if refused() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestDays_strata keeps strata apart, and counts nothing
// where no unit is old enough.
func TestDays_strata(t *testing.T) {
	var s story
	s.expose(1, "on", noon)
	s.expose(1, "on", noon.Add(day), func(r *ingest.ExposureRow) { r.Epoch, r.Stage = 2, "ramp" })
	s.buy(1, 1, noon.Add(day))
	w, q := told(t, s), question()
	q.Until = noon.Add(3 * day)
	got, _, err := w.Days(t.Context(), q, orders, 2)
	if err != nil || len(got) != 2 || got[0].Treatment.Means[1] != 1 || got[1].Treatment.Means[0] != 1 || got[1].Control.N != 0 {
		t.Errorf("%v, %+v", err, got)
	}
	q.Until = noon.Add(day)
	if got, _, err := w.Days(t.Context(), q, orders, 2); err != nil || len(got) != 0 {
		t.Errorf("before any unit has had its days: %v, %+v", err, got)
	}
}

// asked checks that the queries behind an answer are told, and of what each is.
func asked(t *testing.T, queries []Query, of ...string) {
	t.Helper()
	var got []string
	for _, q := range queries {
		got = append(got, q.Of...)
	}
	if slices.Sort(got); !slices.Equal(slices.Compact(got), slices.Sorted(slices.Values(of))) {
		t.Errorf("queries of %v, want %v", got, of)
	}
}

// TestLargest names the unit of each arm whose value is farthest from zero.
func TestLargest(t *testing.T) {
	var s story
	s.expose(1, "on", noon)
	s.expose(2, "on", noon)
	s.expose(3, "off", noon)
	s.expose(4, "off", noon)
	s.expose(9, "on", noon)
	s.expose(9, "off", noon.Add(time.Second)) // of two arms
	s.buy(1, 5, noon)
	s.buy(1, 5, noon.Add(time.Second))
	s.buy(2, -80, noon)
	s.buy(3, 8, noon)
	s.buy(9, 1000, noon)
	w := told(t, s)
	close := cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) <= 1e-12*math.Abs(x) })
	unit := func(n uint64, treatment bool, value, divisor float64) stats.Largest {
		return stats.Largest{Unit: ingest.UnitText(n), Epoch: 1, Stage: "canary", Treatment: treatment, Value: value, Divisor: divisor}
	}
	capped := revenue
	capped.Cap = 0.5
	share := stats.Metric{Key: "share", Event: "purchase", Aggregate: stats.Ratio, Denominator: &stats.Source{Event: "purchase"}, Window: time.Hour}
	for _, tt := range []struct {
		metric stats.Metric
		want   []stats.Largest
	}{
		{revenue, []stats.Largest{unit(3, false, 8, 0), unit(2, true, -80, 0)}},
		{orders, []stats.Largest{unit(3, false, 1, 0), unit(1, true, 2, 0)}},
		{basket, []stats.Largest{unit(3, false, 8, 0), unit(2, true, -80, 0)}},
		{capped, []stats.Largest{unit(3, false, 8, 0), unit(2, true, -10, 0)}}, // cut to the middle of 8, 10 and 80, of either unit
		{share, []stats.Largest{unit(3, false, 8, 8), unit(2, true, -80, -80)}},
	} {
		got, queries, err := w.Largest(t.Context(), question(), tt.metric)
		asked(t, queries, tt.metric.Key)
		if diff := cmp.Diff(tt.want, got, close); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tt.metric.Key, err, diff)
		}
	}
	if _, _, err := w.Largest(t.Context(), question(), purchase); err == nil {
		t.Error("a share of units has no largest unit")
	}
	q := question()
	q.Until = noon.Add(-day)
	if got, _, err := w.Largest(t.Context(), q, revenue); err != nil || len(got) != 0 {
		t.Errorf("before the first exposure: %v, %v", err, got)
	}
}
