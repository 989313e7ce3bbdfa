package flags

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Policy is the document that asks something of the changes of some flags.
type Policy struct {
	Key         string   `json:"key" yaml:"key"`
	Description string   `json:"description,omitempty" yaml:"description,omitempty"`
	Rank        int      `json:"rank,omitempty" yaml:"rank,omitempty"` // where two policies differ, the higher wins
	Match       Match    `json:"match,omitzero" yaml:"match,omitempty"`
	Flags       Demands  `json:"flags,omitzero" yaml:"flags,omitempty"`
	Rollouts    Releases `json:"rollouts,omitzero" yaml:"rollouts,omitempty"`
}

// Match says which flags a policy is about: those that every list with members
// has something of.
type Match struct {
	Environments []string  `json:"environments,omitempty" yaml:"environments,omitempty"`
	Tags         []string  `json:"tags,omitempty" yaml:"tags,omitempty"`
	Purposes     []Purpose `json:"purposes,omitempty" yaml:"purposes,omitempty"`
	Keys         []string  `json:"keys,omitempty" yaml:"keys,omitempty"` // a key, or the beginning of keys with * behind it
}

// Demands are what policies ask of flags. The zero value of each asks nothing.
type Demands struct {
	KeyPattern           string     `json:"keyPattern,omitempty" yaml:"keyPattern,omitempty"`                     // RE2, of the whole key; asked of new flags
	Require              []Required `json:"require,omitempty" yaml:"require,omitempty"`                           //
	MaxPrerequisiteDepth int        `json:"maxPrerequisiteDepth,omitempty" yaml:"maxPrerequisiteDepth,omitempty"` // of chains; 0: 1
	Approvals            *Approvals `json:"approvals,omitempty" yaml:"approvals,omitempty"`                       // nil: nobody else has to agree
}

// Required names what a change or a flag must have.
type Required string

// What can be required.
const (
	RequireWhy   Required = "why"   // a comment with every change that a person makes
	RequireDates Required = "dates" // when the flag is meant to be on, and off
)

// Approvals say who has to agree to a change before it is made.
type Approvals struct {
	Count int    `json:"count" yaml:"count"`                   // people beside the author, from 1
	Role  string `json:"role,omitempty" yaml:"role,omitempty"` // of each: approver or admin; empty: approver
}

// RecordedPolicy is a policy as the log has it.
type RecordedPolicy struct {
	Policy
	Stamp
}

// Policies returns all policies, the highest rank first.
func (s *State) Policies() []RecordedPolicy {
	var all []RecordedPolicy
	for _, p := range s.shared.Policies {
		if !p.Deleted {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b RecordedPolicy) int { return byRank(a.Policy, b.Policy) })
	return all
}

// byRank puts the highest rank first.
func byRank(a, b Policy) int {
	return cmp.Or(cmp.Compare(b.Rank, a.Rank), cmp.Compare(a.Key, b.Key))
}

// PolicyDoc returns one policy.
func (s *State) PolicyDoc(key string) (RecordedPolicy, bool) {
	p, ok := s.shared.Policies[key]
	return p, ok && !p.Deleted
}

// Policy returns what all policies together ask of a flag in an environment,
// "" for none. Requirements add up; of all else the highest rank's is asked.
func (s *State) Policy(environment string, f *Flag) Demands {
	var d Demands
	for _, p := range s.Policies() {
		if !p.Match.has(environment, f) {
			continue
		}
		d.KeyPattern = cmp.Or(d.KeyPattern, p.Flags.KeyPattern)
		d.MaxPrerequisiteDepth = cmp.Or(d.MaxPrerequisiteDepth, p.Flags.MaxPrerequisiteDepth)
		if d.Approvals == nil {
			d.Approvals = p.Flags.Approvals
		}
		for _, r := range p.Flags.Require {
			if !slices.Contains(d.Require, r) {
				d.Require = append(d.Require, r)
			}
		}
	}
	return d
}

func (m Match) has(environment string, f *Flag) bool {
	return (len(m.Environments) == 0 || slices.Contains(m.Environments, environment)) &&
		(len(m.Tags) == 0 || slices.ContainsFunc(m.Tags, func(tag string) bool { return slices.Contains(f.Tags, tag) })) &&
		(len(m.Purposes) == 0 || slices.Contains(m.Purposes, f.Purpose)) &&
		(len(m.Keys) == 0 || slices.ContainsFunc(m.Keys, func(k string) bool { return keyMatches(k, f.Key) }))
}

func keyMatches(pattern, key string) bool {
	if begin, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(key, begin)
	}
	return pattern == key
}

// Validate returns every fault of the document as event.Invalids, or nil.
func (p *Policy) Validate() error {
	var faults event.Invalids
	checkKey(&faults, "key", p.Key)
	faults.Under("match", p.Match.check())
	faults.Under("flags", p.Flags.check())
	faults.Under("rollouts", p.Rollouts.check())
	return faults.Err()
}

func (m Match) check() event.Invalids {
	var faults event.Invalids
	checkTags(&faults, m.Tags)
	for i, purpose := range m.Purposes {
		if !slices.Contains(purposes(), purpose) {
			faults.Add(fmt.Sprintf("purposes[%d]", i), purpose, "is not a purpose", aPurpose)
		}
	}
	for i, key := range m.Keys {
		if begin := strings.TrimRight(strings.TrimSuffix(key, "*"), "."); key != "*" && event.CheckKey(begin) != "" {
			faults.Add(fmt.Sprintf("keys[%d]", i), key, event.CheckKey(begin), "write a key, or the beginning of keys such as checkout.*")
		}
	}
	return faults
}

func (d Demands) check() event.Invalids {
	var faults event.Invalids
	if _, err := wholeKey(d.KeyPattern); err != nil {
		faults.Add("keyPattern", d.KeyPattern, "is not a regular expression: "+err.Error(), "write RE2 syntax, which has no look-around and no back-references")
	}
	for i, r := range d.Require {
		if r != RequireWhy && r != RequireDates {
			faults.Add(fmt.Sprintf("require[%d]", i), r, "is not something that can be required", "write why or dates")
		}
	}
	if d.MaxPrerequisiteDepth < 0 || d.MaxPrerequisiteDepth > deepest {
		faults.Add("maxPrerequisiteDepth", d.MaxPrerequisiteDepth, fmt.Sprintf("is not between 1 and %d", deepest), "")
	}
	if a := d.Approvals; a != nil {
		faults.Under("approvals", a.check())
	}
	return faults
}

func (a Approvals) check() event.Invalids {
	var faults event.Invalids
	if a.Count < 1 {
		faults.Add("count", a.Count, "is not a number from 1", "say how many people must agree")
	}
	if !slices.Contains([]string{"", "approver", "admin"}, a.Role) {
		faults.Add("role", a.Role, "is not a role that approves", "write approver or admin")
	}
	return faults
}

// wholeKey compiles a pattern that a key matches from end to end.
func wholeKey(pattern string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, err // as it was written: what is put around it could make it another
	}
	return regexp.Compile("^(?:" + pattern + ")$")
}

// requires reports whether something is asked for.
func (d Demands) requires(what Required) bool { return slices.Contains(d.Require, what) }

// depth returns how long a chain of prerequisites may be.
func (d Demands) depth() int { return cmp.Or(d.MaxPrerequisiteDepth, 1) }

// demands returns what is asked of a flag outside any environment and in each
// that it defines.
func (s *State) demands(f *Flag) []Demands {
	out := []Demands{s.Policy("", f)}
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		out = append(out, s.Policy(name, f))
	}
	return out
}
