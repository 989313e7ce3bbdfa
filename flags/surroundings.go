package flags

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// checkSurroundings checks a definition against what flags share: the
// environments there are and the rules inherited from them, segments and
// policies.
func (s *State) checkSurroundings(faults *event.Invalids, r *record, f *Flag) {
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		path := "environments." + name
		doc, ok := s.Environment(name)
		if !ok {
			*faults = append(*faults, s.NoEnvironment(path, name))
			continue
		}
		for i, rule := range f.Environments[name].Rules {
			s.checkSegments(faults, fmt.Sprintf("%s.rules[%d].when", path, i), rule.When)
		}
		f.checkInherits(faults, doc)
	}
	s.checkPolicies(faults, r, f)
}

// checkSegments refuses a condition that names a segment which does not exist.
func (s *State) checkSegments(faults *event.Invalids, path string, c *Condition) {
	if c == nil {
		return
	}
	c.segments(path, func(path, key string) {
		if _, ok := s.Segment(key); !ok && event.CheckKey(key) == "" {
			faults.Add(path, key, "is not a segment", "define it first")
		}
	})
}

// checkInherits refuses a tag whose rules serve a variant that the flag does
// not have.
func (f *Flag) checkInherits(faults *event.Invalids, doc RecordedEnvironment) {
	for _, rule := range doc.InheritedBy(f.Tags) {
		if _, ok := f.Variants[rule.Serve]; ok {
			continue
		}
		i := slices.IndexFunc(f.Tags, func(tag string) bool { return slices.Contains(rule.Tags, tag) })
		faults.Add(fmt.Sprintf("tags[%d]", i), f.Tags[i], fmt.Sprintf("brings the rule %s of %s, which serves %s: not a variant of the flag", rule.Name, doc.Key, rule.Serve),
			"add the variant, or take the tag away")
	}
}

// checkPolicies holds a definition to what policies ask of it. A key is asked
// to have a pattern while it can still be chosen.
func (s *State) checkPolicies(faults *event.Invalids, r *record, f *Flag) {
	asked := map[string]bool{}
	for _, d := range s.demands(f) {
		pattern, err := wholeKey(d.KeyPattern)
		if err == nil && d.KeyPattern != "" && r.Revision == 0 && !pattern.MatchString(f.Key) && !asked[d.KeyPattern] {
			asked[d.KeyPattern] = true
			faults.Add("key", f.Key, "does not have the pattern that a policy asks for", "write one that matches "+d.KeyPattern)
		}
		dated := f.Dates != nil && f.Dates.On != "" && f.Dates.Off != ""
		if d.requires(RequireDates) && !dated && !asked["dates"] {
			asked["dates"] = true
			faults.Add("dates", nil, "is missing, and a policy asks for it", "write on and off: when the flag is meant to be on")
		}
	}
}

// checkWhy asks a person for a comment where a policy does.
func (s *State) checkWhy(faults *event.Invalids, f *Flag, c Command) {
	if c.Cause != "" || strings.TrimSpace(c.Comment) != "" {
		return
	}
	demands := s.demands(f)
	for _, change := range c.Changes {
		if change.Flag != nil {
			demands = append(demands, s.demands(change.Flag)...)
		}
	}
	if slices.ContainsFunc(demands, func(d Demands) bool { return d.requires(RequireWhy) }) {
		faults.Add("comment", nil, "is missing, and a policy asks for it", "say why")
	}
}

// checkRestore checks that a flag can come back into what has become of its
// surroundings.
func (s *State) checkRestore(r *record) event.Invalids {
	var faults event.Invalids
	s.checkSurroundings(&faults, r, &r.Flag)
	s.checkOthers(&faults, &r.Flag)
	return faults
}

// pinned returns an allocation with the revisions of the segments that its
// audience asks for: those of its epoch, or the present ones when that begins.
func (s *State) pinned(r *record, a Allocation) Allocation {
	if a.Segments != nil {
		return a
	}
	last, ok := r.Rollouts[a.Rollout]
	a.Audience.eachSegment(func(key string) {
		doc, found := s.Segment(key)
		revision := doc.Revision
		if ok && last.Epoch == a.Epoch {
			revision, found = last.Segments[key], last.Segments[key] > 0
		}
		if !found {
			return
		}
		if a.Segments == nil {
			a.Segments = map[string]uint64{}
		}
		a.Segments[key] = revision
	})
	return a
}

// checkPinned checks the segments of an allocation, and its slice.
func (s *State) checkPinned(environment, key string, a Allocation) event.Invalids {
	var faults event.Invalids
	asked := map[string]bool{}
	if a.Audience != nil {
		a.Audience.segments("audience", func(path, segment string) {
			asked[segment] = true
			if _, ok := s.SegmentAt(segment, a.Segments[segment]); !ok {
				faults.Add(path, segment, "is not a segment", "define it first")
			}
		})
	}
	for _, segment := range slices.Sorted(maps.Keys(a.Segments)) {
		if !asked[segment] {
			faults.Add("segments."+segment, a.Segments[segment], "is not asked for by the audience", "leave it out")
		}
	}
	return append(faults, s.checkSlice(environment, key, a)...)
}
