package flags

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// environment compares one environment. One that is only in b differs from an
// empty one in everything that it has.
func (d *differ) environment(name string, a, b map[string]Environment) {
	was, had := a[name]
	is, has := b[name]
	at := place{}.in("environments", "").in(name, name+": ")
	if !has {
		d.add(at, was, nil, "removed")
		return
	}
	if !had {
		d.add(at, nil, is, "added")
	}
	if was.Enabled != is.Enabled {
		d.add(at.in("enabled", at.lead), was.Enabled, is.Enabled, "%s", choose(is.Enabled, "enabled", "disabled"))
	}
	d.fields(at, was, is, "enabled", "prerequisites", "targets", "rules", "served", "allocation", "forced")
	d.prerequisites(at, was.Prerequisites, is.Prerequisites)
	d.targets(at, was.Targets, is.Targets)
	d.rules(at.in("rules", at.lead+"rule "), was.Rules, is.Rules)
	d.rules(at.in("served", at.lead+"served audience "), was.Served, is.Served)
	d.allocation(at.in("allocation", at.lead), was.Allocation, is.Allocation)
	d.forced(at.in("forced", at.lead), was.Forced, is.Forced)
}

func choose(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func (d *differ) prerequisites(at place, a, b []Prerequisite) {
	was, is := map[string]string{}, map[string]string{}
	for _, p := range a {
		was[p.Flag] = p.Variant
	}
	for _, p := range b {
		is[p.Flag] = p.Variant
	}
	for _, flag := range union(was, is) {
		old, had := was[flag]
		now, has := is[flag]
		at := at.in("prerequisites."+flag, at.lead)
		switch {
		case old == now:
		case !had:
			d.add(at, nil, now, "now needs flag %s to answer %s", flag, now)
		case !has:
			d.add(at, old, nil, "no longer needs flag %s (to answer %s)", flag, old)
		default:
			d.add(at, old, now, "now needs flag %s to answer %s (was %s)", flag, now, old)
		}
	}
}

func (d *differ) targets(at place, a, b []Target) {
	was, is := targeted(a), targeted(b)
	for _, variant := range union(was, is) {
		at := at.in("targets."+variant, at.lead)
		if gone := lacking(was[variant], is[variant]); len(gone) > 0 {
			d.add(at, gone, nil, "%s no longer targeted with %s", units(gone), variant)
		}
		if added := lacking(is[variant], was[variant]); len(added) > 0 {
			d.add(at, nil, added, "%s now targeted with %s", units(added), variant)
		}
	}
}

// targeted returns variant -> units, in the order in which they were written.
func targeted(list []Target) map[string][]string {
	m := map[string][]string{}
	for _, t := range list {
		m[t.Variant] = append(m[t.Variant], t.Units...)
	}
	return m
}

// lacking returns those of list that other has not.
func lacking(list, other []string) []string {
	has := make(map[string]bool, len(other))
	for _, s := range other {
		has[s] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return has[s] })
}

// units names a few units and counts the others: a list may hold thousands.
func units(ids []string) string {
	const few = 5
	switch {
	case len(ids) == 1:
		return "unit " + ids[0] + " is"
	case len(ids) <= few:
		return "units " + strings.Join(ids, ", ") + " are"
	}
	return fmt.Sprintf("units %s and %d more are", strings.Join(ids[:few], ", "), len(ids)-few)
}

func (d *differ) allocation(at place, a, b *Allocation) {
	switch {
	case a == nil && b == nil:
	case b == nil:
		d.add(at, *a, nil, "rollout %s no longer splits units", a.Rollout)
	case a == nil || a.Rollout != b.Rollout:
		d.add(at, valueOf(a), *b, "rollout %s splits units, stage %s: %s enrolled, %s", b.Rollout, b.Stage, share(b.Coverage), arms(b.Arms))
	default:
		d.within(at, *a, *b)
	}
}

// within compares two allocations of one rollout.
func (d *differ) within(at place, a, b Allocation) {
	if a.Coverage != b.Coverage {
		d.add(at.in("coverage", at.lead), a.Coverage, b.Coverage, "rollout %s now enrols %s (was %s)", b.Rollout, share(b.Coverage), share(a.Coverage))
	}
	if !slices.Equal(a.Arms, b.Arms) {
		d.add(at.in("arms", at.lead), a.Arms, b.Arms, "rollout %s now splits %s (was %s)", b.Rollout, arms(b.Arms), arms(a.Arms))
	}
	at.lead += "rollout " + b.Rollout + ": "
	d.fields(at, a, b, "coverage", "arms")
}

// valueOf keeps a nil pointer from becoming a value that is not nil.
func valueOf[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

func (d *differ) forced(at place, a, b *Forced) {
	switch {
	case same(a, b):
	case b == nil:
		d.add(at, *a, nil, "no longer forced to the safe variant")
	default:
		d.add(at, valueOf(a), *b, "forced to the safe variant: %s", b.Reason)
	}
}

// share writes a part of Whole as a percentage.
func share(n int) string { return strconv.FormatFloat(float64(n)/(Whole/100), 'f', -1, 64) + "%" }

func arms(list []Arm) string {
	parts := make([]string, len(list))
	for i, a := range list {
		parts[i] = share(a.Weight) + " " + a.Variant
	}
	return strings.Join(parts, ", ")
}
