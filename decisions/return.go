package decisions

import (
	"slices"
	"time"
)

// Return is the last time that a decision took exposure back, and what is known
// of how far that has come.
type Return struct {
	Decision  string    `json:"decision"`
	Decided   time.Time `json:"decided"`
	Effective time.Time `json:"effective"`        // time of the flag change
	Revision  uint64    `json:"revision"`         // of the flag
	Forced    bool      `json:"forced,omitempty"` // everybody gets the safe variant; false: rules stay on
	Proven    *Proving  `json:"proven,omitempty"`
	Unproven  *Proving  `json:"unproven,omitempty"` // it was not proven within the time that the plan gives
}

// retreat carries out on the rollout what going back did to the flag. One that
// was rolled back to an earlier stage waits there until somebody has explained
// why and resumes it.
func (r *Rollout) retreat(d Decision, at time.Time) {
	v := d.Verdict
	r.Return = &Return{Decision: d.ID, Decided: d.At, Effective: at, Revision: d.Effect, Forced: !d.goesBack()}
	if v.Action == Rollback {
		r.Locked = r.Plan.Rollback.lockUntilExplained()
		if d.ByController() {
			r.Reverted = with(r.Reverted, v.Reason)
		}
	}
	if !d.goesBack() {
		r.Status, r.Ended = RolledBack, at
		return
	}
	if now, _ := r.Now(); now.Kind() != Full && r.otherUnits(v.Stage) {
		r.forget() // the full stage counts the units of before, and so do those on coming back from it
	}
	r.Laps = r.lapsTo(v.Stage) // of where it was: before the stage changes
	if v.Stage != r.Stage {
		r.Confirmed = nil // that was said of the stage it leaves
	}
	r.Status, r.Held, r.HeldAt, r.Acknowledged = Paused, v.Text, at, nil
	r.Stage, r.Since, r.Share = v.Stage, at, v.Share
}

// with adds a reason to those that are there; it writes to no slice that
// somebody else may be reading.
func with(reasons []string, reason string) []string {
	if slices.Contains(reasons, reason) {
		return reasons
	}
	return append(slices.Clip(reasons), reason)
}
