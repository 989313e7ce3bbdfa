package decisions

import (
	"slices"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// A rollout whose plan took new versions, as it was recorded once, folds into
// what it was then.
func TestRecordedVersionsFold(t *testing.T) {
	const file = "testdata/revised.json"
	if *update {
		recordVersions(t, file)
	}
	var events []event.Recorded
	readJSON(t, file, &events)
	f, s := flags.NewState(), NewState(Known{})
	for _, e := range events {
		if err := e.Check(); err != nil {
			t.Errorf("the recorded file was edited: %v", err)
		}
		for _, fold := range []event.Fold{f, s} {
			if err := fold.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	r, ok := s.Newest("production", "gate")
	if !ok || r.Version != 3 || r.Epochs != 2 || !r.Turn || r.Fresh.IsZero() || len(r.Frozen) > 0 || len(r.Versions) != 2 {
		t.Fatalf("%+v", r.Standing)
	}
	if !slices.Equal(r.Doubts, []string{"nobody came"}) || r.Versions[0].Afresh || !r.Versions[1].Epoch || r.Plan.Eligible != "low-risk" {
		t.Errorf("doubts %v, versions %+v", r.Doubts, r.Versions)
	}
}

func recordVersions(t *testing.T, file string) {
	h := newHouse(t)
	h.segment("low-risk", "u-1", "u-2")
	p := catsPlan()
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpStart, Doubts: []string{"nobody came"}})
	h.step()
	p.Hypothesis = "later gates keep players longer"
	h.do(Command{Op: OpPlan, Plan: &p})
	p.Eligible = "low-risk"
	h.do(Command{Op: OpPlan, Plan: &p, Actor: lee, Comment: "these first"})
	var events []event.Recorded
	for r, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		events = append(events, r)
	}
	writeJSON(t, file, events)
}
