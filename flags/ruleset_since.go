package flags

import "slices"

// Since returns what a holder of the ruleset as it was at a revision lacks: the
// flags and segments that changed after it, the segments that those flags or
// any inherited rule ask for, which it may not have needed before, and all
// inherited rules. Held flags and segments stay.
func (r Ruleset) Since(revision uint64) Ruleset {
	src, asked := r.sources(), map[pin]bool{}
	out := r
	out.Flags, out.Segments = []Recorded{}, nil
	for i := range r.Flags {
		if f := &r.Flags[i]; f.Revision > revision {
			out.Flags = append(out.Flags, *f)
			for _, p := range src.pinsOf(f, r.Rules) {
				asked[p] = true
			}
		}
	}
	for _, p := range src.pinsOf(&Recorded{}, r.Rules) {
		asked[p] = true
	}
	for _, s := range r.Segments {
		if s.Revision > revision || asked[pin{s.Key, s.Revision}] {
			out.Segments = append(out.Segments, s)
		}
	}
	return out
}

// After is Since for a holder whose ruleset is known, and so sends no segment
// again.
func (r Ruleset) After(last Ruleset) Ruleset {
	held := map[pin]bool{}
	for _, s := range last.Segments {
		held[pin{s.Key, s.Revision}] = true
	}
	out := r.Since(last.Revision)
	out.Segments = slices.DeleteFunc(out.Segments, func(s RecordedSegment) bool { return held[pin{s.Key, s.Revision}] })
	return out
}
