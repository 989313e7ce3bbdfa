package flags

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// What senders of events that know nothing of revisions leave to be found out:
// what was in force when something happened, and for whom.

// RevisionAt returns the revision from which on the flag had the allocation that
// was in force in an environment at a time; 0 when it had none yet, which is what
// AllocationAt says of that revision, too.
func (s *State) RevisionAt(environment, key string, at time.Time) uint64 {
	r, ok := s.flags[key]
	if !ok {
		return 0
	}
	for _, t := range slices.Backward(r.Tenures[environment]) {
		if !s.since[t.From].After(at) {
			return t.From
		}
	}
	return 0
}

// Given returns the variant that the allocation gives a unit, "" when it enrols
// the unit for none. An audience is taken as met: who is in it depends on more
// than the unit.
func (a Allocation) Given(unit string) string {
	switch {
	case unit == "":
		return ""
	case a.Slice != nil && !compileSlice(a.Slice).has(unit):
		return ""
	case prefixOf(a.Salt+enrolSalt).bucket(unit) >= a.Coverage:
		return ""
	}
	below, bucket := 0, prefixOf(a.Salt+armSalt).bucket(unit)
	for _, arm := range a.Arms {
		if below += arm.Weight; bucket < below {
			return arm.Variant
		}
	}
	return ""
}

// UnitKinds returns the kinds of units that flags are or were about, sorted.
func (s *State) UnitKinds() []string { return slices.Sorted(maps.Keys(s.kinds)) }

// kinds are kinds of units. It follows from the flags and is kept because many
// requests ask for it.
type kinds map[string]bool

func (k kinds) add(r *record) { k[cmp.Or(r.Unit, DefaultUnit)] = true }

// kindsOf makes the set of flags that were not applied one by one.
func kindsOf(all map[string]*record) kinds {
	k := kinds{}
	for _, r := range all {
		k.add(r)
	}
	return k
}

// since says when what is in force in some environment began: the revision ->
// the time of its event. It is no part of the state that replicas compare, whose
// snapshots may be older than it; of what they do not say, it was long ago.
type since map[uint64]time.Time

func (s since) add(r *record) {
	for _, list := range r.Tenures {
		if n := len(list); n > 0 && list[n-1].From == r.Revision {
			s[r.Revision] = r.Changed
		}
	}
}
