package flags

import (
	"maps"
	"slices"
)

// moves says whether a change of a segment can make units members, and whether
// it can make members leave.
type moves struct{ in, out bool }

func (m moves) and(o moves) moves { return moves{m.in || o.in, m.out || o.out} }

// moves compares who is a member of two revisions of a segment.
func (s Segment) moves(o Segment) moves {
	if s.Unit != o.Unit || !same(s.When, o.When) {
		return moves{true, true}
	}
	excluded := s.Excluded.moves(o.Excluded)
	return s.Included.moves(o.Included).and(moves{in: excluded.out, out: excluded.in})
}

// moves compares who is in two lists. Nobody looks into a bulk: another one
// could have anybody.
func (l UnitList) moves(o UnitList) moves {
	if !same(l.Bulk, o.Bulk) {
		return moves{true, true}
	}
	return moves{
		in:  len(lacking(o.Units, l.Units))+len(lacking(l.Without, o.Without)) > 0,
		out: len(lacking(l.Units, o.Units))+len(lacking(o.Without, l.Without)) > 0,
	}
}

// moved says whether a change of a segment can make more units meet a
// condition, and whether it can make fewer.
func (c *Condition) moved(segment string, m moves) moves {
	if c == nil {
		return moves{}
	}
	var out moves
	for _, list := range [][]Condition{c.All, c.Any} {
		for i := range list {
			out = out.and(list[i].moved(segment, m))
		}
	}
	for i := range c.None {
		inner := c.None[i].moved(segment, m)
		out = out.and(moves{in: inner.out, out: inner.in})
	}
	if c.Op == InSegment && slices.Contains(c.segmentKeys(), segment) {
		out = out.and(m)
	}
	if c.Op == NotInSegment && slices.Contains(c.segmentKeys(), segment) {
		out = out.and(moves{in: m.out, out: m.in})
	}
	return out
}

// widenedBy returns the rollouts whose comparison a change of a segment would
// widen.
func (s *State) widenedBy(segment string, m moves) []string {
	found := map[string]bool{}
	for _, r := range s.flags {
		if r.Archived {
			continue
		}
		for name, e := range r.Environments {
			if e.Allocation == nil {
				continue // as nearly all
			}
			if c, ok := r.compared(name); ok {
				doc, _ := s.Environment(name)
				found[c.rollout] = found[c.rollout] || c.widenedBy(&r.Flag, rulesOf(e, doc.InheritedBy(r.Tags)), segment, m)
			}
		}
	}
	maps.DeleteFunc(found, func(_ string, widened bool) bool { return !widened })
	return slices.Sorted(maps.Keys(found))
}

// widenedBy reports whether more units meet a rule that gives what is compared,
// or fewer one before it that kept them from it.
func (c comparison) widenedBy(f *Flag, rules []Rule, segment string, m moves) bool {
	freed := false
	for _, r := range rules {
		moved, gives := r.When.moved(segment, m), c.some(f, r)
		if gives && (freed || moved.in) {
			return true
		}
		freed = freed || moved.out && !c.all(f, r)
	}
	return false
}
