package decisions

import (
	"slices"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Starts that wait, people who are asked next, plans whose way back is made anew
// and people's decisions with their stages and approvals were recorded once, and
// fold into what they folded into then.
func TestRecordedWaitingFolds(t *testing.T) {
	const file = "testdata/waiting.json"
	if *update {
		recordWaiting(t, file)
	}
	var events []event.Recorded
	readJSON(t, file, &events)
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
	if !seen[TypeDelayed] || !seen[TypeEscalated] || !seen[TypeRevised] {
		t.Errorf("recorded are %v", seen)
	}
	first, _ := s.Rollout("production/gate/1")
	if no := first.Rejection; no == nil || no.By != lee || no.Why != "not this week" {
		t.Errorf("rejected: %+v", no)
	}
	r, _ := s.Newest("production", "gate")
	if e := r.Escalated; e == nil || e.What != WantsResume || !slices.Equal(e.To, []string{"on-call"}) {
		t.Errorf("asked next: %+v", e)
	}
	if p := r.Schedule; p == nil || !p.Anyway || p.Delayed != nil || r.WayBack == nil || r.WayBack.Safe != "gate_20" || r.Version != 2 {
		t.Errorf("scheduled %+v, way back %+v", p, r.WayBack)
	}
	var told []string
	for _, e := range events {
		if e.Type != TypeMade || e.Actor == Controlling {
			continue
		}
		m, err := load[made](e)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range m.Approvals {
			told = append(told, m.Before+" to "+m.After+", with "+a.By)
		}
	}
	if !slices.Equal(told, []string{"canary to experiment, with " + lee}) {
		t.Errorf("people's decisions tell %q", told)
	}
}

// recordWaiting tells a story in which a start waits, and then everybody else.
func recordWaiting(t *testing.T, file string) {
	h := newHouse(t)
	p := approvedPlan(1, "games")
	p.Escalation = []Escalation{{To: "on-call", After: Window(time.Hour)}}
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpSchedule, Start: h.now.Add(time.Hour)})
	h.past = elsewhere
	h.now = h.now.Add(time.Hour)
	h.step()
	h.do(Command{Op: OpReject, Actor: lee, Comment: "not this week"})
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpSchedule, Start: h.now.Add(time.Hour), Anyway: true, Comment: "the devices are ours"})
	h.now = h.now.Add(time.Hour)
	h.step()
	h.flag("gate", flags.Change{Op: flags.AddVariant, Variant: "gate_20", Value: []byte("20")}, flags.Change{Op: flags.SetSafe, Variant: "gate_20"})
	p.Hypothesis = "later gates keep players longer"
	h.do(Command{Op: OpPlan, Plan: &p})
	h.rounds(newTraffic(harmless), 1000, 60, func(r Rollout) bool { d, _ := r.Last(); return d.Verdict.asksApproval() })
	h.do(Command{Op: OpApprove, Actor: lee, Roles: []string{"approver", TeamRole("games")}})
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.do(Command{Op: OpHold, Comment: "lunch"})
	h.now = h.now.Add(time.Hour)
	h.step()
	h.verified()
	var events []event.Recorded
	for e, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		events = append(events, e)
	}
	writeJSON(t, file, events)
}
