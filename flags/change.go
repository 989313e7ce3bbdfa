package flags

import (
	"fmt"
	"slices"
	"time"
)

// change carries out one change. Handle has checked it, so nothing is refused
// here but what a newer version of the house may have written.
func (r *record) change(c Change, at time.Time) error {
	if e, ok := editOf(c.Op); ok {
		return r.edit(e, c)
	}
	switch c.Op {
	case Define:
		return r.define(c.Flag)
	case Archive:
		r.Archived, r.Answer = true, c.Variant
		return nil
	case Restore:
		r.Archived, r.Answer = false, ""
		return nil
	case Adopt:
		r.Set = c.Name
		return nil
	case Allocate:
		if c.Allocation == nil {
			return fmt.Errorf("change %q has no allocation", c.Op)
		}
		r.Rollouts[c.Allocation.Rollout] = *c.Allocation
	case Serve:
		if c.Rule == nil {
			return fmt.Errorf("change %q has no rule", c.Op)
		}
	}
	e := r.Environments[c.Environment]
	if err := e.change(c, at); err != nil {
		return err
	}
	if r.Environments == nil {
		r.Environments = map[string]Environment{}
	}
	r.Environments[c.Environment] = e
	return nil
}

// change carries out a change of one environment.
func (e *Environment) change(c Change, at time.Time) error {
	switch c.Op {
	case Enable:
		e.Enabled = true
	case Disable:
		e.Enabled = false
	case Force:
		e.Forced = &Forced{Reason: c.Reason, Decision: c.Decision, At: at}
	case Unforce:
		e.Forced = nil
	case Allocate:
		e.Allocation = c.Allocation
	case Deallocate:
		e.Allocation = nil
	case Serve:
		e.serve(*c.Rule)
	case Unserve:
		e.Served = without(e.Served, c.Name)
	case Expire:
		e.Rules = without(e.Rules, c.Name)
	default:
		return fmt.Errorf("change %q is not known to this version", c.Op)
	}
	return nil
}

// serve puts the rule in the place of the one of its name, or last. It writes
// to no slice that somebody else may be reading.
func (e *Environment) serve(rule Rule) {
	i := named(e.Served, rule.Name)
	if i < 0 {
		e.Served = append(slices.Clip(e.Served), rule)
		return
	}
	e.Served = slices.Clone(e.Served)
	e.Served[i] = rule
}

func without(rules []Rule, name string) []Rule {
	i := named(rules, name)
	if i < 0 {
		return rules
	}
	return slices.Concat(rules[:i], rules[i+1:])
}

// named returns the place of the rule with that name, or -1.
func named(rules []Rule, name string) int {
	return slices.IndexFunc(rules, func(r Rule) bool { return r.Name == name })
}

// define replaces the definition and keeps what rollouts own.
func (r *record) define(f *Flag) error {
	if f == nil {
		return fmt.Errorf("change %q has no flag", Define)
	}
	next, owned := *f, r.Environments
	next.Key = r.Key
	next.Environments = make(map[string]Environment, len(f.Environments))
	for name, e := range f.Environments {
		next.Environments[name] = e.keeping(owned[name])
	}
	r.Flag = next
	return nil
}
