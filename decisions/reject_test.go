package decisions

import (
	"strings"
	"testing"
	"time"
)

func TestReject_beforeAnybodyWasExposed(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpSchedule, Start: h.now.Add(time.Hour)})
	h.refused(Command{Op: OpReject}, "comment is missing")
	h.do(Command{Op: OpReject, Actor: lee, Comment: "not this quarter"})
	r := h.rollout()
	if r.Status != Rejected || r.Open() || r.Ended.IsZero() || r.Schedule != nil || !strings.Contains(r.Explanation, "not this quarter") {
		t.Errorf("got %+v", r)
	}
	h.refused(Command{Op: OpStart}, "is rejected and cannot be started")
	h.refused(Command{Op: OpReject, Comment: "again"}, "is rejected and cannot be rejected")
	h.now = h.now.Add(2 * time.Hour)
	h.begin(p) // another attempt is another rollout
	if r := h.rollout(); r.ID != "production/gate/2" || r.Status != Running {
		t.Errorf("got %s, %s", r.ID, r.Status)
	}
	h.verified()
}

// What units have is taken back, and the rejection is the explanation.
func TestReject_endsAReview(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Stages = p.Stages[1:]
	p.Stages[0].MaxWindow = Window(30 * time.Minute)
	p.Metrics.Guardrails[0].Detect = Size{Change: 50_000}
	h.begin(p)
	h.rounds(newTraffic(harmless), 200, 40, reviewed)
	h.do(Command{Op: OpReject, Actor: lee, Comment: "no effect is no reason"})
	h.step()
	r := h.rollout()
	d, _ := r.Last()
	if r.Status != RolledBack || r.Locked || h.forced() == nil || !d.Rejects || d.Verdict.Reason != "rejected by person:lee" || d.Effect == 0 {
		t.Errorf("status %s, locked %t, decision %+v", r.Status, r.Locked, d)
	}
	if r.Explanation != "rejected by person:lee: no effect is no reason" {
		t.Errorf("explained as %q", r.Explanation)
	}
	h.refused(Command{Op: OpForward, Comment: "after all"}, "was rejected by person:lee: no effect is no reason; plan another rollout")
	h.verified()
}
