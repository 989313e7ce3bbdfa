package decisions

import (
	"slices"
	"time"
)

// Tally sums decisions up, for whoever looks at how releases are decided.
type Tally struct {
	Decisions int
	PerWeek   float64       // over the time from the first to the last of them, at least a week
	Automatic int           // made by the controller
	Overrides int           // against the recommendation
	Rollbacks int           //
	InStage   time.Duration // median time from entering a stage to leaving it; 0: none was left
	ToSafe    time.Duration // median time from the decision to roll back until everybody was proven to be safe; 0: none was proven
}

// NewTally sums up those decisions of rollouts that keep selects.
func NewTally(rollouts []Rollout, keep func(Rollout, Decision) bool) Tally {
	var t Tally
	var first, last time.Time
	var stages, safe []time.Duration
	for _, r := range rollouts {
		var entered time.Time
		for _, d := range r.Decisions {
			moves := d.Verdict.Action == Expand || d.Verdict.Action == Ship || d.Verdict.Action == Rollback
			if !keep(r, d) {
				continue
			}
			if first.IsZero() || d.At.Before(first) {
				first = d.At
			}
			if d.At.After(last) {
				last = d.At
			}
			if moves && !entered.IsZero() && d.From >= 0 {
				stages = append(stages, d.At.Sub(entered))
			}
			if moves {
				entered = d.At
			}
			t.add(d)
			if b := r.Return; b != nil && b.Decision == d.ID && b.Proven != nil {
				safe = append(safe, time.Duration(b.Proven.TimeToSafe))
			}
		}
	}
	const week = 7 * 24 * time.Hour
	t.PerWeek = float64(t.Decisions) / max(1, float64(last.Sub(first))/float64(week))
	t.InStage, t.ToSafe = median(stages), median(safe)
	return t
}

func (t *Tally) add(d Decision) {
	t.Decisions++
	if d.ByController() {
		t.Automatic++
	}
	if d.Against != "" {
		t.Overrides++
	}
	if d.Verdict.Action == Rollback {
		t.Rollbacks++
	}
}

// median returns the middle of durations, the upper one of two; 0 for none.
func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}
