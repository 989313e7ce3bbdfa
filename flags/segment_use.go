package flags

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Use is one place that asks for a segment: a rule of a flag, a rule that
// flags inherit, or an allocation.
type Use struct {
	Environment string `json:"environment"`
	Flag        string `json:"flag,omitempty"`    // empty: a rule of the environment
	Rule        string `json:"rule,omitempty"`    // name
	Rollout     string `json:"rollout,omitempty"` // of an allocation
	Revision    uint64 `json:"revision,omitempty" doc:"an allocation's: the revision that it keeps"`
}

// String says where that is.
func (u Use) String() string {
	switch {
	case u.Rollout != "":
		return "rollout " + u.Rollout
	case u.Flag != "":
		return "rule " + u.Rule + " of flag " + u.Flag + " in " + u.Environment
	}
	return "rule " + u.Rule + " of environment " + u.Environment
}

// Uses returns every place that asks for a segment, but for archived flags.
func (s *State) Uses(segment string) []Use {
	var out []Use
	for _, doc := range s.EnvironmentDocs() {
		for _, r := range doc.Rules {
			if r.When.asks(segment) {
				out = append(out, Use{Environment: doc.Key, Rule: r.Name})
			}
		}
	}
	for key, r := range s.flags {
		if r.Archived {
			continue
		}
		for name, e := range r.Environments {
			out = append(out, e.uses(Use{Environment: name, Flag: key}, segment)...)
		}
	}
	slices.SortFunc(out, func(a, b Use) int {
		return cmp.Or(cmp.Compare(a.Flag, b.Flag), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Rollout, b.Rollout))
	})
	return out
}

// uses returns the places of one flag's environment.
func (e Environment) uses(at Use, segment string) []Use {
	var out []Use
	for _, list := range [][]Rule{e.Rules, e.Served} {
		for _, r := range list {
			if r.When.asks(segment) {
				at.Rule = r.Name
				out = append(out, at)
			}
		}
	}
	if a := e.Allocation; a != nil && a.Audience.asks(segment) {
		out = append(out, Use{Environment: at.Environment, Flag: at.Flag, Rollout: a.Rollout, Revision: a.Segments[segment]})
	}
	return out
}

// asks reports whether the condition names the segment.
func (c *Condition) asks(segment string) bool {
	found := false
	c.eachSegment(func(key string) { found = found || key == segment })
	return found
}

func listed(uses []Use) string {
	names := make([]string, len(uses))
	for i, u := range uses {
		names[i] = u.String()
	}
	return strings.Join(names, ", ")
}

// compared returns the rollout that compares units of a flag in an environment,
// and the variant that it releases; false when there is none, or most units
// have that variant by the rollout's own decision.
func (r *record) compared(environment string) (rollout, released string, ok bool) {
	a := r.inForce(environment)
	if a == nil || a.Ramp || len(a.Arms) == 0 || a.Arms[0].Weight > Whole/2 {
		return "", "", false
	}
	return a.Rollout, a.Arms[0].Variant, true
}

// widenedBy returns the rollouts whose comparison a change of the segment would
// reach: a rule that asks for it serves what they release.
func (s *State) widenedBy(segment string) []string {
	found := map[string]bool{}
	for _, r := range s.flags {
		for name, e := range r.Environments {
			rollout, released, ok := r.compared(name)
			if !ok {
				continue
			}
			doc, _ := s.Environment(name)
			rules := slices.Concat(e.Rules, e.Served)
			for _, inherited := range doc.inherited(r.Tags) {
				rules = append(rules, inherited.rule())
			}
			if slices.ContainsFunc(rules, func(rule Rule) bool {
				return rule.When.asks(segment) && slices.Contains(rule.variants(), released)
			}) {
				found[rollout] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
