package decisions

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// crowd is how many units a cohort is looked at by.
const crowd = 400

// genPlan draws a plan: audiences, shares that grow, a stage that decides, and
// everybody, for some or all units and in a layer or in none.
func genPlan(t *rapid.T) Plan {
	p := catsPlan()
	p.Metrics.Guardrails, p.Stages = nil, nil
	if rapid.Bool().Draw(t, "dark") {
		p.Stages = append(p.Stages, Stage{Name: "dark", Dark: true, Treatment: Percent(rapid.IntRange(1, 50_000).Draw(t, "shadow"))})
	}
	for _, ring := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"staff", "beta"}), 0, 2, rapid.ID).Draw(t, "rings") {
		p.Stages = append(p.Stages, Stage{Name: ring, Serve: treatmentRole, When: &flags.Condition{Attribute: "ring", Op: flags.Eq, Value: ring}})
	}
	if rapid.Bool().Draw(t, "units") {
		p.Stages = append(p.Stages, Stage{Name: "some", Serve: treatmentRole, Units: []string{"u-3", "u-4"}})
	}
	if rapid.Bool().Draw(t, "steps") {
		p.Stages = append(p.Stages, Stage{Name: "climb", Ramp: &Steps{From: 1, To: 1000, Times: 10, Every: Window(time.Hour)}})
	}
	shares := rapid.SliceOfN(rapid.IntRange(1000, 50_000), 1, 4).Draw(t, "shares")
	slices.Sort(shares)
	for i, share := range shares {
		p.Stages = append(p.Stages, Stage{Name: fmt.Sprint("ramp-", i), Treatment: Percent(share), Decide: i == len(shares)-1})
	}
	p.Stages = append(p.Stages, Stage{Name: "full", Serve: treatmentRole, Holdback: Percent(rapid.SampledFrom([]int{0, 1000, 50_000}).Draw(t, "holdback"))})
	if rapid.Bool().Draw(t, "eligible") {
		p.Eligible = "low-risk"
	}
	if rapid.Bool().Draw(t, "layer") {
		p.Layer = &LayerPlan{Name: "games", Share: Percent(rapid.IntRange(1000, 90_000).Draw(t, "slice"))}
	}
	p.Rollback.To = rapid.SampledFrom([]string{toSafe, toPreviousStage}).Draw(t, "to")
	return p
}

// populated is a house with a segment and a layer for such plans.
func populated(t testing.TB) *house {
	h := newHouse(t)
	var ids []string
	for i := 0; i < crowd; i += 2 {
		ids = append(ids, fmt.Sprint("u-", i))
	}
	h.segment("low-risk", ids...)
	doc := flags.EnvironmentDoc{Key: "production", Layers: []flags.Layer{{Name: "games", Holdout: 10_000}}}
	e, expect, err := h.flags.HandleEnvironment(flags.EnvironmentCommand{
		Order: flags.Order{ID: h.id("layer"), Expect: event.Any, At: h.now, Actor: ana}, Key: "production", Environment: &doc,
	})
	h.write(e, expect, err)
	return h
}

// treated returns who gets the treatment now.
func (h *house) treated() map[string]bool {
	set, out := h.flags.Compile("production", nil), map[string]bool{}
	for i := range crowd {
		id, ring := fmt.Sprint("u-", i), []string{"public", "public", "public", "beta", "staff"}[i%5]
		if set.Evaluate("gate", &flags.Context{TargetingKey: id, Attributes: map[string]any{"ring": ring}}).Variant == "gate_40" {
			out[id] = true
		}
	}
	return out
}

// onward takes the rollout to its next stage, whatever its gate says.
func (h *house) onward() {
	h.t.Helper()
	if r := h.rollout(); r.Status == Running && r.Stage+1 < len(r.Plan.Stages) {
		h.do(Command{Op: OpAdvance, Comment: "on"})
	}
	h.step()
}

// Without a rollback or a reduction no unit ever goes from treatment to control,
// in any plan.
func TestNobodyGoesBackByItself(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := populated(t)
		h.begin(genPlan(rt))
		had := h.treated()
		for h.rollout().Status == Running {
			h.onward()
			has := h.treated()
			for id := range had {
				if !has[id] {
					rt.Fatalf("%s had the treatment before %+v and has it no more", id, h.served())
				}
			}
			had = has
		}
		if r := h.rollout(); r.Status != Observing || len(had) == 0 {
			rt.Fatalf("it ends %s with %d treated units", r.Status, len(had))
		}
	})
}

// However a rollout goes back and forth - reduced, rolled back to the stage
// before or to the safe variant, and raised again - whoever had the treatment in
// a stage at a share has it whenever the rollout is there, and nobody else.
func TestTheSameCohortReturns(t *testing.T) {
	seen := map[Op]int{}
	rapid.Check(t, func(rt *rapid.T) {
		h := populated(t)
		h.begin(genPlan(rt))
		cohorts := map[string]map[string]bool{}
		for range rapid.IntRange(5, 25).Draw(rt, "length") {
			seen[h.backAndForth(rt)]++
			h.step()
			r := h.rollout()
			has, where := h.treated(), fmt.Sprintf("stage %d at %s", r.Stage, r.Share)
			if h.forced() != nil {
				where = "forced"
			}
			if had, ok := cohorts[where]; ok && !maps.Equal(had, has) {
				rt.Fatalf("%s: %d units had the treatment, now %d have", where, len(had), len(has))
			}
			cohorts[where] = has
		}
		if len(cohorts["forced"]) > 0 {
			rt.Fatalf("forced, %d units have the treatment", len(cohorts["forced"]))
		}
		h.verified()
	})
	for _, op := range []Op{OpAdvance, OpReduce, OpRollback, OpForward, OpResume, "incident"} {
		if seen[op] == 0 {
			t.Errorf("it never came to %s: %v", op, seen)
		}
	}
}

// backAndForth does one thing that the rollout allows just now.
func (h *house) backAndForth(t *rapid.T) Op {
	r := h.rollout()
	switch {
	case r.Locked:
		h.do(Command{Op: OpExplain, Comment: "so it was"})
		for _, i := range h.state.Incidents("production", "gate") {
			h.incident(i.ID, Critical, true)
		}
		return OpExplain
	case r.Status == RolledBack:
		h.do(Command{Op: OpForward, Comment: "again"})
		return OpForward
	case r.Status == Paused && rapid.Bool().Draw(t, "resume"):
		h.do(Command{Op: OpResume})
		return OpResume
	}
	switch what := rapid.IntRange(0, 5).Draw(t, "what"); {
	case what == 0:
		h.do(Command{Op: OpRollback, Comment: "back"})
		return OpRollback
	case what == 1 && len(h.state.Incidents("production", "gate")) == 0:
		h.incident(fmt.Sprint("pager-", h.proj.Seq()), Critical, false)
		return "incident"
	case what == 2, what == 3:
		to := fmt.Sprintf("%d%%", rapid.IntRange(1, 50).Draw(t, "share"))
		if r.Stage > 0 && rapid.Bool().Draw(t, "name") {
			to = r.Plan.Stages[rapid.IntRange(0, r.Stage-1).Draw(t, "stage")].Name
		}
		e, expect, err := h.try(Command{Op: OpReduce, Comment: "less", To: to})
		if err == nil {
			h.write(e, expect, nil)
		}
		return OpReduce
	}
	h.onward()
	return OpAdvance
}
