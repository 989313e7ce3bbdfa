package flags

import (
	"cmp"
	"slices"
)

// RulesetSince returns what a holder of an environment's ruleset as it was at a
// revision lacks: the flags and segments that changed after it, the segments
// that those flags or changed rules ask for, which it may not have needed
// before, and all inherited rules. What else it holds stays. It copies nothing
// that stays, so that a change costs little however many flags there are.
func (s *State) RulesetSince(environment string, revision uint64) Ruleset {
	src := s.sources(environment)
	r := Ruleset{Environment: environment, Revision: src.changed, Rules: src.rules, Flags: []Recorded{}}
	for _, f := range s.flags {
		r.Revision = max(r.Revision, f.Revision)
		if f.Revision > revision {
			r.Flags = append(r.Flags, f.only(environment))
		}
	}
	slices.SortFunc(r.Flags, func(a, b Recorded) int { return cmp.Compare(a.Key, b.Key) })
	for _, p := range s.lacking(src, r.Flags, revision) {
		if doc := src.at(p); doc != nil {
			r.Segments = append(r.Segments, *doc)
			r.Revision = max(r.Revision, doc.Revision)
		}
	}
	return r
}

// lacking returns the revisions of segments that go with changed flags. Only
// when a segment or the environment itself has changed, which is seldom, all
// flags are asked what they use.
func (s *State) lacking(src sources, changed []Recorded, revision uint64) []pin {
	if src.changed > revision {
		return src.pins()
	}
	var out []pin
	for i := range changed {
		out = append(out, src.pinsOf(&changed[i], src.inherited(&changed[i]))...)
	}
	for _, list := range s.shared.Segments {
		if list.last().Revision > revision {
			out = append(out, slices.DeleteFunc(src.pins(), func(p pin) bool { return p.revision <= revision })...)
			break
		}
	}
	slices.SortFunc(out, comparePins)
	return slices.Compact(out)
}

// only returns the flag with one environment alone, if it has it.
func (r *record) only(environment string) Recorded {
	f := r.Recorded
	f.Environments = nil
	if e, ok := r.Environments[environment]; ok {
		f.Environments = map[string]Environment{environment: e}
	}
	return f
}
