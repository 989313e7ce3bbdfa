package ingest

import (
	"maps"
	"slices"
)

// Attributes says which attributes of events an environment keeps. The zero
// value keeps all.
type Attributes struct {
	Only    []string // that are kept; nil: all but the private ones; empty: none
	Private []string // that are kept nowhere
}

// Privacy tells what environments keep.
type Privacy interface {
	Kept(environment string) Attributes
}

// Keeps reports whether an attribute is kept.
func (a Attributes) Keeps(name string) bool {
	return (a.Only == nil || slices.Contains(a.Only, name)) && !slices.Contains(a.Private, name)
}

// strip takes what is not kept out of m, and notes its names in dropped.
func (a Attributes) strip(m map[string]string, dropped map[string]bool) map[string]bool {
	if a.Only == nil && a.Private == nil {
		return dropped
	}
	maps.DeleteFunc(m, func(name, _ string) bool {
		if a.Keeps(name) {
			return false
		}
		if dropped == nil {
			dropped = map[string]bool{}
		}
		if len(dropped) < mostNamed {
			dropped[name] = true
		}
		return true
	})
	return dropped
}

// mostNamed bounds the names in a receipt: they are for whoever looks, and the
// rest is like them.
const mostNamed = 10

// named returns the attributes that are named as those to keep. What nobody meant
// to send as an attribute of a unit is kept for no other reason.
func (a Attributes) named(m map[string]string) (kept map[string]string) {
	for _, name := range a.Only {
		if text, ok := m[name]; ok && a.Keeps(name) {
			if kept == nil {
				kept = map[string]string{}
			}
			kept[name] = text
		}
	}
	return kept
}
