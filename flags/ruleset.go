package flags

// Ruleset is all that one environment needs to answer: what a Set is compiled
// from, wherever that is.
type Ruleset struct {
	Environment string            `json:"environment"`
	Revision    uint64            `json:"revision"`           // the highest of all that is in it
	Flags       []Recorded        `json:"flags"`              // by key; each with this environment alone, if it has it
	Segments    []RecordedSegment `json:"segments,omitempty"` // those in use: the present revision, and the ones that allocations pin
	Rules       []InheritedRule   `json:"rules,omitempty"`    // of the environment
}

// Ruleset returns what an environment needs to answer as it is now.
func (s *State) Ruleset(environment string) Ruleset {
	src := s.sources(environment)
	r := Ruleset{Environment: environment, Revision: src.changed, Rules: src.rules, Flags: make([]Recorded, 0, len(s.flags))}
	for _, key := range s.Keys() {
		f := s.flags[key].only(environment)
		r.Flags = append(r.Flags, f)
		r.Revision = max(r.Revision, f.Revision)
	}
	for _, p := range src.pins() {
		if doc := src.at(p); doc != nil {
			r.Segments = append(r.Segments, *doc)
			r.Revision = max(r.Revision, doc.Revision)
		}
	}
	return r
}

// Lists returns the bulks that have to be loaded before the ruleset can be
// compiled.
func (r Ruleset) Lists() []UnitBulk {
	var out []UnitBulk
	for i := range r.Segments {
		out = append(out, r.Segments[i].lists()...)
	}
	return out
}

// Lists returns the bulks that have to be loaded before the flags of any
// environment can be compiled, each once.
func (s *State) Lists() []UnitBulk {
	var out []UnitBulk
	seen := map[UnitBulk]bool{}
	for _, name := range s.Environments() {
		for _, b := range s.ListsOf(name) {
			if !seen[b] {
				seen[b] = true
				out = append(out, b)
			}
		}
	}
	return out
}

// ListsOf returns the bulks that the ruleset of an environment names.
func (s *State) ListsOf(environment string) []UnitBulk {
	if !s.shared.bulky() {
		return nil // the usual case, in which no flag has to be looked at
	}
	var out []UnitBulk
	src := s.sources(environment)
	for _, p := range src.pins() {
		if doc := src.at(p); doc != nil {
			out = append(out, doc.lists()...)
		}
	}
	return out
}

// sources returns those of an environment as it is now.
func (s *State) sources(environment string) sources {
	e, _ := s.Environment(environment)
	return sources{
		environment: environment, rules: e.Rules, changed: e.Revision, segmented: s.shared.segmented(), at: s.segmentAt, now: s.segmentNow,
		flags: func(yield func(string, *Recorded) bool) {
			for key, r := range s.flags {
				if !yield(key, &r.Recorded) {
					return
				}
			}
		},
	}
}

// sources returns what the ruleset is compiled from.
func (r Ruleset) sources() sources {
	pinned, newest := map[pin]*RecordedSegment{}, map[string]*RecordedSegment{}
	var segmented uint64
	for i := range r.Segments {
		doc := &r.Segments[i]
		segmented = max(segmented, doc.Revision)
		pinned[pin{doc.Key, doc.Revision}] = doc
		if last, ok := newest[doc.Key]; !ok || last.Revision < doc.Revision {
			newest[doc.Key] = doc
		}
	}
	return sources{
		environment: r.Environment, rules: r.Rules, changed: r.Revision, segmented: segmented,
		at:  func(p pin) *RecordedSegment { return pinned[p] },
		now: func(key string) *RecordedSegment { return newest[key] },
		flags: func(yield func(string, *Recorded) bool) {
			for i := range r.Flags {
				if !yield(r.Flags[i].Key, &r.Flags[i]) {
					return
				}
			}
		},
	}
}
