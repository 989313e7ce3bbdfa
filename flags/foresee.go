package flags

import (
	"cmp"
	"fmt"
	"slices"
)

// Foreseen is what a command would come to if it were given now.
type Foreseen struct {
	Was, Is Recorded
	Needs   []Need // what policies ask for before it is carried out; none: it waits for nobody
}

// Asks says what policies ask for: "2 approvals (approver, production)"; empty:
// nothing.
func (f Foreseen) Asks() string { return sentence(f.Needs) }

// Foresee says what a command would come to, or why it is refused, as Handle
// would refuse it: but for what others have to agree to, which is no refusal
// to whoever can still ask them. It changes nothing.
func (s *State) Foresee(c Command) (Foreseen, error) {
	if _, err := s.expected(c); err != nil {
		return Foreseen{}, err
	}
	old, work := s.next(c.Key, c.At), s.next(c.Key, c.At)
	changes, err := s.plan(work, c)
	if err != nil {
		return Foreseen{}, err
	}
	if same(old.Recorded, work.Recorded) {
		return Foreseen{}, fmt.Errorf("%w: flag %s at revision %d", ErrUnchanged, c.Key, old.Revision)
	}
	return Foreseen{Was: old.Recorded, Is: work.Recorded, Needs: s.needs(old, work, changes)}, nil
}

// Excerpt returns the part of an environment's ruleset that the answers of one
// flag depend on, with the flag as it is given, which need not be as it is: the
// flags that it needs, and those that they need, and the segments that all of
// them ask for.
func (s *State) Excerpt(environment string, f Recorded) Ruleset {
	src := s.sources(environment)
	r := Ruleset{Environment: environment, Revision: src.changed, Rules: src.rules, Flags: s.upstream(environment, f)}
	src.flags = func(yield func(string, *Recorded) bool) {
		for i := range r.Flags {
			if !yield(r.Flags[i].Key, &r.Flags[i]) {
				return
			}
		}
	}
	for _, p := range src.pins() {
		if doc := src.at(p); doc != nil {
			r.Segments = append(r.Segments, *doc)
		}
	}
	return r
}

// upstream returns a flag and the flags whose answers it asks for there, by key.
func (s *State) upstream(environment string, f Recorded) []Recorded {
	out := []Recorded{(&record{Recorded: f}).only(environment)}
	known := map[string]bool{f.Key: true}
	for i := 0; i < len(out); i++ {
		for _, p := range out[i].Environments[environment].Prerequisites {
			if need, ok := s.flags[p.Flag]; ok && !known[p.Flag] {
				known[p.Flag] = true
				out = append(out, need.only(environment))
			}
		}
	}
	slices.SortFunc(out, func(a, b Recorded) int { return cmp.Compare(a.Key, b.Key) })
	return out
}
