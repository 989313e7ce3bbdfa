package flags

import (
	"maps"
	"slices"
)

// needed says who asks for whom: the key of a flag -> the flags, none of them
// archived, that name it as a prerequisite in any environment. It follows from
// the flags, and is kept because each definition asks for it: looking through
// ten thousand flags takes a millisecond.
type needed map[string]map[string]bool

// neededBy makes the index of flags that were not applied one by one.
func neededBy(all map[string]*record) needed {
	n := needed{}
	for _, r := range all {
		n.replace(nil, r)
	}
	return n
}

// replace puts what next asks for in the place of what old, which may be nil,
// asked for.
func (n needed) replace(old, next *record) {
	for _, key := range old.asks() {
		delete(n[key], old.Key)
		if len(n[key]) == 0 {
			delete(n, key)
		}
	}
	for _, key := range next.asks() {
		if n[key] == nil {
			n[key] = map[string]bool{}
		}
		n[key][next.Key] = true
	}
}

// asks returns the keys of the flag's prerequisites, some of them twice.
func (r *record) asks() []string {
	if r == nil || r.Archived {
		return nil
	}
	var keys []string
	for _, e := range r.Environments {
		for _, p := range e.Prerequisites {
			keys = append(keys, p.Flag)
		}
	}
	return keys
}

// Dependants returns the keys of the flags that name key as a prerequisite in
// any environment and are not archived, sorted.
func (s *State) Dependants(key string) []string {
	return slices.Sorted(maps.Keys(s.needed[key]))
}
