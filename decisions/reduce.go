package decisions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// reduce is a person's decision to give fewer units the treatment. The rollout
// stays there until somebody resumes it.
func (s *State) reduce(r Rollout, c Command) (made, error) {
	if err := first(r.mustBe("be reduced", Running, Paused, Observing), said(c), r.free()); err != nil {
		return made{}, err
	}
	stage, share, err := r.lower(c.To)
	if err != nil {
		return made{}, err
	}
	m := s.personal(r, c, Reduce, stage)
	m.Verdict.Share = share
	return m, nil
}

// free refuses a decision while another waits for its effect.
func (r Rollout) free() error {
	if r.pending() {
		return fmt.Errorf("%w: a decision of %s is being carried out", ErrRefused, r.ID)
	}
	return nil
}

// lower finds the stage and the share that a person wants to go back to: the
// name of an earlier stage, or a share such as 5%.
func (r Rollout) lower(to string) (stage int, share Percent, err error) {
	switch to = strings.TrimSpace(to); {
	case to == "":
		err = event.Invalid{Path: "to", Why: "is missing", Fix: "write an earlier stage, or a share such as 5%"}
	case strings.HasSuffix(to, "%"):
		stage, share, err = r.lowerShare(to)
	default:
		stage, err = r.earlier(to)
	}
	if fault, ok := err.(event.Invalid); ok {
		fault.Path = "to"
		err = event.Invalids{fault}
	}
	return stage, share, err
}

// earlier returns the place of an earlier stage.
func (r Rollout) earlier(name string) (int, error) {
	i := slices.IndexFunc(r.Plan.Stages, func(s Stage) bool { return s.Name == name })
	switch {
	case i < 0:
		return 0, event.Invalid{Value: name, Why: "is not a stage of the plan", Fix: r.below()}
	case i >= r.Stage:
		return 0, event.Invalid{Value: name, Why: "is not an earlier stage", Fix: r.below()}
	}
	return i, nil
}

// lowerShare returns the first stage that reaches a share, and the share where
// the stage's own is larger.
func (r Rollout) lowerShare(text string) (int, Percent, error) {
	p, err := event.ParsePercent(text)
	switch now := r.share(); {
	case err != nil:
		return 0, 0, err
	case p <= 0:
		return 0, 0, event.Invalid{Value: text, Why: "is nobody", Fix: "roll back instead"}
	case now == 0:
		return 0, 0, event.Invalid{Value: text, Why: "is a share, and " + r.unshared(), Fix: r.below()}
	case p >= now:
		return 0, 0, event.Invalid{Value: text, Why: "is not less than the share that gets the treatment now, " + now.String(), Fix: r.below()}
	}
	i := slices.IndexFunc(r.Plan.Stages, func(s Stage) bool { return s.Compares() && s.Treatment >= p })
	switch {
	case i < 0 || i > r.Stage:
		return 0, 0, event.Invalid{Value: text, Why: "is more than any stage compares with an equal control", Fix: r.below()}
	case r.Plan.Stages[i].Treatment == p:
		return i, 0, nil
	}
	return i, p, nil
}

// unshared says who has the treatment where no share of the units has.
func (r Rollout) unshared() string {
	switch stage, ok := r.Now(); {
	case !ok:
		return "nobody has the treatment yet"
	case stage.Kind() == Dark:
		return stage.Name + " gives everybody control"
	default:
		return stage.Name + " gives an audience the treatment, and no share of the others"
	}
}

// below says what may be written.
func (r Rollout) below() string {
	var names []string
	for i := range max(r.Stage, 0) {
		names = append(names, r.Plan.Stages[i].Name)
	}
	if r.share() > 0 {
		names = append(names, "a smaller share")
	}
	if len(names) == 0 {
		return "roll back instead"
	}
	return "write " + strings.Join(names, ", ") + ", or roll back"
}

// forward is a person's decision to take up a rollout that was rolled back, once
// that is explained: the same units get what they had. What it was rolled back
// for is known, and holds it from now on; anything else rolls back again.
func (s *State) forward(r Rollout, c Command) (made, error) {
	if err := first(r.returnable(), r.explained(), said(c), r.free(), s.unclosed(r, c.At), s.agreedToReturn(r)); err != nil {
		return made{}, err
	}
	m := s.personal(r, c, r.Plan.onward(r.Stage), r.Stage)
	m.Verdict.Share, m.Approvals = r.Share, s.given(r)
	return m, nil
}

// returnable refuses to take up again what was not rolled back, or for good.
func (r Rollout) returnable() error {
	if err := first(r.mustBe("be rolled forward", RolledBack), r.notRejected()); err != nil {
		return err
	}
	switch {
	case r.Stage < 0:
		return fmt.Errorf("%w: %s never came to its first stage; plan another rollout", ErrRefused, r.ID)
	case r.Closed != nil:
		return fmt.Errorf("%w: the cleanup of %s is closed; plan another rollout", ErrRefused, r.ID)
	}
	return nil
}

// explained refuses to go on while nobody has said what happened.
func (r Rollout) explained() error {
	if !r.Locked {
		return nil
	}
	return fmt.Errorf("%w: %s was rolled back, and nobody has explained why; run: sluice decide explain %s -m 'why'", ErrRefused, r.ID, r.ID)
}
