package flags

import (
	"maps"
	"slices"
)

// Set is all flags of one environment, compiled. It is immutable: any number
// of goroutines may evaluate it, without locks, I/O, a clock, or allocation on
// the heap.
type Set struct {
	environment string
	version     uint64
	segmented   uint64 // revision of the newest segment there was
	flags       map[string]*compiled
	segments    map[pin]*segment
	keys        []string // sorted
	whole       bool     // every flag can be answered
	tail        []byte   // what follows the flags in a bulk answer
}

// Compile returns the set of an environment as it is now. lists holds the bulks
// that State.Lists names.
func (s *State) Compile(environment string, lists Lists) *Set {
	return s.sources(environment).compile(&Set{}, lists)
}

// Recompile returns the set of old's environment as it is now. It compiles the
// flags that have changed since old, or that inherit rules or use segments
// which have, and shares the others with it.
func (s *State) Recompile(old *Set, lists Lists) *Set {
	return s.sources(old.environment).compile(old, lists)
}

// NewSet compiles a ruleset. A flag that the environment does not have is
// disabled there. A condition that this version does not understand is never
// met, and a flag that asks for a list which is not among lists answers with an
// error.
func NewSet(r Ruleset, lists Lists) *Set {
	return r.sources().compile(&Set{}, lists)
}

// compile makes a set, and takes from old what is still as it was.
func (src sources) compile(old *Set, lists Lists) *Set {
	t := &Set{
		environment: src.environment, version: src.changed, segmented: src.segmented, whole: true,
		flags: make(map[string]*compiled, len(old.flags)+1), segments: map[pin]*segment{},
	}
	desk := &desk{src: src, lists: lists, before: old.segments, made: map[pin]*segment{}}
	for key, r := range src.flags {
		f := old.flags[key]
		if f == nil || !f.still(src, r, old.segmented == src.segmented) {
			if f = desk.renew(r, f); f == old.flags[key] {
				t.segmented = 0 // it waits for a list: the next set looks again
			}
		}
		t.take(key, f)
	}
	t.keys = old.keys
	if len(t.flags) != len(old.flags) { // no flag ever goes
		t.keys = slices.Sorted(maps.Keys(t.flags))
	}
	t.tail = bulkTail(t.environment, t.version)
	return t
}

// take puts a compiled flag into a set that is being made.
func (t *Set) take(key string, f *compiled) {
	t.flags[key] = f
	t.whole = t.whole && !f.lacks
	t.version = max(t.version, f.revision)
	for _, s := range f.segments {
		t.segments[s.pin()] = s
		t.version = max(t.version, s.doc.Revision)
	}
}

// Environment returns the name of the environment.
func (t *Set) Environment() string { return t.environment }

// Whole reports whether every flag can be answered. One that cannot asks for a
// list of units that is not there, and never was.
func (t *Set) Whole() bool { return t.whole }

// Version returns the highest revision among the flags, 0 when there is none.
func (t *Set) Version() uint64 { return t.version }

// Keys returns the keys of all flags, sorted. Do not change it.
func (t *Set) Keys() []string { return t.keys }
