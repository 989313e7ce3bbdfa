package flags

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// Count is how often a set gave one answer. Bulk answers are counted apart: a
// client that fetches all flags may read none of them, so Listed proves no
// use, and Asked does.
type Count struct {
	Flag    string `json:"flag"`
	Variant string `json:"variant"`
	Reason  Reason `json:"reason"`
	Asked   uint64 `json:"asked,omitempty"`  // evaluations of this flag alone
	Listed  uint64 `json:"listed,omitempty"` // bulk answers that it was part of
}

// Answer is Evaluate, counted: for doors that answer somebody.
func (t *Set) Answer(key string, c *Context) Result {
	f, ok := t.flags[key]
	if !ok {
		return t.Evaluate(key, c)
	}
	o, _ := f.choose(t, c)
	o.tally.asked.Add(1)
	r := o.result
	r.UnitID = c.unitID(f.unit)
	return r
}

// Drain returns what was answered since the last Drain, by flag, variant and
// reason, and begins again at zero. Sets that follow each other by Recompile
// share their counters, so that draining the newest one is enough. One
// goroutine may drain while others evaluate.
func (t *Set) Drain() []Count {
	var out []Count
	for _, key := range t.keys {
		for is, n := range t.flags[key].tallies {
			c := Count{Flag: key, Variant: is.variant, Reason: is.reason, Asked: n.asked.Swap(0), Listed: n.listed.Swap(0)}
			if c.Asked+c.Listed > 0 {
				out = append(out, c)
			}
		}
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Flag, b.Flag), cmp.Compare(a.Variant, b.Variant), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}

// tally counts one answer. All outcomes of a flag that answer alike share it,
// in all sets that follow each other.
type tally struct {
	asked, listed atomic.Uint64
}

// tallies are those of one flag. A compiled flag never changes its own: a
// goroutine may be draining it.
type tallies map[answer]*tally

type answer struct {
	variant string
	reason  Reason
}

// of returns the counter of an answer, and makes it the first time.
func (m tallies) of(variant string, reason Reason) *tally {
	is := answer{variant, reason}
	if m[is] == nil {
		m[is] = &tally{}
	}
	return m[is]
}
