package decisions

import (
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// A rollout that was rolled back to the previous stage waits for an
// explanation. To overrule what else its gate asks is not one, and what was
// found in the stage that it left says nothing of the one it is in.
func TestOverride_waitsForTheExplanation(t *testing.T) {
	h := newHouse(t)
	h.begin(gentlePlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.incident("pager", Critical, false)
	h.step()
	if r := h.rollout(); r.Status != Paused || !r.Locked || r.Stage != 0 {
		t.Fatalf("it is %s in stage %d, locked %t", r.Status, r.Stage, r.Locked)
	}
	h.refused(Command{Op: OpOverride, Comment: "on we go"}, "nobody has explained why")
	h.step()
	h.refused(Command{Op: OpOverride, Comment: "on we go"}, "nobody has explained why")
	h.do(Command{Op: OpExplain, Comment: "a cable"})
	h.do(Command{Op: OpOverride, Comment: "on we go"})
	h.verified()
}

// An override is of the stage that somebody has looked at.
func TestOverride_ofAnotherStage(t *testing.T) {
	h := newHouse(t)
	h.begin(gentlePlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.incident("pager", Critical, false)
	h.step()
	h.do(Command{Op: OpExplain, Comment: "a cable"})
	h.refused(Command{Op: OpOverride, Comment: "on we go"}, "nobody has looked at")
}

// Whoever holds a rollout while a decision is being carried out has it held: it
// comes to the stage that the flag is in by then, and waits there.
func TestHold_betweenADecisionAndItsEffect(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	hold := &meddler{Log: h.log, before: flags.EventType, do: func() { h.do(Command{Op: OpHold, Comment: "wait for me", Actor: lee}) }}
	h.must(h.controller(h.part, hold).Step(h.ctx, h.now))
	r := h.rollout()
	if r.Stage != 1 || r.Status != Paused || !strings.Contains(r.Held, "wait for me") {
		t.Fatalf("it is %s in stage %d, held %q", r.Status, r.Stage, r.Held)
	}
	h.step()
	h.do(Command{Op: OpResume})
	if r := h.rollout(); r.Status != Running {
		t.Errorf("after it is resumed it is %s", r.Status)
	}
	h.verified()
}

// A proof that comes when the rollout has gone back once more is of the time
// before, and the next return waits for its own.
func TestReturn_isProvenOfEachTime(t *testing.T) {
	h := newHouse(t)
	h.witness = &MemWitness{}
	h.begin(catsPlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.do(Command{Op: OpReduce, To: "20%", Comment: "busy"})
	h.step()
	h.now = h.now.Add(time.Minute)
	again := &meddler{Log: h.log, before: TypeProven, do: func() {
		h.do(Command{Op: OpReduce, To: "2%", Comment: "very busy"})
		other := h.controller(h.open(h.log), h.log)
		h.must(other.catch(h.ctx))
		h.must(other.act(h.ctx, h.now))
	}}
	h.must(h.controller(h.part, again).Step(h.ctx, h.now))
	r := h.rollout()
	if d, _ := r.Last(); r.Return == nil || r.Return.Decision != d.ID || r.Return.Proven != nil {
		t.Fatalf("it has returned %+v", r.Return)
	}
	h.now = h.now.Add(time.Minute)
	h.step()
	if h.rollout().Return.Proven == nil || h.counted(TypeProven) != 2 {
		t.Errorf("proven %d times, the last return %+v", h.counted(TypeProven), h.rollout().Return)
	}
	h.verified()
}

// To be resumed raises a share that was reduced, but not in a freeze.
func TestReduce_isNotRaisedInAFreeze(t *testing.T) {
	h := newHouse(t)
	h.begin(catsPlan())
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.do(Command{Op: OpReduce, To: "20%", Comment: "busy"})
	h.step()
	h.governed(flags.Releases{Freezes: []flags.Freeze{{From: h.now.Add(-time.Hour), To: h.now.Add(24 * time.Hour), Why: "holidays"}}})
	h.do(Command{Op: OpResume, Comment: "on"})
	h.step()
	if r := h.rollout(); r.Share == 0 {
		t.Errorf("in a freeze the share is raised: %s", h.last().Text)
	}
	h.verified()
}

// A new version that splits units anew does not give more of them the treatment
// than a person has left it: that waits for all that a raise waits for.
func TestNewVersion_keepsAReducedShare(t *testing.T) {
	h := newHouse(t)
	h.segment("low-risk", "u-1", "u-2")
	h.begin(catsPlan())
	h.do(Command{Op: OpReduce, To: "2%", Comment: "busy"})
	h.step()
	h.incident("db", Minor, false)
	p := catsPlan()
	p.Eligible = "low-risk"
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpResume})
	h.step()
	h.want(Expand, "version 2 begins an epoch")
	h.step()
	if a := h.served(); h.rollout().Share != 2000 || a.Coverage != 4_000 || a.Epoch != 3 {
		t.Errorf("with an incident open the share is %s, and the flag has %+v", h.rollout().Share, a)
	}
	h.incident("db", Minor, true)
	h.step()
	h.want(Expand, "raised again")
	h.verified()
}

// Who is asked after a rollback to the previous stage grows from that moment on.
func TestAsk_afterARollbackToThePreviousStage(t *testing.T) {
	h := newHouse(t)
	h.begin(escalating(gentlePlan()))
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.incident("pager", Critical, false)
	h.step()
	for _, want := range []Wanted{WantsExplanation, WantsResume} {
		a, ok := h.rollout().Ask(h.now)
		if !ok || a.What != want || !a.Since.Equal(h.now) || a.Next == nil || a.Next.To != "on-call" {
			t.Errorf("it asks %+v, want to %s since %s", a, want, h.now)
		}
		if want == WantsExplanation {
			h.do(Command{Op: OpExplain, Comment: "a cable"})
		}
	}
}

// What somebody has confirmed of a stage says nothing of the one before, where
// the same is asked.
func TestRollbackToThePreviousStage_isConfirmedAnew(t *testing.T) {
	h := newHouse(t)
	p := gentlePlan()
	for i := range 2 {
		p.Stages[i].AdvanceWhen = []Condition{{Manual: ana}}
	}
	h.begin(p)
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	h.do(Command{Op: OpConfirm, Comment: "looked at the errors", Confirm: &Confirming{Owner: ana}})
	h.do(Command{Op: OpReduce, To: "20%", Comment: "busy"})
	h.step()
	if len(h.rollout().Confirmed) != 1 {
		t.Fatalf("in the same stage, confirmed are %v", h.rollout().Confirmed)
	}
	h.incident("pager", Critical, false)
	h.step()
	if r := h.rollout(); r.Stage != 0 || len(r.Confirmed) > 0 {
		t.Errorf("in stage %d, confirmed are %v", r.Stage, r.Confirmed)
	}
	h.verified()
}

// A version that splits units anew begins the stage for others; in a freeze
// nothing begins.
func TestNewVersion_splitsNothingInAFreeze(t *testing.T) {
	h := newHouse(t)
	h.segment("low-risk", "u-1", "u-2")
	h.begin(catsPlan())
	h.governed(flags.Releases{Freezes: []flags.Freeze{{From: h.now.Add(-time.Hour), To: h.now.Add(24 * time.Hour), Why: "holidays"}}})
	p := catsPlan()
	p.Hypothesis = "it is said better"
	h.do(Command{Op: OpPlan, Plan: &p})
	again := p
	again.Eligible = "low-risk"
	h.refused(Command{Op: OpPlan, Plan: &again}, "Frozen: holidays")
	h.now = h.now.Add(24 * time.Hour)
	h.do(Command{Op: OpPlan, Plan: &again})
}
