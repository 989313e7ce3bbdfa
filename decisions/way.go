package decisions

import (
	"strings"

	"github.com/sluice-hq/sluice/flags"
)

// Way returns the changes that bring a flag to a stage of the rollout as its
// decisions would, one stage after the other, whatever rollouts have left in the
// environment: to see who would get what. A share above 0 is taken for that of
// the stage itself.
func (r Rollout) Way(f flags.Recorded, stage int, share Percent) []flags.Change {
	env, e := r.Plan.Environment, f.Environments[r.Plan.Environment]
	var out []flags.Change
	if !e.Enabled {
		out = append(out, flags.Change{Op: flags.Enable, Environment: env})
	}
	if e.Forced != nil {
		out = append(out, flags.Change{Op: flags.Unforce, Environment: env})
	}
	if e.Allocation != nil {
		out = append(out, flags.Change{Op: flags.Deallocate, Environment: env})
	}
	for _, rule := range e.Served {
		if strings.HasPrefix(rule.Name, rulePrefix) {
			out = append(out, flags.Change{Op: flags.Unserve, Environment: env, Name: rule.Name})
		}
	}
	r.Stage, r.Laps = -1, 0
	empty := flags.Recorded{}
	for i := range min(stage+1, len(r.Plan.Stages)) {
		d := Decision{From: i - 1, Verdict: Verdict{Action: Expand, Stage: i}}
		if i == stage {
			d.Verdict.Share = share
		}
		out = append(out, d.changes(r, empty)...)
		r.Stage = i
	}
	return out
}
