package flags

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// comparison is what a rollout compares in one environment of a flag. Whoever
// else got the variant that it releases would get it past the gate, and leave
// the comparison.
type comparison struct {
	rollout  string // empty: it has served an audience, and compares nothing yet
	audience string // that it serves, where there is no rollout
	released string
	value    json.RawMessage // of that variant: another one of the same value releases it too
}

const waitForRollout = "wait until it has ended, or roll it back first"

// compared returns the comparison of an environment, false when there is none,
// it was rolled back, or most units have the variant by the rollout's own
// decision. A flag that is disabled still has one: it can be enabled again.
func (r *record) compared(environment string) (comparison, bool) {
	e := r.Environments[environment]
	var c comparison
	switch a := e.Allocation; {
	case e.Forced != nil:
		return c, false
	case a == nil && len(e.Served) > 0:
		c.audience, c.released = e.Served[0].Name, e.Served[0].Serve
	case a != nil && a.Shadow != "":
		c.rollout, c.released = a.Rollout, a.Shadow
	case a == nil || a.Ramp || len(a.Arms) == 0 || a.Arms[0].Weight > Whole/2:
		return c, false
	default:
		c.rollout, c.released = a.Rollout, a.Arms[0].Variant
	}
	c.value = r.Variants[c.released]
	return c, true
}

// why says what is wrong with handing the variant out.
func (c comparison) why() string {
	if c.rollout == "" {
		return "gives more units what a rollout has for its audience " + c.audience + " alone"
	}
	return "gives more units what rollout " + c.rollout + " compares"
}

// releases reports whether a variant gives units what the rollout does.
func (c comparison) releases(f *Flag, variant string) bool {
	return variant == c.released || c.value != nil && bytes.Equal(f.Variants[variant], c.value)
}

// some reports whether a rule gives any unit what is compared, and all whether
// it gives every unit that.
func (c comparison) some(f *Flag, r Rule) bool {
	return slices.ContainsFunc(r.variants(), func(v string) bool { return c.releases(f, v) })
}

func (c comparison) all(f *Flag, r Rule) bool {
	return !slices.ContainsFunc(r.variants(), func(v string) bool { return !c.releases(f, v) })
}

// rulesOf returns all rules of an environment, in the order in which they are
// asked.
func rulesOf(e Environment, inherited []InheritedRule) []Rule {
	out := slices.Clone(e.Rules)
	for _, r := range inherited {
		out = append(out, r.rule())
	}
	return append(out, e.Served...)
}

// wider returns the places of the rules that give more units what is compared
// than was did: new and altered ones, and those that a rule no longer stands
// before which kept units from them.
func (c comparison) wider(f *Flag, was, is []Rule) []int {
	var out []int
	for i, r := range is {
		if !c.some(f, r) {
			continue
		}
		at := slices.IndexFunc(was, func(o Rule) bool { return same(o, r) })
		if at < 0 || c.passed(f, was[:at], is[:i]) {
			out = append(out, i)
		}
	}
	return out
}

// passed reports whether a rule that gave units something else is not where it
// was.
func (c comparison) passed(f *Flag, was, is []Rule) bool {
	return slices.ContainsFunc(was, func(o Rule) bool {
		return !c.all(f, o) && !slices.ContainsFunc(is, func(r Rule) bool { return same(o, r) })
	})
}

// checkWidened refuses a definition that gives more units what a rollout
// compares.
func (s *State) checkWidened(faults *event.Invalids, r *record, f *Flag) {
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		c, ok := r.compared(name)
		if !ok {
			continue
		}
		w := widening{comparison: c, faults: faults, old: &r.Flag, next: f, path: "environments." + name}
		w.flag()
		w.asked(r.Environments[name], f.Environments[name])
		doc, _ := s.Environment(name)
		w.rules(r.Environments[name], f.Environments[name].keeping(r.Environments[name]), doc)
	}
}

// widening collects how a definition would widen a comparison.
type widening struct {
	comparison
	faults    *event.Invalids
	old, next *Flag
	path      string // of the environment
}

func (w widening) add(path string, value any) {
	w.faults.Add(path, value, w.why(), waitForRollout)
}

// flag looks at what all environments share. The safe variant is what a
// rollback gives, and units whose prerequisites are not met.
func (w widening) flag() {
	if w.releases(w.next, w.next.Default) && !w.releases(w.old, w.old.Default) {
		w.add("default", w.next.Default)
	}
	if w.releases(w.next, w.next.Safe) && !w.releases(w.old, w.old.Safe) {
		w.add("safe", w.next.Safe)
	}
	for _, name := range slices.Sorted(maps.Keys(w.next.Variants)) {
		if _, ok := w.old.Variants[name]; ok && w.releases(w.next, name) && !w.releases(w.old, name) {
			w.add("variants."+name, string(w.next.Variants[name]))
		}
	}
}

// asked looks at what is asked before the rules are.
func (w widening) asked(old, e Environment) {
	for _, p := range old.Prerequisites {
		if !slices.Contains(e.Prerequisites, p) {
			w.add(w.path+".prerequisites", p.Flag)
		}
	}
	had := variantOfUnits(old.Targets)
	for i, t := range e.Targets {
		if !w.releases(w.next, t.Variant) {
			continue
		}
		added := func(id string) bool { v, ok := had[id]; return !ok || !w.releases(w.old, v) }
		if slices.ContainsFunc(t.Units, added) {
			w.add(fmt.Sprintf("%s.targets[%d]", w.path, i), t.Variant)
		}
	}
}

// freed looks at units that a target kept from the variant, and that no target
// speaks of any more: rules would give it to them.
func (w widening) freed(old, e Environment, rules []Rule) {
	if !slices.ContainsFunc(rules, func(r Rule) bool { return w.some(w.next, r) }) {
		return
	}
	has := variantOfUnits(e.Targets)
	for id, v := range variantOfUnits(old.Targets) {
		if _, ok := has[id]; !ok && !w.releases(w.old, v) {
			w.add(w.path+".targets", nil)
			return
		}
	}
}

// variantOfUnits returns the variant that each unit is targeted with.
func variantOfUnits(targets []Target) map[string]string {
	out := map[string]string{}
	for _, t := range targets {
		for _, id := range t.Units {
			out[id] = t.Variant
		}
	}
	return out
}

// rules looks at the rules, whose order counts.
func (w widening) rules(old, e Environment, doc RecordedEnvironment) {
	inherited := doc.InheritedBy(w.next.Tags)
	is := rulesOf(e, inherited)
	w.freed(old, e, is)
	for _, i := range w.wider(w.next, rulesOf(old, doc.InheritedBy(w.old.Tags)), is) {
		switch {
		case i < len(e.Rules):
			w.add(fmt.Sprintf("%s.rules[%d]", w.path, i), w.released)
		case i < len(e.Rules)+len(inherited):
			w.faults.Add("tags", is[i].Name, "is a rule that a tag brings, and "+w.why(), waitForRollout)
		default:
			w.add(w.path+".rules", is[i].Name)
		}
	}
}

// checkFlagsWidened refuses rules of an environment that give more units what a
// rollout compares.
func (s *State) checkFlagsWidened(faults *event.Invalids, doc EnvironmentDoc) {
	old, _ := s.Environment(doc.Key)
	for _, r := range s.living(doc.Key) {
		c, ok := r.compared(doc.Key)
		if !ok {
			continue
		}
		e := r.Environments[doc.Key]
		is := rulesOf(e, doc.InheritedBy(r.Tags))
		for _, i := range c.wider(&r.Flag, rulesOf(e, old.InheritedBy(r.Tags)), is) {
			path, at := "rules", slices.IndexFunc(doc.Rules, func(o InheritedRule) bool { return same(o.rule(), is[i]) })
			if at >= 0 {
				path = fmt.Sprintf("rules[%d].serve", at)
			}
			faults.Add(path, c.released, c.why(), waitForRollout)
		}
	}
}
