package flags

import (
	"cmp"
	"iter"
	"maps"
	"slices"
)

// sources are what a set is compiled from, be it a state or a ruleset.
type sources struct {
	environment string
	flags       iter.Seq2[string, *Recorded]
	rules       []InheritedRule
	changed     uint64                            // revision of rules
	segmented   uint64                            // of the newest segment
	at          func(pin) *RecordedSegment        // nil: there is none
	now         func(key string) *RecordedSegment // the present revision, nil: there is none
}

// pin is one revision of a segment.
type pin struct {
	key      string
	revision uint64
}

// pins returns the revisions of segments that any flag asks for, sorted.
func (src sources) pins() []pin {
	found := map[pin]bool{}
	for _, f := range src.flags {
		src.eachPin(f, src.inherited(f), func(p pin) { found[p] = true })
	}
	return slices.SortedFunc(maps.Keys(found), comparePins)
}

// pinsOf returns the revisions of segments that one flag asks for, sorted: in
// its rules the present ones, in its allocation those of its epoch.
func (src sources) pinsOf(f *Recorded, inherited []InheritedRule) []pin {
	var out []pin
	src.eachPin(f, inherited, func(p pin) { out = append(out, p) })
	slices.SortFunc(out, comparePins)
	return slices.Compact(out)
}

// eachPin visits them in any order, some of them twice.
func (src sources) eachPin(f *Recorded, inherited []InheritedRule, visit func(pin)) {
	now := func(key string) {
		if doc := src.now(key); doc != nil {
			visit(pin{key, doc.Revision})
		}
	}
	e := f.Environments[src.environment]
	for _, list := range [][]Rule{e.Rules, e.Served} {
		for i := range list {
			list[i].When.eachSegment(now)
		}
	}
	for i := range inherited {
		inherited[i].When.eachSegment(now)
	}
	if e.Allocation != nil {
		for key, revision := range e.Allocation.Segments {
			visit(pin{key, revision})
		}
	}
}

func comparePins(a, b pin) int {
	return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.revision, b.revision))
}

// inherited returns the rules that the flag inherits where it is defined.
func (src sources) inherited(f *Recorded) []InheritedRule {
	if _, ok := f.Environments[src.environment]; !ok || len(src.rules) == 0 {
		return nil
	}
	return EnvironmentDoc{Rules: src.rules}.InheritedBy(f.Tags)
}

// Segments returns the keys of the segments that the condition names, sorted.
func (c *Condition) Segments() []string {
	var out []string
	c.eachSegment(func(key string) { out = append(out, key) })
	slices.Sort(out)
	return slices.Compact(out)
}

// eachSegment visits every segment that the condition names.
func (c *Condition) eachSegment(visit func(key string)) {
	if c == nil {
		return
	}
	for _, list := range [][]Condition{c.All, c.Any, c.None} {
		for i := range list {
			list[i].eachSegment(visit)
		}
	}
	if c.Op == InSegment || c.Op == NotInSegment {
		for _, key := range c.segmentKeys() {
			visit(key)
		}
	}
}
