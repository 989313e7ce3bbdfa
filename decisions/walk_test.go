package decisions

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Whatever people, traffic, flags and the clock do, the laws hold, and a fold
// from the start gives the same state.
func TestLawsOverARandomWalk(t *testing.T) {
	seen := map[Action]int{}
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouse(t)
		h.witness = &MemWitness{}
		tr := newTraffic(rapid.SampledFrom([]map[string][2]float64{harmful, harmless, better}).Draw(rt, "truth"))
		h.segment("everybody", "u-1")
		if rapid.Bool().Draw(rt, "begun") {
			p := catsPlan()
			p.Rollback.To = rapid.SampledFrom([]string{"", toPreviousStage}).Draw(rt, "to")
			h.begin(p)
		}
		ops := []Op{OpPlan, OpStart, OpHold, OpResume, OpApprove, OpAdvance, OpReduce, OpRollback, OpExplain, OpForward, OpDrill, OpSchedule, OpUnschedule, OpOverride, OpShip, OpReject}
		for range rapid.IntRange(5, 60).Draw(rt, "length") {
			switch rapid.IntRange(1, 9).Draw(rt, "what") {
			case 1, 2:
				h.person(rapid.SampledFrom(ops).Draw(rt, "op"))
			case 3, 4:
				if r, ok := h.state.Newest("production", "gate"); ok && r.Stage >= 0 {
					h.send(tr, rapid.IntRange(1, 2000).Draw(rt, "units"))
					h.step()
				}
			case 5:
				change := rapid.SampledFrom([]flags.Op{flags.Enable, flags.Disable, flags.Unforce}).Draw(rt, "change")
				h.edit(flags.Change{Op: change, Environment: "production"})
			case 6:
				h.now = h.now.Add(time.Duration(rapid.IntRange(-60, 600).Draw(rt, "minutes")) * time.Minute)
			default:
				h.step()
			}
		}
		h.step()
		for _, r := range h.state.Rollouts() {
			for _, d := range r.Decisions {
				seen[d.Verdict.Action]++
			}
		}
		if r := h.verified(); len(r.Pending) > 0 {
			rt.Fatalf("pending: %v", r.Pending)
		}
		if a, b := marks(t, h, h.part), marks(t, h, h.open(h.log)); a != b {
			rt.Fatalf("running %s, replayed %s", a, b)
		}
	})
	for _, a := range []Action{Hold, Expand, Pause, Rollback, Reduce} {
		if seen[a] == 0 {
			t.Errorf("the walk never came to %s: %v", a, seen)
		}
	}
	t.Logf("decisions: %v", seen)
}

// person gives a command that may be refused.
func (h *house) person(op Op) {
	p := catsPlan()
	switch h.now.Minute() % 4 { // versions of a plan that is under way
	case 1:
		p.Metrics.Guardrails[0].Detect.Change = 3000
	case 2:
		p.Metrics.Guardrails[0].Detect.Change, p.Hypothesis = 3000, "it holds"
	case 3:
		p.Eligible = "everybody"
	}
	e, expect, err := h.try(Command{Op: op, Plan: &p, Comment: "so", Actor: lee, To: "2%", Start: h.now.Add(time.Hour)})
	if err == nil {
		h.write(e, expect, nil)
	}
}

// edit is a person's flag command that may be refused.
func (h *house) edit(c flags.Change) {
	e, expect, err := h.flags.Handle(flags.Command{
		ID: h.id("edit"), Key: "gate", Expect: event.Any, At: h.now, Actor: ana, Changes: []flags.Change{c},
	})
	if err == nil {
		h.write(e, expect, nil)
	}
}
