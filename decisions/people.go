package decisions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

func (r Rollout) mustBe(verb string, allowed ...Status) error {
	if slices.Contains(allowed, r.Status) {
		return nil
	}
	return fmt.Errorf("%w: %s is %s and cannot %s", ErrRefused, r.ID, r.Status, verb)
}

// said refuses a command that must say why and does not.
func said(c Command) error {
	if strings.TrimSpace(c.Comment) == "" {
		return event.Invalids{{Path: "comment", Why: "is missing", Fix: "say why; it stays on record"}}
	}
	return nil
}

// pausing returns the reasons that a person resumes over.
func (r Rollout) pausing() []string {
	d, ok := r.Last()
	if !ok {
		return nil
	}
	var out []string
	for _, c := range d.Verdict.Checks {
		if c.open() && (c.Asks == Pause || slices.Contains(r.Reverted, c.reason())) {
			out = append(out, c.reason())
		}
	}
	return out
}

// approvable returns the decision that the approval belongs to.
func (r Rollout) approvable(c Command) (string, error) {
	d, ok := r.Last()
	switch {
	case !ok || !d.Verdict.asksApproval():
		return "", fmt.Errorf("%w: %s does not ask for approval now", ErrRefused, r.ID)
	case c.Decision != "" && c.Decision != d.ID:
		return "", fmt.Errorf("%w: the evidence has changed since decision %s; look at %s", ErrRefused, c.Decision, d.ID)
	case r.wrote(c.Actor):
		return "", fmt.Errorf("%w: %s wrote the plan, and an author's own approval does not count", ErrRefused, c.Actor)
	case slices.ContainsFunc(r.Approvals, func(a Approval) bool { return a.By == c.Actor }):
		return "", fmt.Errorf("%w: %s has approved already", ErrRefused, c.Actor)
	}
	return d.ID, nil
}

// asksApproval reports whether approval is all that is missing.
func (v Verdict) asksApproval() bool {
	return slices.ContainsFunc(v.Checks, func(c Check) bool { return c.Name == CheckApproval && c.State == Wait && c.Code == "missing" })
}

func (r Rollout) explainable() error {
	if !r.Locked {
		return fmt.Errorf("%w: %s does not wait for an explanation", ErrRefused, r.ID)
	}
	return nil
}

// advance is a person's decision to go on.
func (s *State) advance(r Rollout, c Command) (made, error) {
	if err := first(r.mustBe("advance", Running), said(c)); err != nil {
		return made{}, err
	}
	next := r.Stage + 1
	if next >= len(r.Plan.Stages) || r.pending() {
		return made{}, fmt.Errorf("%w: %s has no further stage to go to now", ErrRefused, r.ID)
	}
	return s.personal(r, c, r.Plan.onward(next), next), nil
}

// rollback is a person's decision to go back. It never waits for anything.
func (s *State) rollback(r Rollout, c Command) (made, error) {
	if err := first(r.mustBe("be rolled back", Running, Paused, Observing), said(c)); err != nil {
		return made{}, err
	}
	if d, ok := r.Last(); ok && d.Pending() && d.Verdict.Action == Rollback {
		return made{}, fmt.Errorf("%w: %s is being rolled back", ErrRefused, r.ID)
	}
	return s.personal(r, c, Rollback, r.Stage), nil
}

func (r Rollout) pending() bool { return slices.ContainsFunc(r.Decisions, Decision.Pending) }

func (s *State) personal(r Rollout, c Command, a Action, stage int) made {
	m := made{Rollout: r.ID, From: r.Stage, Rationale: c.Comment, Verdict: Verdict{
		Action: a, Stage: stage, Reason: "decided by " + c.Actor, Text: c.Actor + ": " + c.Comment, Checks: []Check{},
	}}
	if d, ok := r.Last(); ok {
		m.Advice = d.ID
	}
	if f, ok := s.known.flag(c.Flag); ok {
		m.Revision = f.Revision
	}
	return m
}

// onward is the action that goes to the stage.
func (p Plan) onward(stage int) Action {
	if p.Stages[stage].Kind() == Full {
		return Ship
	}
	return Expand
}
