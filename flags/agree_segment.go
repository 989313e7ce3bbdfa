package flags

import (
	"fmt"
	"slices"
)

// agreedMembers keeps a segment from being a way around the policies of the
// flags whose rules ask for it. A segment has no change requests: who changes
// its members must be somebody who could agree to such a change.
func (s *State) agreedMembers(old, work Segment, c SegmentCommand) error {
	if c.Cause != "" || old.moves(work) == (moves{}) {
		return nil
	}
	needs := slices.DeleteFunc(s.segmentNeeds(c.Key), func(n Need) bool { return c.May != nil && c.May(n) })
	if len(needs) == 0 {
		return nil
	}
	return fmt.Errorf("%w: segment %s decides who gets flags of which every change asks for %s; somebody of that role may change it", ErrRefused, c.Key, sentence(needs))
}

// segmentNeeds says what policies ask for of the changes of the flags whose
// rules ask for a segment, their own and inherited ones. An allocation keeps the
// revision that it has.
func (s *State) segmentNeeds(segment string) []Need {
	var needs []Need
	if !slices.ContainsFunc(s.Policies(), func(p RecordedPolicy) bool { return p.Flags.Approvals != nil }) {
		return nil // as mostly: no flag has to be looked at
	}
	for _, name := range s.Environments() {
		doc, _ := s.Environment(name)
		for _, r := range s.living(name) {
			asks := func(rule Rule) bool { return rule.When.asks(segment) }
			if !slices.ContainsFunc(rulesOf(r.Environments[name], doc.InheritedBy(r.Tags)), asks) {
				continue
			}
			if n, ok := s.approvals(name, &r.Flag); ok && !slices.Contains(needs, n) {
				needs = append(needs, n)
			}
		}
	}
	return needs
}
