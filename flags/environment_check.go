package flags

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// checkEnvironmentDoc returns the document as it is to be recorded, and its
// faults on its own, against segments, and against the flags that live there.
func (s *State) checkEnvironmentDoc(c EnvironmentCommand) (*EnvironmentDoc, event.Invalids) {
	var faults event.Invalids
	if c.Environment == nil {
		s.checkGone(&faults, c.Key)
		return nil, faults
	}
	doc := c.Environment.normal()
	if doc.Key != c.Key {
		faults.Add("key", doc.Key, "is not the environment that is being written, "+c.Key, "")
	}
	if found, ok := doc.Validate().(event.Invalids); ok {
		faults = append(faults, found...)
	}
	for i, rule := range doc.Rules {
		path := fmt.Sprintf("rules[%d]", i)
		s.checkSegments(&faults, path+".when", rule.When)
		s.checkServes(&faults, path, doc.Key, rule)
	}
	s.checkLayers(&faults, doc)
	s.checkFlagsWidened(&faults, doc)
	return &doc, faults
}

// normal returns the document with its defaults filled in.
func (e *EnvironmentDoc) normal() EnvironmentDoc {
	n := *e
	n.Layers = slices.Clone(e.Layers)
	for i := range n.Layers {
		n.Layers[i].Unit = n.Layers[i].unit()
	}
	return n
}

// living returns the flags that define the environment and are not archived,
// by key.
func (s *State) living(environment string) []*record {
	var out []*record
	for _, key := range s.Keys() {
		r := s.flags[key]
		if _, ok := r.Environments[environment]; ok && !r.Archived {
			out = append(out, r)
		}
	}
	return out
}

// checkGone refuses to take the document of an environment away while
// something stands on it.
func (s *State) checkGone(faults *event.Invalids, key string) {
	if doc, given := givenAs(key); given {
		s.checkLayers(faults, doc)
		s.checkFlagsWidened(faults, doc)
		return
	}
	var names []string
	for _, name := range s.Keys() {
		if _, ok := s.flags[name].Environments[key]; ok {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		faults.Add("key", key, "is an environment of "+firstOf(names), "take it out of those first")
	}
}

// firstOf names the first few.
func firstOf(names []string) string {
	const few = 3
	if len(names) > few {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
	}
	return strings.Join(names, ", ")
}

// checkServes asks that every flag which inherits the rule has the variant that
// it serves.
func (s *State) checkServes(faults *event.Invalids, path, environment string, rule InheritedRule) {
	var lacking []string
	for _, r := range s.living(environment) {
		if _, ok := r.Variants[rule.Serve]; !ok && len(EnvironmentDoc{Rules: []InheritedRule{rule}}.InheritedBy(r.Tags)) > 0 {
			lacking = append(lacking, r.Key)
		}
	}
	if len(lacking) > 0 && rule.Serve != "" {
		faults.Add(path+".serve", rule.Serve, "is not a variant of "+firstOf(lacking)+", which would inherit the rule", "add the variant there, or name another tag")
	}
}
