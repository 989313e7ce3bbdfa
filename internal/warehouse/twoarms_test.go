package warehouse

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
)

// TestTwoArms lists exactly the units that a readout leaves out, page by page,
// with what each met in the order of time.
func TestTwoArms(t *testing.T) {
	w, _ := start(t)
	var s story
	minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	for i, arm := range []string{"off", "on", "off"} {
		s.expose(7, arm, minute(2-i), func(r *ingest.ExposureRow) { // the oldest comes last
			r.Received = r.At.Add(time.Second)
			r.Attributes = map[string]string{ingest.SDKName: "go", ingest.SDKVersion: "1.0"}
		})
	}
	s.expose(3, "on", minute(0), func(r *ingest.ExposureRow) { r.Epoch = 2 })
	s.expose(3, "off", minute(1), func(r *ingest.ExposureRow) { r.Epoch, r.Received = 2, minute(200) })
	s.expose(3, "off", minute(1)) // one arm in another epoch
	s.expose(4, "on", minute(0))
	s.expose(4, "on", minute(1))
	s.expose(5, "on", minute(0))
	s.expose(5, "off", minute(1), func(r *ingest.ExposureRow) { r.Synthetic = true })
	if err := w.Insert(t.Context(), block("story", 1, s.n, s.rows)); err != nil {
		t.Fatal(err)
	}
	var got []ingest.TwoArms
	for after := (Cohort{}); ; {
		page, err := w.TwoArms(t.Context(), "production", "checkout", rollout, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after.Epoch = page[0].Epoch
		after.Unit, _ = ingest.ParseUnit(page[0].Unit)
	}
	by := func(arm string, n int) ingest.Meeting {
		return ingest.Meeting{At: minute(n), Received: minute(n).Add(time.Second), Arm: arm, SDK: "go 1.0", Revision: 1}
	}
	want := []ingest.TwoArms{
		{Epoch: 1, Kind: "user", Unit: ingest.UnitText(7), Exposures: 3, Cause: ingest.UnstableID, Met: []ingest.Meeting{by("off", 0), by("on", 1), by("off", 2)}},
		{Epoch: 2, Kind: "user", Unit: ingest.UnitText(3), Exposures: 2, Cause: ingest.Replayed, Met: []ingest.Meeting{
			{At: minute(0), Received: minute(0), Arm: "on", Revision: 1}, {At: minute(1), Received: minute(200), Arm: "off", Revision: 1}}},
	}
	for i := range got {
		if got[i].Why == "" {
			t.Errorf("%s has no reason", got[i].Unit)
		}
		got[i].Why = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	a, err := w.Readout(t.Context(), question())
	if err != nil || a.TwoArms != int64(len(want)) {
		t.Errorf("the readout leaves out %d units, %v; the list has %d", a.TwoArms, err, len(want))
	}
}
