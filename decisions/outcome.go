package decisions

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Confirmed says what became of a hypothesis.
type Confirmed string

// The answers to a hypothesis.
const (
	Yes     Confirmed = "yes"
	No      Confirmed = "no"
	Unclear Confirmed = "unclear" // the data do not say
)

// Outcome is what people learnt from a rollout that is over. A later one takes
// the place of an earlier one; the log has both.
type Outcome struct {
	Changed   string    `json:"changed"`        // what was released, to whom
	Happened  string    `json:"happened"`       // what the metrics and the customers did
	Confirmed Confirmed `json:"confirmed"`      // the plan's hypothesis
	Why       string    `json:"why"`            // it came out so, as far as is known
	Next      string    `json:"next,omitempty"` // hypothesis; empty: there is none

	By string    `json:"by,omitempty"` // by the log
	At time.Time `json:"at,omitzero"`  //
}

// Learned is what is known of a rollout after it.
type Learned struct {
	Outcome  *Outcome  `json:"outcome,omitempty"`
	Followed *FollowUp `json:"followed,omitempty"` // the later look whether the effect held
}

// OutcomeCommand records the outcome of a rollout.
type OutcomeCommand struct {
	ID      event.ID // of the event
	Rollout string
	Outcome Outcome
	At      time.Time
	Actor   string
}

// HandleOutcome turns the command into its event: event.Invalids with every
// fault, ErrUnknown, or ErrRefused while the rollout goes on.
func (s *State) HandleOutcome(c OutcomeCommand) (event.Event, event.Expect, error) {
	r, ok := s.Rollout(c.Rollout)
	if !ok {
		return event.Event{}, 0, fmt.Errorf("%w: %s", ErrUnknown, c.Rollout)
	}
	if r.Ended.IsZero() {
		return event.Event{}, 0, fmt.Errorf("%w: %s is %s, and an outcome is of a rollout that is over", ErrRefused, r.ID, r.Status)
	}
	c.Outcome = c.Outcome.filled(r)
	if faults := c.Outcome.check(); len(faults) > 0 {
		return event.Event{}, 0, faults
	}
	subject := Subject(r.Plan.Environment, r.Plan.Flag)
	e, err := emit(c.ID, TypeOutcome, subject, c.At, c.Actor, learnt{Rollout: r.ID, Outcome: c.Outcome})
	return e, event.Expect(s.last[subject]), err
}

// filled says what was changed where nobody did: the plan knows.
func (o Outcome) filled(r Rollout) Outcome {
	for _, text := range []*string{&o.Changed, &o.Happened, &o.Why, &o.Next} {
		*text = strings.TrimSpace(*text)
	}
	o.By, o.At = "", time.Time{}
	if o.Changed == "" {
		o.Changed = r.change()
	}
	return o
}

// change says in a sentence what a rollout releases.
func (r Rollout) change() string {
	who := "every " + r.Plan.Unit
	if r.Plan.Eligible != "" {
		who += " of the segment " + r.Plan.Eligible
	}
	return fmt.Sprintf("%s gives %s %s in the place of %s in %s", r.Plan.Flag, who, r.Plan.Arms.Treatment, r.Plan.Arms.Control, r.Plan.Environment)
}

func (o Outcome) check() (faults event.Invalids) {
	for _, f := range []struct{ path, text, fix string }{
		{"happened", o.Happened, "say what the metrics and the customers did"},
		{"why", o.Why, "say why, as far as it is known; \"nobody knows\" is an answer"},
	} {
		if f.text == "" {
			faults.Add(f.path, nil, "is missing", f.fix)
		}
	}
	if !slices.Contains([]Confirmed{Yes, No, Unclear}, o.Confirmed) {
		faults.Add("confirmed", o.Confirmed, "is no answer to the hypothesis", "write yes, no or unclear")
	}
	return faults
}

// learn folds what was learnt.
func (r *Rollout) learn(e event.Recorded) error {
	if e.Type == TypeOutcome {
		l, err := load[learnt](e)
		l.Outcome.By, l.Outcome.At = e.Actor, e.Time
		r.Outcome = &l.Outcome
		return err
	}
	f, err := load[followed](e)
	f.FollowUp.At, f.FollowUp.Evidence = e.Time, f.Evidence
	r.Followed = &f.FollowUp
	return err
}

// Happened drafts what happened from the record: what the last numbers said of
// every metric that could decide, for a person to put into words.
func (r Rollout) Happened(e Evidence) string {
	var lines []string
	if d, ok := r.Last(); ok {
		lines = append(lines, d.Verdict.Text)
	}
	for _, key := range r.Plan.deciding() {
		if m, ok := e.Metric(key); ok && m.Comparison != nil && m.Comparison.Refused == nil {
			c := m.Comparison
			lines = append(lines, fmt.Sprintf("%s: %s (between %s and %s, valid at every look)", key, percent(c.Estimate), side(c.Band.Low, percent), side(c.Band.High, percent)))
		}
	}
	return strings.Join(lines, "\n")
}
