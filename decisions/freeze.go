package decisions

import (
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// Closure is a time in which policies let no stage begin. It is found when the
// evidence is taken, and recorded with it: policies change, and what held a
// release must be the same to whoever looks it up years later.
type Closure struct {
	Kind  CheckName `json:"kind"`           // freeze, or hours
	Why   string    `json:"why,omitempty"`  // of a freeze
	Until time.Time `json:"until,omitzero"` // when it ends; zero: no policy says when
}

// closures returns what keeps stages from beginning at a time, the freezes
// first.
func closures(p RolloutPolicy, now time.Time) []Closure {
	var all []Closure
	for _, f := range p.Freezes {
		if f.Has(now) {
			all = append(all, Closure{Kind: CheckFreeze, Why: f.Why, Until: f.To.UTC()})
		}
	}
	if len(p.Windows) > 0 && !within(p.Windows, now) {
		all = append(all, Closure{Kind: CheckHours, Until: opens(p.Windows, now)})
	}
	return all
}

func within(windows []flags.Hours, at time.Time) bool {
	return slices.ContainsFunc(windows, func(h flags.Hours) bool { return h.Has(at) })
}

// opens returns the first time after now that is within the hours, zero when no
// day of the week has any.
func opens(windows []flags.Hours, now time.Time) (first time.Time) {
	for day := range 8 { // today's may be over, and today's in a week not yet
		for _, h := range windows {
			from, err := time.Parse("15:04", h.From)
			at := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, day).Add(time.Duration(from.Hour())*time.Hour + time.Duration(from.Minute())*time.Minute)
			if err == nil && at.After(now) && h.Has(at) && (first.IsZero() || at.Before(first)) {
				first = at
			}
		}
	}
	return first
}

// text says what is closed, and until when.
func (c Closure) text() string {
	what := "It is outside the hours in which a stage may begin"
	if c.Kind == CheckFreeze {
		what = "Frozen: " + c.Why
	}
	if c.Until.IsZero() {
		return what
	}
	return fmt.Sprintf("%s; until %s nothing is expanded or shipped", what, clock(c.Until))
}

// code is the closure in stable words.
func (c Closure) code() string { return or(c.Why, "closed") }

// closed asks that no freeze and no hours keep the next stage from beginning.
// They hold what would expand, and no rollback. Behind a full stage nothing can
// expand.
func (g *gate) closed(stage Stage) {
	if stage.Kind() == Full {
		return
	}
	for _, c := range g.Evidence.Closed {
		g.add(Check{Name: c.Kind, State: Wait, Code: c.code(), Text: c.text()})
	}
}

// unclosed refuses what a person wants to begin in a freeze or outside hours.
func (s *State) unclosed(r Rollout, now time.Time) error {
	for _, c := range closures(s.Policy(r.Plan), now) {
		return fmt.Errorf("%w: %s; a rollback is possible at any time", ErrRefused, c.text())
	}
	return nil
}
