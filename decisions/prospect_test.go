package decisions

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
)

// asked is a command of ana's that nobody gives.
func (h *house) asked(op Op) Command {
	return Command{ID: h.id("ask"), Op: op, Environment: "production", Flag: "gate", Actor: ana, At: h.now, Expect: event.Any}
}

func (h *house) prospect(op Op) Prospect {
	h.t.Helper()
	before := h.proj.Seq()
	r, _ := h.state.Newest("production", "gate")
	var seen *Evidence
	if n := len(h.looks); n > 0 && r.Stage >= 0 {
		seen = &h.looks[n-1].Evidence
	}
	p, err := h.state.Prospect(h.asked(op), seen)
	h.must(err)
	if h.proj.Seq() != before {
		h.t.Errorf("to ask about %s did something", op)
	}
	return p
}

func (h *house) can(want ...Op) {
	h.t.Helper()
	if got := h.state.Possible(h.asked("")); !slices.Equal(got, want) {
		h.t.Errorf("it is %s: possible are %v, want %v", h.rollout().Status, got, want)
	}
}

// TestPossible: what can be done follows the rollout from its plan to its end.
func TestPossible(t *testing.T) {
	h := newHouse(t)
	if got := h.state.Possible(h.asked("")); len(got) > 0 {
		t.Errorf("without a rollout %v are possible", got)
	}
	p := catsPlan()
	h.do(Command{Op: OpPlan, Plan: &p})
	h.can(OpStart, OpSchedule, OpReject)
	h.do(Command{Op: OpStart})
	h.step()
	h.send(newTraffic(harmless), 400)
	h.step()
	h.can(OpOverride, OpAdvance, OpShip, OpHold, OpDrill, OpReject, OpRollback)
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.send(newTraffic(harmless), 400)
	h.step()
	h.can(OpOverride, OpAdvance, OpShip, OpHold, OpReduce, OpDrill, OpReject, OpRollback)
	h.do(Command{Op: OpHold, Comment: "lunch"})
	h.step()
	h.can(OpResume, OpOverride, OpReduce, OpDrill, OpReject, OpRollback)
	h.do(Command{Op: OpRollback, Comment: "no"})
	h.step()
	h.can(OpExplain)
	h.do(Command{Op: OpExplain, Comment: "a typo"})
	h.can(OpForward)
}

// TestProspect_says: what a command does, to how many, and what it is against.
func TestProspect_says(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.send(newTraffic(harmless), 400)
	h.step()
	for op, want := range map[Op][]string{
		OpRollback: {"Everybody gets gate_30, rules and targets included", "units (user) that got gate_40 so far", "locked until somebody explains"},
		OpHold:     {"50 % of units get gate_40, as now", "still watched"},
		OpReduce:   {"canary"},
		OpShip:     {"from experiment to full", "more get the treatment"},
		OpDrill:    {"the flag gate is never touched"},
		OpOverride: {"a reason to roll back is never overruled"},
		OpReject:   {"is rejected for good"},
	} {
		p := h.prospect(op)
		text := strings.Join(p.Effects, "\n")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is not said in\n%s", op, w, text)
			}
		}
		if p.Refused != "" || p.Reason != (op != OpDrill) {
			t.Errorf("%s: refused %q, reason %v", op, p.Refused, p.Reason)
		}
		if against := op == OpShip || op == OpOverride; p.Against != against {
			t.Errorf("%s: against the recommendation (%s): %v", op, p.Advises, p.Against)
		}
		if frozen := op == OpRollback || op == OpReduce || op == OpShip || op == OpOverride || op == OpReject; (p.Frozen != "") != frozen {
			t.Errorf("%s: of evidence it says %q", op, p.Frozen)
		}
	}
	if p := h.prospect(OpOverride); len(p.Checks) == 0 {
		t.Error("nothing can be overruled")
	}
	if p := h.prospect(OpReduce); len(p.Ways) != 1 || p.Ways[0].Stage != "canary" {
		t.Errorf("it can be reduced to %+v", p.Ways)
	}
	if p := h.prospect(OpRollback); !slices.Contains(p.Tells, "decision.rollback") {
		t.Errorf("it comes to %v", p.Tells)
	}
	if p := h.prospect(OpResume); !strings.Contains(p.Refused, "is running and cannot be resumed") || len(p.Effects) > 0 {
		t.Errorf("to resume: %+v", p)
	}
}

// TestProspect_sharesAfterAReduction: fewer units are told as fewer.
func TestProspect_sharesAfterAReduction(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.send(newTraffic(harmless), 400)
	h.step()
	if text := strings.Join(h.prospect(OpReduce).Effects, "\n"); !strings.Contains(text, "lose the treatment when they come again") {
		t.Errorf("to reduce: %s", text)
	}
	h.do(Command{Op: OpReduce, To: "20%", Comment: "busy"})
	h.step()
	if text := strings.Join(h.prospect(OpResume).Effects, "\n"); !strings.Contains(text, "from 20 % back to the stage's own 50 %") {
		t.Errorf("to resume: %s", text)
	}
}

// TestProspect_ofAnApproval: it says what it is bound to, and what it leads to;
// a decision by a person makes it void.
func TestProspect_ofAnApproval(t *testing.T) {
	h, _ := asking(t, approvedPlan(1, ""))
	c := h.asked(OpApprove)
	c.Actor, c.Roles = lee, []string{"approver"}
	p, err := h.state.Prospect(c, nil)
	if text := strings.Join(p.Effects, "\n"); err != nil || !strings.Contains(text, "version 1 of the plan") || !strings.Contains(text, "With it there are 1 of 1 approvals; at the next look the rollout goes to experiment") {
		t.Errorf("to approve (%v): %s", err, text)
	}
	if a, ok := h.state.Agreement(h.rollout()); !ok || len(a.Needs) != 1 || a.Needs[0].Have != 0 || len(a.Given) != 0 {
		t.Errorf("before: %+v", a)
	}
	h.do(Command{Op: OpApprove, Actor: lee})
	if a, _ := h.state.Agreement(h.rollout()); a.Needs[0].Have != 1 || a.Given[0].By != lee {
		t.Errorf("after: %+v", a)
	}
	if p := h.prospect(OpHold); len(p.Void) != 1 || !strings.Contains(p.Void[0], "The approval of person:lee") {
		t.Errorf("to hold voids %v", p.Void)
	}
}

// TestProspect_ofNoRollout: there is nothing to tell.
func TestProspect_ofNoRollout(t *testing.T) {
	h := newHouse(t)
	if _, err := h.state.Prospect(h.asked(OpStart), nil); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
}
