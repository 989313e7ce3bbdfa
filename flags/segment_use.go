package flags

import (
	"cmp"
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

// Segments returns the keys of the segments that the definition's rules ask for,
// sorted.
func (f Flag) Segments() []string {
	var out []string
	for _, e := range f.Environments {
		for _, r := range e.Rules {
			if r.When != nil {
				r.When.segments("", func(_, key string) { out = append(out, key) })
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
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
