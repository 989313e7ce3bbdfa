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
	return fmt.Errorf("%w: %s is %s and cannot %s", ErrRefused, r.ID, r.Status.words(), verb)
}

// said refuses a command that must say why and does not.
func said(c Command) error {
	if strings.TrimSpace(c.Comment) == "" {
		return event.Invalids{{Path: "comment", Why: "is missing", Fix: "say why; it stays on record"}}
	}
	return nil
}

// resumable asks why a person goes on over what paused the rollout and still
// stands.
func (r Rollout) resumable(c Command) error {
	if err := first(r.mustBe("be resumed", Paused), r.explained()); err != nil || len(r.pausing()) == 0 {
		return err
	}
	return said(c)
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

// flagRevision is that of a flag, or else the one that is given.
func (s *State) flagRevision(flag string, otherwise uint64) uint64 {
	if f, ok := s.known.flag(flag); ok {
		return f.Revision
	}
	return otherwise
}

// asksApproval reports whether approval is all that is missing.
func (v Verdict) asksApproval() bool {
	return slices.ContainsFunc(v.Checks, func(c Check) bool { return c.Name == CheckApproval && c.State == Wait && c.Code == "missing" })
}

// waitsForPeople reports whether others have to say something before anything
// goes on.
func (v Verdict) waitsForPeople() bool { return v.asksApproval() || v.Action == Review }

func (r Rollout) explainable() error {
	if !r.Locked {
		return fmt.Errorf("%w: %s does not wait for an explanation", ErrRefused, r.ID)
	}
	return nil
}

// advance is a person's decision to go on to the next stage.
func (s *State) advance(r Rollout, c Command) (made, error) {
	if err := first(r.mustBe("advance", Running), said(c)); err != nil {
		return made{}, err
	}
	next := r.Stage + 1
	if next >= len(r.Plan.Stages) || r.pending() {
		return made{}, fmt.Errorf("%w: %s has no further stage to go to now", ErrRefused, r.ID)
	}
	return s.onward(r, c, next)
}

// ship is a person's decision to serve the treatment to all.
func (s *State) ship(r Rollout, c Command) (made, error) {
	full := slices.IndexFunc(r.Plan.Stages, func(s Stage) bool { return s.Kind() == Full })
	err := first(r.mustBe("ship", Running), said(c))
	switch {
	case err != nil:
		return made{}, err
	case full < 0:
		return made{}, fmt.Errorf("%w: the plan of %s has no stage that serves everybody", ErrRefused, r.ID)
	case r.Stage < 0 || r.pending():
		return made{}, fmt.Errorf("%w: a stage of %s is just beginning; wait for the next look", ErrRefused, r.ID)
	}
	return s.onward(r, c, full)
}

// onward decides for a later stage, whatever the evidence says of it. What
// others have to agree to, and when nothing may begin, is asked of everybody.
func (s *State) onward(r Rollout, c Command, stage int) (made, error) {
	if err := first(r.looked(), s.unclosed(r, c.At), s.agreed(r)); err != nil {
		return made{}, err
	}
	m := s.personal(r, c, r.Plan.onward(stage), stage)
	m.Approvals = s.given(r)
	return m, nil
}

// looked refuses to go on from a stage that a person has only just gone to. Of
// two who wanted the same step, the second would take the next one.
func (r Rollout) looked() error {
	if d, ok := r.Last(); ok && !d.ByController() && d.Effect != 0 {
		return fmt.Errorf("%w: %s went on to %s at %s, and nobody has looked at it since; wait for the next look",
			ErrRefused, d.By, r.Plan.Stages[r.Stage].Name, clock(d.At))
	}
	return nil
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
	if d, ok := r.Recommendation(); ok {
		m.Advice, m.Against = d.ID, r.against(d, a, stage)
	}
	if f, ok := s.known.flag(c.Flag); ok {
		m.Revision = f.Revision
	}
	m.Before, m.After = r.stageName(m.From), r.after(Decision{Verdict: m.Verdict})
	return m
}

// against says what the recommendation was when a person decides otherwise, in
// stable words, else "". Review leaves it to people, and to go back is always
// theirs to decide.
func (r Rollout) against(d Decision, a Action, stage int) string {
	v := d.Verdict
	switch {
	case a != Expand && a != Ship, v.Action == Review, v.Action == a && v.Stage == stage:
		return ""
	case v.Action != Rollback && v.Action.Actuating() && d.Effect != 0:
		return string(Hold) + ": nobody has looked at the stage yet"
	}
	return v.recommends()
}

// onward is the action that goes to the stage.
func (p Plan) onward(stage int) Action {
	if p.Stages[stage].Kind() == Full {
		return Ship
	}
	return Expand
}
