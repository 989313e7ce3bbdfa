package decisions

import (
	"fmt"
	"strings"

	"github.com/sluice-hq/sluice/flags"
)

// changes returns what a decision does to the flag.
func (d Decision) changes(r Rollout, f flags.Recorded) []flags.Change {
	env := r.Plan.Environment
	if d.goesBack() {
		return append(r.inherited(f.Environments[env]), d.back(r)...)
	}
	if d.Verdict.Action == Rollback {
		return []flags.Change{{Op: flags.Force, Environment: env, Reason: d.Verdict.Text, Decision: d.ID}}
	}
	stage := r.Plan.Stages[d.Verdict.Stage]
	var changes []flags.Change
	if d.forwards() && f.Environments[env].Forced != nil {
		changes = append(changes, flags.Change{Op: flags.Unforce, Environment: env})
	}
	changes = append(changes, r.inherited(f.Environments[env])...)
	if stage.Kind() == Serve {
		return append(changes, flags.Change{Op: flags.Serve, Environment: env, Rule: &flags.Rule{
			Name: r.ruleName(stage.Name), When: r.Plan.audience(stage), Serve: r.Plan.arms(stage).Treatment,
		}})
	}
	a := r.at(d.Verdict.Stage, d.Verdict.Share)
	return append(changes, flags.Change{Op: flags.Allocate, Environment: env, Allocation: &a})
}

// inherited takes away what earlier rollouts left in the environment.
func (r Rollout) inherited(e flags.Environment) []flags.Change {
	var out []flags.Change
	if e.Allocation != nil && e.Allocation.Rollout != r.ID {
		out = append(out, flags.Change{Op: flags.Deallocate, Environment: r.Plan.Environment})
	}
	for _, rule := range e.Served {
		if strings.HasPrefix(rule.Name, rulePrefix) && !strings.HasPrefix(rule.Name, r.ruleName("")) {
			out = append(out, flags.Change{Op: flags.Unserve, Environment: r.Plan.Environment, Name: rule.Name})
		}
	}
	return out
}

// rulePrefix is what the audiences that rollouts serve are named by.
const rulePrefix = "rollout-"

func (r Rollout) ruleName(stage string) string {
	return fmt.Sprintf("%s%d.%s", rulePrefix, r.Number, stage)
}

// allocation is what a stage does to units. Stages of one epoch differ in
// coverage alone, so that nobody changes arm; the full stage has other weights
// and is an epoch of its own. In the dark everybody who is enrolled answers
// control, and is told which variant to run beside it.
func (r Rollout) allocation(s Stage) flags.Allocation {
	arms := r.Plan.arms(s)
	a := flags.Allocation{
		Rollout: r.ID, Stage: s.Name, Epoch: r.epoch(s), HashVersion: flags.HashVersion,
		Salt: flags.Salt(r.Plan.Flag, r.Number), Unit: r.Plan.Unit,
		// As many units get control as get the treatment; the rest is not enrolled.
		Coverage: int(2 * s.Treatment),
		Arms:     flags.Even(arms.Treatment, arms.Control),
		Eligible: r.Plan.Eligible, Audience: r.Plan.audience(s),
	}
	if l := r.Plan.Layer; l != nil && s.Compares() {
		a.Slice = &flags.Slice{Salt: flags.LayerSalt(r.Plan.Environment, l.Name), Share: int(l.Share)}
	}
	switch treatment, control := s.shares(); s.Kind() {
	case Full:
		a.Coverage, a.Arms = flags.Whole, []flags.Arm{{Variant: arms.Treatment, Weight: int(treatment)}}
		if control > 0 {
			a.Arms = append(a.Arms, flags.Arm{Variant: arms.Control, Weight: int(control)})
		}
	case Dark:
		a.Coverage, a.Shadow, a.Arms = int(or(s.Treatment, All)), arms.Treatment, flags.Even(arms.Control)
	}
	return a
}

// off says why a flag answers its safe variant to everybody, "" when it does
// not.
func off(f flags.Recorded, known bool, environment string) string {
	e, ok := f.Environments[environment]
	switch {
	case !known:
		return "it does not exist"
	case f.Archived:
		return "it is archived"
	case !ok:
		return "it has no such environment"
	case !e.Enabled:
		return "it is disabled"
	case e.Forced != nil:
		return "it is forced: " + e.Forced.Reason
	}
	return ""
}
