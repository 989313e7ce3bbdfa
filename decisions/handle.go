package decisions

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

// Errors of Handle that callers test with errors.Is, next to event.Invalids
// and event.ErrConflict.
var (
	// ErrUnknown says that the flag has no rollout in that environment.
	ErrUnknown = errors.New("there is no such rollout")
	// ErrRefused says that the rollout, as it stands, does not allow the command.
	ErrRefused = errors.New("the rollout does not allow that")
)

// Op names what a person wants of a rollout.
type Op string

// What people can do.
const (
	OpPlan     Op = "plan"     // Plan: a new rollout, or a new version of one that has not started
	OpStart    Op = "start"    //
	OpHold     Op = "hold"     // Comment: pause it
	OpResume   Op = "resume"   // go on, over whatever paused it; until that ends, it holds and pauses no more
	OpApprove  Op = "approve"  // Decision: that asks for it
	OpAdvance  Op = "advance"  // Comment: to the next stage, whatever the gate says
	OpRollback Op = "rollback" // Comment: the safe variant for everybody, now
	OpExplain  Op = "explain"  // Comment: what happened; unlocks a flag that was rolled back
)

// Command is what a person wants of the newest rollout of a flag.
type Command struct {
	ID          event.ID     // of the event; a repeat of the same ID is the same command
	Op          Op           //
	Environment string       //
	Flag        string       //
	Expect      event.Expect // last sequence of the rollout the person saw; event.Any when it does not matter
	At          time.Time    //
	Actor       string       // principal
	Comment     string       // why, for people; the rationale of advance and rollback
	Plan        *Plan        // of OpPlan; names flag and environment itself
	Decision    string       // of OpApprove; empty: the newest
}

// Handle turns a command into its one event and what the log must expect, or
// says why not: event.Invalids with every fault, ErrUnknown, ErrRefused, or
// event.ErrConflict when the rollout has moved on. It changes nothing.
func (s *State) Handle(c Command) (event.Event, event.Expect, error) {
	if c.Op == OpPlan && c.Plan != nil {
		c.Environment, c.Flag = c.Plan.Environment, c.Plan.Flag
	}
	subject := Subject(c.Environment, c.Flag)
	expect := event.Expect(s.last[subject])
	if c.Expect != event.Any && c.Expect != expect {
		return event.Event{}, 0, fmt.Errorf("%w: %s is at %d, not %d", event.ErrConflict, subject, expect, c.Expect)
	}
	r, exists := s.Newest(c.Environment, c.Flag)
	if !exists && c.Op != OpPlan {
		return event.Event{}, 0, fmt.Errorf("%w: %s in %s", ErrUnknown, c.Flag, c.Environment)
	}
	kind, data, err := s.handle(r, c)
	if err != nil {
		return event.Event{}, 0, err
	}
	e, err := emit(c.ID, kind, subject, c.At, c.Actor, data)
	return e, expect, err
}

// handle returns the type and data of the command's event.
func (s *State) handle(r Rollout, c Command) (kind string, data any, err error) {
	switch c.Op {
	case OpPlan:
		data, err = s.plan(r, c)
		return TypePlanned, data, err
	case OpStart:
		return TypeStarted, noted{Rollout: r.ID, Comment: c.Comment}, r.startable(s.known)
	case OpHold:
		return TypePaused, noted{Rollout: r.ID, Comment: c.Comment}, first(r.mustBe("be held", Running, Observing), said(c))
	case OpResume:
		return TypeResumed, noted{Rollout: r.ID, Comment: c.Comment, Acknowledged: r.pausing()}, r.mustBe("be resumed", Paused)
	case OpApprove:
		id, err := r.approvable(c)
		return TypeApproved, approved{Rollout: r.ID, Decision: id, Comment: c.Comment}, err
	case OpAdvance:
		data, err = s.advance(r, c)
		return TypeMade, data, err
	case OpRollback:
		data, err = s.rollback(r, c)
		return TypeMade, data, err
	case OpExplain:
		return TypeExplained, noted{Rollout: r.ID, Comment: c.Comment}, first(r.explainable(), said(c))
	}
	return "", nil, event.Invalids{{Path: "op", Value: string(c.Op), Why: "is not a command",
		Fix: "use plan, start, hold, resume, approve, advance, rollback or explain"}}
}

// plan records the plan with its defaults and the metrics as they are defined
// now, so that later definitions change nothing about it.
func (s *State) plan(r Rollout, c Command) (planned, error) {
	if c.Plan == nil {
		return planned{}, event.Invalids{{Path: "plan", Why: "is missing"}}
	}
	if err := c.Plan.Validate(s.known); err != nil {
		return planned{}, err
	}
	number, version := r.Number+1, 1
	switch {
	case r.Status == Planned:
		number, version = r.Number, r.Version+1
	case r.Open():
		return planned{}, fmt.Errorf("%w: %s is under way, and its plan is frozen; roll it back or let it end first", ErrRefused, r.ID)
	case r.Locked:
		return planned{}, fmt.Errorf("%w: %s was rolled back, and nobody has explained why", ErrRefused, r.ID)
	}
	p := planned{
		Rollout: RolloutID(c.Environment, c.Flag, number), Number: number, Version: version,
		Plan: c.Plan.Filled(), Metrics: map[string]stats.Metric{}, Comment: c.Comment,
	}
	for _, key := range p.Plan.Measured() {
		if m, ok := s.known.metric(key); ok {
			p.Metrics[key] = m
		}
	}
	return p, nil
}

// startable validates the plan once more: the flag may have changed since.
func (r Rollout) startable(k Known) error {
	if err := r.mustBe("be started", Planned); err != nil {
		return err
	}
	return r.Plan.Validate(k)
}

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
		if c.open() && c.Asks == Pause {
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
	case c.Actor == r.PlannedBy:
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

func (k Known) flag(key string) (flags.Recorded, bool) {
	if k.Flag == nil {
		return flags.Recorded{}, false
	}
	return k.Flag(key)
}

func (k Known) metric(key string) (stats.Metric, bool) {
	if k.Metric == nil {
		return stats.Metric{}, false
	}
	return k.Metric(key)
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
