package decisions

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// Debt is a flag that should have been ended.
type Debt struct {
	Flag        string    `json:"flag"`
	Environment string    `json:"environment,omitempty"` // of the rollout; empty: the flag's own dates say it
	Rollout     string    `json:"rollout,omitempty"`
	Owner       string    `json:"owner"`
	Why         string    `json:"why"`
	Since       time.Time `json:"since"`          // when it was due
	Until       time.Time `json:"until,omitzero"` // when it was ended; zero: it is still there
}

// DebtWeek is the flag debt at the end of a week.
type DebtWeek struct {
	Until  time.Time `json:"until"` // the end of the week
	Flags  int       `json:"flags"` // past due then
	Oldest int       `json:"oldestDays"`
	Mean   float64   `json:"meanDays"`
	Came   int       `json:"came"`       // flags that became due in the week
	Went   int       `json:"went"`       // flags that were ended in the week
	Month  int       `json:"upTo30Days"` // of Flags, those past due for up to 30 days
	Season int       `json:"upTo90Days"` // for more than that, up to 90 days
	Older  int       `json:"over90Days"`
}

// Debts returns what rollouts left and is past due now or was once: from the day
// it was due to the day it was closed.
func (s *State) Debts(now time.Time) (out []Debt) {
	for _, list := range s.rollouts {
		for i, r := range list {
			due, until := r.CleanupDue(), r.over(list[i+1:])
			if due.IsZero() || !due.Before(now) || !until.IsZero() && !until.After(due) {
				continue
			}
			out = append(out, Debt{
				Flag: r.Plan.Flag, Environment: r.Plan.Environment, Rollout: r.ID, Owner: r.Plan.Owner, Since: due, Until: until,
				Why: "its rollout was over on " + r.Ended.Format(time.DateOnly),
			})
		}
	}
	return out
}

// over is when a cleanup was no longer asked for: it was closed, or another
// rollout of the flag began.
func (r Rollout) over(later []*Rollout) (until time.Time) {
	if r.Closed != nil {
		until = r.Closed.At
	}
	for _, next := range later {
		if at := next.Started; !at.IsZero() && (until.IsZero() || at.Before(until)) {
			until = at
		}
	}
	return until
}

// FlagDebt returns what the dates of a flag's definition say: its last day, and
// the review of one that stays. An archived flag was ended with its last change.
func FlagDebt(f flags.Recorded, now time.Time) (Debt, bool) {
	d := Debt{Flag: f.Key, Owner: f.Owner}
	if f.Dates != nil {
		if off, ok := f.Dates.Off.Time(); ok {
			d.Since, d.Why = off, "its last day was "+string(f.Dates.Off)
		}
	}
	if f.Cleanup != nil {
		if review, ok := f.Cleanup.Review.Time(); ok && (d.Since.IsZero() || review.Before(d.Since)) {
			d.Since, d.Why = review, "its review was due on "+string(f.Cleanup.Review)
		}
	}
	if f.Archived {
		d.Until = f.Changed
	}
	return d, !d.Since.IsZero() && d.Since.Before(now) && (d.Until.IsZero() || d.Until.After(d.Since))
}

// DebtByWeek counts the debt at the end of each of so many weeks, the last one
// ending now. A flag counts once, by what was due first.
func DebtByWeek(all []Debt, weeks int, now time.Time) []DebtWeek {
	const week = 7 * 24 * time.Hour
	out := make([]DebtWeek, 0, weeks)
	for i := weeks - 1; i >= 0; i-- {
		until := now.Add(-time.Duration(i) * week)
		w := DebtWeek{Until: until}
		begun := dueAt(all, until.Add(-week))
		due := dueAt(all, until)
		var hours int // whole ones, so that the order of a map is no matter
		for flag, since := range due {
			age := int(until.Sub(since).Hours())
			hours, w.Oldest = hours+age, max(w.Oldest, age/24)
			w.count(age)
			if _, was := begun[flag]; !was {
				w.Came++
			}
		}
		for flag := range begun {
			if _, is := due[flag]; !is {
				w.Went++
			}
		}
		if w.Flags = len(due); w.Flags > 0 {
			w.Mean = float64(hours) / 24 / float64(w.Flags)
		}
		out = append(out, w)
	}
	return out
}

// count puts a flag among those of its age.
func (w *DebtWeek) count(hours int) {
	switch {
	case hours <= 30*24:
		w.Month++
	case hours <= 90*24:
		w.Season++
	default:
		w.Older++
	}
}

// dueAt returns the flags that were past due at a time, and since when.
func dueAt(all []Debt, at time.Time) map[string]time.Time {
	out := map[string]time.Time{}
	for _, d := range all {
		if d.Since.After(at) || !d.Until.IsZero() && !d.Until.After(at) {
			continue
		}
		if since, ok := out[d.Flag]; !ok || d.Since.Before(since) {
			out[d.Flag] = d.Since
		}
	}
	return out
}

// ByAge sorts the debt: what is still there first, the oldest first, and of one
// moment by flag.
func ByAge(all []Debt) []Debt {
	return slices.SortedFunc(slices.Values(all), func(a, b Debt) int {
		if open := boolean(b.Until.IsZero()) - boolean(a.Until.IsZero()); open != 0 {
			return open
		}
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Flag, b.Flag), strings.Compare(a.Rollout, b.Rollout))
	})
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}
