package flags

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Expired returns the commands that are due because the Until of rules has
// come: one for each flag, caused by the event that defined it. Evaluation
// reads no clock, so whoever runs the house asks now and then and carries the
// commands out. Their IDs derive from flag and revision: asking twice, or
// from two replicas, changes a flag once.
func (s *State) Expired(now time.Time) []Command {
	var out []Command
	for key, r := range s.flags {
		changes := r.expired(now)
		if len(changes) == 0 {
			continue
		}
		out = append(out, Command{
			ID: event.Derive("flag.expired", key, fmt.Sprint(r.Revision)), Key: key, Expect: event.Expect(r.Revision),
			At: now, Actor: "controller", Cause: r.Defined.String(), Comment: "the rule's until has come", Changes: changes,
		})
	}
	slices.SortFunc(out, byKey)
	return out
}

// byKey orders commands by their flags: whoever asks gets the same answer.
func byKey(a, b Command) int { return strings.Compare(a.Key, b.Key) }

func (r *record) expired(now time.Time) []Change {
	var out []Change
	if r.Archived {
		return nil
	}
	for name, e := range r.Environments {
		for i := range e.Rules {
			if e.Rules[i].over(now) {
				out = append(out, Change{Op: Expire, Environment: name, Name: e.Rules[i].Name})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int { return strings.Compare(a.Environment, b.Environment) })
	return out
}

// over reports whether the rule's time has come to an end.
func (r *Rule) over(now time.Time) bool {
	until, ok := r.Until.Time()
	return ok && !now.Before(until)
}

// checkUntil refuses rules that would expire at once, but for those that r has
// too: they are about to go, and are no reason to refuse another change.
func (f *Flag) checkUntil(faults *event.Invalids, r *record, at time.Time) {
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		for i, rule := range f.Environments[name].Rules {
			known := slices.ContainsFunc(r.Environments[name].Rules, func(o Rule) bool { return same(o, rule) })
			if rule.over(at) && !known {
				faults.Add(fmt.Sprintf("environments.%s.rules[%d].until", name, i), rule.Until, "has passed", "take the rule out, or give it more time")
			}
		}
	}
}
