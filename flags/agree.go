package flags

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// approver is the role that agrees where a policy names none.
const approver = "approver"

// CheckAsked refuses changes that are not a person's to ask for through a
// patch, a schedule or a change request: what belongs to a rollout, the forced
// state, which is never put off, and what names one environment and is a change
// of them all.
func CheckAsked(changes []Change) event.Invalids {
	var faults event.Invalids
	for i, c := range changes {
		switch {
		case !c.Op.asked():
			faults.Add(fmt.Sprintf("changes[%d].op", i), c.Op, missing(string(c.Op), "is not a change that can be asked for here"), "use one of "+strings.Join(Ops(), ", "))
		case c.Reaches() != c.Environment:
			faults.Add(fmt.Sprintf("changes[%d].environment", i), c.Environment, "does not fit a change of the whole flag", "leave it out: "+string(c.Op)+" is a change of every environment")
		}
	}
	return faults
}

// agreed refuses a person's change that policies want others to agree to. What
// a decision or something that was agreed to asks for carries a cause, and
// waits for nobody. A schedule is a person's too: policies may have come since it
// was written, and what it does may be more than it was then.
func (s *State) agreed(old, work *record, c Command) error {
	if c.Cause != "" && !old.scheduled(c.Cause) {
		return nil
	}
	needs := s.needs(old, work, c.Changes)
	if len(needs) == 0 {
		return nil
	}
	way := "propose it as a change request"
	if slices.ContainsFunc(c.Changes, func(c Change) bool { return c.Op == Allocate }) {
		way = "a rollout plan asks them stage by stage"
	}
	return fmt.Errorf("%w: %s; %s", ErrApproval, sentence(needs), way)
}

// needs says what the policies of the environments that a change touches ask
// for, by what the flag is and by what it becomes: taking away the tag that a
// policy goes by is a change too. To give everybody the safe variant, and to end
// that, waits for nobody. A flag that is created asks for nobody where it is
// disabled.
func (s *State) needs(old, work *record, changes []Change) []Need {
	if !slices.ContainsFunc(changes, Change.waits) {
		return nil
	}
	var needs []Need
	for _, name := range touched(old, work) {
		for _, f := range []*Flag{&old.Flag, &work.Flag} {
			n, ok := s.approvals(name, f)
			if ok && !slices.Contains(needs, n) {
				needs = append(needs, n)
			}
		}
	}
	return needs
}

// waits reports whether others may have to agree to such a change. A ramp is one
// too, though no request can ask for it: plans have approvals of their own.
func (c Change) waits() bool {
	return c.Op == Allocate || c.Op != Disable && c.Op.asked()
}

// touched returns the environments that a change makes a difference in, sorted.
// What belongs to no environment touches all of them.
func touched(old, work *record) []string {
	names := union(old.Environments, work.Environments)
	if old.Revision == 0 {
		return slices.DeleteFunc(names, func(name string) bool { return !work.Environments[name].Enabled })
	}
	if old.Archived != work.Archived || !same(old.head(), work.head()) {
		return names
	}
	return slices.DeleteFunc(names, func(name string) bool {
		was, had := old.Environments[name]
		is, has := work.Environments[name]
		return had == has && same(was, is)
	})
}

// head returns the flag without its environments.
func (r *record) head() Flag {
	f := r.Flag
	f.Environments = nil
	return f
}

// lacks returns the needs that the request's approvals do not meet.
func (q Request) lacks(needs []Need) []Need {
	return slices.DeleteFunc(needs, func(n Need) bool {
		who := map[string]bool{}
		for _, a := range q.Approvals {
			if slices.Contains(a.Roles, n.Role) {
				who[a.Actor] = true
			}
		}
		return len(who) >= n.Count
	})
}

// sentence says what is asked for: "2 approvals (approver, production)".
func sentence(needs []Need) string {
	parts := map[string]bool{}
	for _, n := range needs {
		where := n.Role
		if n.Environment != "" {
			where += ", " + n.Environment
		}
		parts[fmt.Sprintf("%d %s (%s)", n.Count, choose(n.Count == 1, "approval", "approvals"), where)] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(parts)), " and ")
}

// approvals says what policies ask for of a flag's changes in an environment.
func (s *State) approvals(environment string, f *Flag) (Need, bool) {
	a := s.Policy(environment, f).Approvals
	if a == nil {
		return Need{}, false
	}
	return Need{Environment: environment, Count: a.Count, Role: cmp.Or(a.Role, approver)}, true
}
