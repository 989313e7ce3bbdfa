package decisions

import "github.com/sluice-hq/sluice/flags"

// A rollout goes back in one of two ways. Forced, everybody gets the safe
// variant, rules and targets included, and the rollout is over. Gently, it
// returns to an earlier stage or a smaller share: rules stay on, and since
// neither salt nor arms change, the same units return when it is raised again.

// What rollback.to may say.
const (
	toSafe          = "safe"
	toPreviousStage = "previousStage"
)

// retreats reports whether the action takes exposure back. Such a decision does
// not lapse because the flag has changed meanwhile: it goes on at any revision.
func (a Action) retreats() bool { return a == Rollback || a == Reduce }

// goesBack reports whether the decision takes the rollout back gently.
func (d Decision) goesBack() bool {
	return d.Verdict.Action == Reduce || d.Verdict.Action == Rollback && d.Verdict.Stage < d.From
}

// forwards reports whether a person takes up again what was rolled back.
func (d Decision) forwards() bool {
	return (d.Verdict.Action == Expand || d.Verdict.Action == Ship) && d.Verdict.Stage == d.From && !d.ByController()
}

// back returns what going back does to the flag: audiences of the stages that
// are left go, the last of them first, and the allocation becomes that of the
// stage that is returned to. One that serves an audience has that of a stage in
// the dark before it, or none.
func (d Decision) back(r Rollout) []flags.Change {
	env, target := r.Plan.Environment, d.Verdict.Stage
	var out []flags.Change
	allocated := false
	for i := min(max(r.Stage, d.From), len(r.Plan.Stages)-1); i > target; i-- {
		if s := r.Plan.Stages[i]; s.Kind() == Serve {
			out = append(out, flags.Change{Op: flags.Unserve, Environment: env, Name: r.ruleName(s.Name)})
		} else {
			allocated = true
		}
	}
	switch of := r.Plan.allocatedAt(target); {
	case of == target || of >= 0 && allocated:
		a := r.at(of, d.Verdict.Share)
		out = append(out, flags.Change{Op: flags.Allocate, Environment: env, Allocation: &a})
	case allocated:
		out = append(out, flags.Change{Op: flags.Deallocate, Environment: env})
	}
	return out
}

// allocatedAt returns the stage whose allocation a stage has: its own, or that of
// the one before, where it serves an audience; below 0 for none.
func (p Plan) allocatedAt(stage int) int {
	for stage >= 0 && !p.Stages[stage].allocates() {
		stage--
	}
	return stage
}

// at is the allocation of a stage that the rollout comes to from where it is,
// with another share of units than the stage's own, if one is given.
func (r Rollout) at(stage int, share Percent) flags.Allocation {
	s := r.Plan.Stages[stage]
	if share > 0 {
		s.Treatment = share
	}
	r.Laps = r.lapsTo(stage)
	return r.allocation(s)
}

// lapsTo returns how often the rollout has been through its epochs when it comes
// to a stage. An epoch that was left is over: whoever returns from the full
// stage to one that compares begins another with the same arms.
func (r Rollout) lapsTo(stage int) int {
	if now, ok := r.Now(); ok && r.epochOf(r.Plan.Stages[stage]) < r.epochOf(now) {
		return r.Laps + 1
	}
	return r.Laps
}

// epochOf returns the epoch of a stage in the first lap.
func (r Rollout) epochOf(s Stage) int {
	r.Laps = 0
	return r.allocation(s).Epoch
}

// share returns the share of units that the rollout gives the treatment now, 0
// where it cannot be told.
func (r Rollout) share() Percent {
	stage, _ := r.Now()
	return or(r.Share, stage.Exposure())
}
