package decisions

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// verdict weighs the checks: what fails and asks for most comes first; a pause
// stays until a person resumes, upon which a share that was reduced is raised
// again; what is merely open holds; and only when
// nothing is open does the rollout go on.
func (g *gate) verdict(stage Stage) Verdict {
	v := Verdict{Action: Hold, Stage: g.State.Stage, Checks: g.checks, Streaks: g.streaks, Looks: g.looks()}
	v.Next = g.Now.Add(time.Duration(g.Every))
	worst, open := g.worst()
	switch {
	case open && worst.Asks == Rollback:
		v.Action, v.Reason, v.Text = Rollback, worst.reason(), worst.Text+g.deployed()
		g.back(&v)
	case g.State.Status == Paused && !(open && worst.Asks == Pause):
		v.Action, v.Reason = Pause, "paused until a person resumes"
		v.Text = "Paused until a person resumes it: " + g.State.Held
	case g.turns():
		v.Action, v.Share, v.Reason = Expand, g.State.Share, fmt.Sprintf("version %d begins an epoch", g.State.Version)
		v.Text = fmt.Sprintf("Version %d of the plan splits the units of %s anew; the stage begins again", g.State.Version, stage.Name)
	case g.State.Share > 0 && !g.failing() && len(g.Evidence.Closed) == 0:
		v.Action, v.Reason = g.Plan.onward(v.Stage), "raised again"
		v.Text = "Resumed: " + stage.Name + " has its own share of " + stage.Treatment.String() + " again, and the same units with it"
	case open && worst.Asks != "":
		v.Action, v.Reason, v.Text = worst.Asks, worst.reason(), worst.Text
		if v.Action == Pause {
			v.Text += g.deployed()
		}
	case open:
		v.Reason, v.Text = worst.reason(), worst.Text
	default:
		g.onward(&v, stage)
	}
	return v
}

// turns reports whether the flag is to get the epoch of a new version. A flag
// that does not answer by the rollout cannot take it.
func (g *gate) turns() bool {
	return g.State.Turn && !slices.ContainsFunc(g.checks, func(c Check) bool { return c.Name == CheckFlag && c.open() })
}

// worst returns the open check that asks for most, the first of equals. What a
// person has resumed over asks for no more than to hold.
func (g *gate) worst() (worst Check, open bool) {
	for _, c := range g.checks {
		if !c.open() {
			continue
		}
		if c.Asks == Rollback && slices.Contains(g.State.Reverted, c.reason()) {
			c.Asks = Pause
		}
		if c.Asks == Pause && slices.Contains(g.State.Acknowledged, c.reason()) {
			c.Asks = Hold
		}
		if !open || c.Asks.outranks(worst.Asks) {
			worst, open = c, true
		}
	}
	return worst, open
}

// back chooses where a rollback goes: to the safe variant, or to the previous
// stage, where the plan says so, there is one, and the flag has not just refused
// to go there.
func (g *gate) back(v *Verdict) {
	refused := g.State.Refused
	if g.Plan.Rollback.To != toPreviousStage || v.Stage < 1 || refused != nil && refused.Revision == g.Evidence.FlagRevision {
		v.Next = time.Time{}
		return
	}
	v.Stage--
	v.Text += "; back to " + g.Plan.Stages[v.Stage].Name
}

// failing reports whether a check fails, rather than waits.
func (g *gate) failing() bool {
	return slices.ContainsFunc(g.checks, func(c Check) bool { return c.State == Fail })
}

// onward goes on from a stage whose gate is passed.
func (g *gate) onward(v *Verdict, stage Stage) {
	next := g.State.Stage + 1
	switch {
	case stage.Kind() == Full:
		v.Action, v.Reason, v.Next = Cleanup, "observed to the end", time.Time{}
		v.Text = "The treatment has served everybody for " + stage.Observe.String() + " without a reason to go back; the flag is due for its end state"
		return
	case next >= len(g.Plan.Stages):
		v.Action, v.Reason = Review, "no further stage"
		v.Text = "Every check of " + stage.Name + " passed, and the plan has no further stage; a person decides how it ends"
		return
	}
	v.Action, v.Stage, v.Reason = g.Plan.onward(next), next, "every check passed"
	v.Text = "Every check of " + stage.Name + " passed; next is " + g.Plan.Stages[next].Name
	if by, what := g.overruling(); what != "" {
		v.Reason, v.Text = "overruled by "+by, "Every check of "+stage.Name+" passed but "+what+", which "+by+" overruled; next is "+g.Plan.Stages[next].Name
	}
	if g.State.Stage < 0 {
		v.Reason, v.Text = "started", "Started by "+g.State.StartedBy+"; the first stage is "+g.Plan.Stages[next].Name
	}
	if c, ok := g.tolerated(); ok && v.Action == Ship {
		v.Action, v.Stage, v.Reason, v.Text = Review, g.State.Stage, c.reason(), c.Text+"; a person decides whether to ship"
	}
}

// tolerated returns a guardrail that is worse than zero, if within its margin.
func (g *gate) tolerated() (Check, bool) {
	i := slices.IndexFunc(g.checks, func(c Check) bool { return c.Code == codeTolerated && !g.overrules(c) })
	if i < 0 {
		return Check{}, false
	}
	return g.checks[i], true
}

// looks returns the looks that exclusion tests took with this evidence.
func (g *gate) looks() map[string]stats.Look {
	out := map[string]stats.Look{}
	take := func(key string, e *stats.Exclusion) {
		if e != nil && e.Taken != nil {
			out[key] = *e.Taken
		}
	}
	for _, m := range g.Evidence.Metrics {
		if s := g.State.Stage; s >= 0 && s < len(g.Plan.Stages) {
			take(exclusionKey(g.Plan.Stages[s].Name, m.Metric), m.Exclusion)
		}
		take(marginKey(m.Metric), m.AtMargin)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
