package flags

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// EnvironmentDoc is the document of an environment: what all flags have there.
// Development, staging and production exist without one.
type EnvironmentDoc struct {
	Key         string          `json:"key" yaml:"key"`                                     // letters, digits, '-', '_'
	Description string          `json:"description,omitempty" yaml:"description,omitempty"` // for people
	Order       int             `json:"order,omitempty" yaml:"order,omitempty"`             // place in lists, from 1; 0: that of its name, else behind all others
	Rules       []InheritedRule `json:"rules,omitempty" yaml:"rules,omitempty"`             // behind the own rules of a flag; the first that matches decides
	Layers      []Layer         `json:"layers,omitempty" yaml:"layers,omitempty"`           // experiments that share no unit

	Events EnvironmentEvents `json:"events,omitzero" yaml:"events,omitempty"` // what is kept of those that are sent
}

// InheritedRule is a rule of every flag that has one of its tags.
type InheritedRule struct {
	Tags  []string   `json:"tags" yaml:"tags"`
	Name  string     `json:"name" yaml:"name"`                     // unique among the environment's
	When  *Condition `json:"when,omitempty" yaml:"when,omitempty"` // nil: everybody
	Serve string     `json:"serve" yaml:"serve"`                   // a variant that every flag with one of the tags has
}

// Layer divides units between experiments, so that each unit is in at most one
// of them, and the holdout in none.
type Layer struct {
	Name    string        `json:"name" yaml:"name"`
	Unit    string        `json:"unit,omitempty" yaml:"unit,omitempty"`      // kind; empty: user
	Holdout event.Percent `json:"holdout,omitzero" yaml:"holdout,omitempty"` // who stays out of every experiment of the layer
}

// RecordedEnvironment is an environment as it is. Its Revision is 0 while
// nobody has written a document for it.
type RecordedEnvironment struct {
	EnvironmentDoc
	Stamp
}

// given returns the environments that exist without a document.
func given() []EnvironmentDoc {
	return []EnvironmentDoc{{Key: "development", Order: 1}, {Key: "staging", Order: 2}, {Key: "production", Order: 3}}
}

// givenAs returns the environment of that name that exists without a document.
func givenAs(name string) (EnvironmentDoc, bool) {
	all := given()
	i := slices.IndexFunc(all, func(g EnvironmentDoc) bool { return g.Key == name })
	if i < 0 {
		return EnvironmentDoc{}, false
	}
	return all[i], true
}

// order returns the place of an environment in lists.
func (e EnvironmentDoc) order() int {
	g, ok := givenAs(e.Key)
	switch {
	case e.Order != 0:
		return e.Order
	case ok:
		return g.Order
	}
	return math.MaxInt
}

// Environments returns the names of all environments, in order.
func (s *State) Environments() []string {
	all := s.EnvironmentDocs()
	names := make([]string, len(all))
	for i, e := range all {
		names[i] = e.Key
	}
	return names
}

// EnvironmentDocs returns all environments, in order.
func (s *State) EnvironmentDocs() []RecordedEnvironment {
	var all []RecordedEnvironment
	for _, g := range given() {
		e, _ := s.Environment(g.Key)
		all = append(all, e)
	}
	for key, e := range s.shared.Environments {
		if _, ok := givenAs(key); !ok && !e.Deleted {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b RecordedEnvironment) int {
		return cmp.Or(cmp.Compare(a.order(), b.order()), cmp.Compare(a.Key, b.Key))
	})
	return all
}

// Environment returns one environment, false when there is none of that name.
func (s *State) Environment(name string) (RecordedEnvironment, bool) {
	e, ok := s.shared.Environments[name]
	if ok && !e.Deleted {
		return e, true
	}
	g, ok := givenAs(name)
	if !ok {
		return RecordedEnvironment{}, false
	}
	e.EnvironmentDoc, e.Deleted = g, false
	return e, true
}

// NoEnvironment says that there is no environment of that name.
func (s *State) NoEnvironment(path, name string) event.Invalid {
	return event.Invalid{
		Path: path, Value: name, Why: missing(name, "is not an environment"),
		Fix: "write one of " + strings.Join(s.Environments(), ", ") + ", or declare it with a document of kind Environment",
	}
}

// InheritedBy returns the rules that a flag with these tags inherits.
func (e EnvironmentDoc) InheritedBy(tags []string) []InheritedRule {
	var out []InheritedRule
	for _, r := range e.Rules {
		if slices.ContainsFunc(r.Tags, func(tag string) bool { return slices.Contains(tags, tag) }) {
			out = append(out, r)
		}
	}
	return out
}

// rule returns the inherited rule as one of a flag.
func (r InheritedRule) rule() Rule { return Rule{Name: r.Name, When: r.When, Serve: r.Serve} }

// Validate returns every fault of the document as event.Invalids, or nil.
func (e *EnvironmentDoc) Validate() error {
	var faults event.Invalids
	switch why := event.CheckKey(e.Key); {
	case why != "":
		faults.Add("key", e.Key, why, "write one such as production")
	case strings.Contains(e.Key, "."):
		faults.Add("key", e.Key, "has a dot", "write one such as production-eu")
	}
	if e.Order < 0 {
		faults.Add("order", e.Order, "is not a number from 1", "")
	}
	faults.Under("events", e.Events.check())
	for i, r := range e.Rules {
		path := fmt.Sprintf("rules[%d]", i)
		faults.Under(path, r.check())
		if slices.ContainsFunc(e.Rules[:i], func(o InheritedRule) bool { return o.Name == r.Name }) {
			faults.Add(path+".name", r.Name, "is the name of an earlier rule", "rename one of the two")
		}
	}
	for i, l := range e.Layers {
		path := fmt.Sprintf("layers[%d]", i)
		faults.Under(path, l.check())
		if slices.ContainsFunc(e.Layers[:i], func(o Layer) bool { return o.Name == l.Name }) {
			faults.Add(path+".name", l.Name, "is the name of an earlier layer", "rename one of the two")
		}
	}
	return faults.Err()
}

func (r InheritedRule) check() event.Invalids {
	var faults event.Invalids
	checkKey(&faults, "name", r.Name)
	if len(r.Tags) == 0 {
		faults.Add("tags", nil, "is missing", "name the tags of the flags that inherit the rule")
	}
	checkTags(&faults, r.Tags)
	if r.When != nil {
		_, found := r.When.compile(nil)
		faults.Under("when", found)
	}
	if r.Serve == "" {
		faults.Add("serve", nil, "is missing", "name a variant that every flag with one of the tags has")
	}
	return faults
}
