package decisions

import (
	"fmt"
	"slices"
)

// requested is what people are asked to agree to: a decision, and with it its
// evidence, this version of the plan and the flag as it was then.
type requested struct {
	decision string
	needs    []Need // none: nobody is asked
	revision uint64 // of the flag
}

// requested returns what may be approved now: what the newest decision asks for, or
// that a rollout which was rolled back is taken up again. For that nobody looks
// at evidence, so that it is the rollback which is gone back on, with the flag as
// it is now.
func (s *State) requested(r Rollout) requested {
	d, ok := r.Last()
	switch {
	case !ok:
		return requested{}
	case r.returnable() == nil && r.explained() == nil:
		return requested{d.ID, s.returning(r), s.flagRevision(r.Plan.Flag, d.Revision)}
	case d.Verdict.waitsForPeople():
		return requested{d.ID, s.needs(r), d.Revision}
	}
	return requested{}
}

// approvable returns the approval that a person may give now.
func (s *State) approvable(r Rollout, c Command) (approved, error) {
	a := s.requested(r)
	switch {
	case len(a.needs) == 0:
		return approved{}, fmt.Errorf("%w: %s does not ask for approval now", ErrRefused, r.ID)
	case c.Decision != "" && c.Decision != a.decision:
		return approved{}, fmt.Errorf("%w: the evidence has changed since decision %s; look at %s", ErrRefused, c.Decision, a.decision)
	case a.revision != s.flagRevision(c.Flag, a.revision):
		return approved{}, fmt.Errorf("%w: the flag has changed since decision %s; wait for the next look", ErrRefused, a.decision)
	case r.wrote(c.Actor):
		return approved{}, fmt.Errorf("%w: %s wrote the plan, and an author's own approval does not count", ErrRefused, c.Actor)
	case slices.ContainsFunc(binding(r.Approvals, r.Version, a.revision), func(a Approval) bool { return a.By == c.Actor }):
		return approved{}, fmt.Errorf("%w: %s has approved already", ErrRefused, c.Actor)
	case !slices.ContainsFunc(a.needs, func(n Need) bool { return n.takes(c.Roles) }):
		return approved{}, fmt.Errorf("%w: %s asks for %s, and %s is none of these", ErrRefused, r.ID, asks(a.needs, r.Approvals), c.Actor)
	}
	return approved{Rollout: r.ID, Decision: a.decision, Comment: c.Comment, Roles: c.Roles, Version: r.Version, Revision: a.revision}, nil
}

// needs returns the approvals that leaving the present stage takes now.
func (s *State) needs(r Rollout) []Need {
	stage, _ := r.Now()
	return needs(stage, policyNeeds(s.Policy(r.Plan)))
}

// returning are the approvals that coming to the present stage takes: those that
// the stage before it asks for, and policies.
func (s *State) returning(r Rollout) []Need {
	r.Stage--
	return s.needs(r)
}

// given returns the approvals that bind now.
func (s *State) given(r Rollout) []Approval {
	return binding(r.Approvals, r.Version, s.flagRevision(r.Plan.Flag, 0))
}

// agreed refuses to leave a stage before enough others have approved.
func (s *State) agreed(r Rollout) error {
	all, given := s.needs(r), s.given(r)
	if len(unmet(all, given)) == 0 {
		return nil
	}
	err := fmt.Errorf("%w: %s waits for approval: %s", ErrRefused, r.ID, asks(all, given))
	if d, ok := r.Last(); ok && !d.Verdict.waitsForPeople() {
		err = fmt.Errorf("%w; override what stands in its way (%s), and it will ask for them", err, d.Verdict.Reason)
	}
	return err
}

// agreedToReturn refuses to take up what was rolled back before as many others
// have approved as when it came there first.
func (s *State) agreedToReturn(r Rollout) error {
	all, given := s.returning(r), s.given(r)
	if len(unmet(all, given)) == 0 {
		return nil
	}
	return fmt.Errorf("%w: to go forward %s waits for approval: %s; they agree with: sluice approve %s -m 'why'", ErrRefused, r.ID, asks(all, given), r.ID)
}
