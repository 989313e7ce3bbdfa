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
			Name: r.ruleName(stage.Name), When: r.audience(stage), Serve: r.Plan.Arms.Treatment,
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

// eligible returns who the whole plan is for, nil for everybody.
func (p Plan) eligible() *flags.Condition {
	if p.Eligible == "" {
		return nil
	}
	return &flags.Condition{Op: flags.InSegment, Value: p.Eligible}
}

// audience returns who a serve stage is for, among those who are eligible.
func (r Rollout) audience(s Stage) *flags.Condition {
	eligible := r.Plan.eligible()
	if eligible == nil {
		return s.audience()
	}
	return &flags.Condition{All: []flags.Condition{*eligible, *s.audience()}}
}

// allocation is what a stage does to units. All stages that compare share one
// epoch: they differ in coverage alone, so that nobody changes arm. The full
// stage has other arms and is an epoch of its own.
func (r Rollout) allocation(s Stage) flags.Allocation {
	a := flags.Allocation{
		Rollout: r.ID, Stage: s.Name, Epoch: 1, HashVersion: flags.HashVersion,
		Salt: flags.Salt(r.Plan.Flag, r.Number), Unit: r.Plan.Unit,
		// As many units get control as get the treatment; the rest is not enrolled.
		Coverage: int(2 * s.Treatment),
		Arms:     flags.Even(r.Plan.Arms.Treatment, r.Plan.Arms.Control),
		Eligible: r.Plan.Eligible, Audience: r.Plan.eligible(),
	}
	if l := r.Plan.Layer; l != nil && s.Compares() {
		a.Slice = &flags.Slice{Salt: flags.LayerSalt(r.Plan.Environment, l.Name), Share: int(l.Share)}
	}
	if s.Kind() == Full {
		treatment, control := s.shares()
		a.Epoch, a.Coverage = 2, flags.Whole
		a.Arms = []flags.Arm{{Variant: r.Plan.Arms.Treatment, Weight: int(treatment)}}
		if control > 0 {
			a.Arms = append(a.Arms, flags.Arm{Variant: r.Plan.Arms.Control, Weight: int(control)})
		}
	}
	if r.Laps > 0 {
		a.Epoch += r.Laps * r.epochs()
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
