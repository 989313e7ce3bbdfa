package flags

import (
	"slices"
	"sync/atomic"
)

// compiled is one flag in one environment. Every answer it can give is made
// beforehand; evaluating only chooses between them.
type compiled struct {
	revision      uint64
	unit          string
	fixed         *outcome // archived, disabled or forced: the answer for everybody; else nil
	lacks         bool     // fixed is an error: a list is not there, and never was
	prerequisites []Prerequisite
	unmet         *outcome            // nil without prerequisites
	targets       map[string]*outcome // unit id -> answer
	rules         []rule              // Rules, the inherited ones, then Served
	guides        []guide             // of rules
	targeting     *targeting          // nil: none
	allocation    *allocation
	noUnit        *outcome // default, because there is nothing to hash; nil where nothing is hashed
	fallback      *outcome // default
	tallies       tallies

	doc       *Recorded
	inherited []InheritedRule
	changed   uint64     // revision of the environment that rules were inherited from
	segments  []*segment // in the order of their pins
}

// outcome is one answer that a flag can give.
type outcome struct {
	result Result // UnitID is filled in for each context
	tally  *tally
	wire   atomic.Pointer[wire] // nil: nobody has asked for it over OFREP
}

type rule struct {
	doc   *Rule
	from  *InheritedRule // nil: a rule of the flag
	when  *node          // nil: everybody
	serve *outcome
	split *split // when serve is nil
}

// split picks an arm by the bucket of a salted unit id.
type split struct {
	salt prefix
	hash *HashInput // of an imported split: hashed in the place of salt and unit
	arms []arm
}

type arm struct {
	below   int // the sum of the weights up to this arm
	outcome *outcome
}

type allocation struct {
	doc                              *Allocation
	audience                         *node // nil: everybody
	enrol                            prefix
	split                            split
	coverage                         int
	slice                            *slice   // nil: the whole of the units
	outsideAudience, outsideCoverage *outcome // the first is nil without an audience
	outsideSlice                     *outcome // nil without a slice
}

// slice is the part of a layer that an allocation has.
type slice struct {
	salt     prefix
	from, to int
}

func (s *slice) has(unit string) bool {
	b := s.salt.bucket(unit)
	return s.from <= b && b < s.to
}

// still reports whether compiling the flag again would give the same. segments
// says that no segment has changed since: then nobody has to look for those
// that the flag asks for.
func (f *compiled) still(src sources, r *Recorded, segments bool) bool {
	if f.revision != r.Revision {
		return false
	}
	inherited := f.inherited
	if f.changed != src.changed {
		if inherited = src.inherited(r); len(f.inherited)+len(inherited) > 0 {
			return false
		}
	}
	return len(f.segments) == 0 || f.loaded() && (segments || slices.Equal(f.pins(), src.pinsOf(r, inherited)))
}

func (f *compiled) loaded() bool {
	return !slices.ContainsFunc(f.segments, func(s *segment) bool { return s.unloaded })
}

// pins returns the revisions of segments that the flag was compiled with.
func (f *compiled) pins() []pin {
	out := make([]pin, len(f.segments))
	for i, s := range f.segments {
		out[i] = s.pin()
	}
	return out
}
