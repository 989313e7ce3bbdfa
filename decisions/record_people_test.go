package decisions

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// What people did was recorded once, and folds into what it folded into then.
func TestRecordedPeopleFold(t *testing.T) {
	if *update {
		recordPeople(t)
	}
	var events []event.Recorded
	readJSON(t, "testdata/people.json", &events)
	f, s, seen := flags.NewState(), NewState(Known{}), map[string]bool{}
	for _, e := range events {
		seen[e.Type] = true
		if err := e.Check(); err != nil {
			t.Errorf("the recorded file was edited: %v", err)
		}
		for _, fold := range []event.Fold{f, s} {
			if err := fold.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, kind := range []string{TypeScheduled, TypeUnscheduled, TypeOverridden, TypeRejected, TypeApproved} {
		if !seen[kind] {
			t.Errorf("no %s among the recorded events", kind)
		}
	}
	first, _ := s.Rollout("production/gate/1")
	second, _ := s.Rollout("production/gate/2")
	type end struct {
		Status      Status
		Explanation string
		Overrides   []string
		Against     []string
		Rejects     bool
		StartedBy   string
	}
	got := []end{{first.Status, first.Explanation, nil, nil, false, first.StartedBy}, {Status: second.Status, Explanation: second.Explanation, StartedBy: second.StartedBy}}
	for _, o := range second.Overrides {
		got[1].Overrides = append(got[1].Overrides, o.By+": "+o.Why)
	}
	for _, d := range second.Decisions {
		if got[1].Rejects = d.Rejects; d.Against != "" {
			got[1].Against = append(got[1].Against, d.Against)
		}
	}
	want := []end{
		{Status: Rejected, Explanation: "rejected by person:lee: not this week"},
		{Status: RolledBack, Explanation: "rejected by person:ana: players complain", Overrides: []string{"person:lee: a small release"},
			Against: []string{"hold: telemetry starting"}, Rejects: true, StartedBy: lee},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// recordPeople tells a story in which people do everything once.
func recordPeople(t *testing.T) {
	h := newHouse(t)
	p := approvedPlan(1, "games")
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpSchedule, Start: h.now.Add(time.Hour), Comment: "after lunch"})
	h.do(Command{Op: OpUnschedule, Comment: "lunch is long"})
	h.do(Command{Op: OpReject, Actor: lee, Comment: "not this week"})
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpSchedule, Actor: lee, Start: h.now.Add(time.Hour)})
	h.now = h.now.Add(time.Hour)
	h.step()
	tr := newTraffic(harmless)
	h.send(tr, 10)
	h.step()
	h.do(Command{Op: OpOverride, Actor: lee, Comment: "a small release"})
	h.step()
	h.do(Command{Op: OpApprove, Actor: lee, Roles: []string{"approver", TeamRole("games")}})
	h.step()
	h.step()
	h.do(Command{Op: OpShip, Actor: lee, Comment: "the old one is down"})
	h.step()
	h.do(Command{Op: OpReject, Comment: "players complain"})
	h.step()
	h.verified()
	var events []event.Recorded
	for e, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		events = append(events, e)
	}
	writeJSON(t, "testdata/people.json", events)
}
