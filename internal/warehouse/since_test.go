package warehouse

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// TestReadout_since counts the units that were first exposed after a time, and
// nothing of those that came before it and came again.
func TestReadout_since(t *testing.T) {
	var s story
	s.expose(1, "off", noon)
	s.expose(2, "on", noon.Add(time.Minute))
	s.expose(1, "off", noon.Add(2*time.Hour)) // again
	s.expose(3, "on", noon.Add(time.Hour))    // just then
	s.expose(4, "off", noon.Add(2*time.Hour))
	s.buy(1, 5, noon.Add(3*time.Hour))
	s.buy(3, 5, noon.Add(65*time.Minute))
	w, _ := start(t)
	if err := w.Insert(t.Context(), block("since", 1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	q := question(purchase)
	q.Since = noon.Add(time.Hour)
	a, err := w.Readout(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, c := range a.Units {
		n += c.N
	}
	strata := a.Strata["purchase"]
	if n != 2 || len(strata) != 1 || strata[0].Treatment != stats.Proportion(1, 1) || strata[0].Control != stats.Proportion(1, 0) {
		t.Errorf("%+v, %+v", a.Units, strata)
	}
}

// TestReadout_sinceInWhateverEpoch leaves out who was there before and comes
// again in another epoch, unless it was in the dark: he is in the arm that he
// was in.
func TestReadout_sinceInWhateverEpoch(t *testing.T) {
	var s story
	anew := func(r *ingest.ExposureRow) { r.Epoch = 3 }
	s.expose(1, "off", noon)
	s.expose(2, "on", noon, func(r *ingest.ExposureRow) { r.Epoch, r.Stage = 2, "dark" })
	for unit := range uint64(4) {
		s.expose(unit, []string{"off", "on"}[unit%2], noon.Add(2*time.Hour), anew)
	}
	w, _ := start(t)
	if err := w.Insert(t.Context(), block("since", 1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	q := question(purchase)
	q.Since, q.Dark = noon.Add(time.Hour), []string{"dark"}
	a, err := w.Readout(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	want := []stats.Stratum{{Epoch: 3, Stage: "canary", Control: stats.Proportion(2, 0), Treatment: stats.Proportion(1, 0)}}
	if diff := cmp.Diff(want, a.Strata["purchase"]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestReadout_inTheFirstLapAlone counts who comes again in another lap where he
// came first; newcomers of the lap count in it. What both do says how fresh a
// metric is.
func TestReadout_inTheFirstLapAlone(t *testing.T) {
	var s story
	lap := func(r *ingest.ExposureRow) { r.Epoch = 4 } // behind 1, of two epochs: the same as 2
	first := func(r *ingest.ExposureRow) { r.Epoch = 2 }
	other := func(r *ingest.ExposureRow) { r.Epoch = 3 }
	s.expose(1, "off", noon, first)
	s.expose(2, "on", noon, first)
	s.expose(3, "on", noon, other)
	for unit := range uint64(5) {
		s.expose(unit, []string{"on", "off"}[unit%2], noon.Add(2*time.Hour), lap)
	}
	s.buy(2, 5, noon.Add(time.Minute))
	s.buy(2, 5, noon.Add(121*time.Minute))
	w, _ := start(t)
	if err := w.Insert(t.Context(), block("laps", 1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	q := question(purchase)
	q.Circuit = Circuit{Behind: 1, Epochs: 2}
	a, err := w.Readout(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	want := []Count{{2, "canary", "off", 1}, {2, "canary", "on", 1}, {3, "canary", "on", 1}, {4, "canary", "off", 1}, {4, "canary", "on", 2}}
	if diff := cmp.Diff(want, a.Units); diff != "" {
		t.Errorf("units (-want +got):\n%s", diff)
	}
	if newest := a.NewestEvent["purchase"]; !newest.Equal(noon.Add(121 * time.Minute)) {
		t.Errorf("the newest event is of %v", newest)
	}
	if at := a.Strata["purchase"][0]; at.Epoch != 2 || at.Treatment != stats.Proportion(1, 1) {
		t.Errorf("first lap %+v", at)
	}
}
