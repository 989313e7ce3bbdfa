package decisions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Schedule is a start that waits for its time. It is of one version of the plan:
// a newer one is scheduled anew.
type Schedule struct {
	ID      string    `json:"id"` // of the event that scheduled it
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Comment string    `json:"comment,omitempty"`
	Doubts  []string  `json:"doubts,omitempty"` // what spoke against it when it was scheduled
	Lapsed  string    `json:"lapsed,omitempty"` // why it was refused when its time had come
}

// Due reports whether the rollout is to be started by now.
func (r Rollout) Due(now time.Time) bool {
	return r.Status == Planned && r.Schedule != nil && r.Schedule.Lapsed == "" && !r.Schedule.At.After(now)
}

// schedule checks a start that is to come. The plan is checked now, and once
// more when its time has come.
func (s *State) schedule(r Rollout, c Command) (scheduled, error) {
	if c.Start.IsZero() {
		return scheduled{}, event.Invalids{{Path: "at", Why: "is missing", Fix: "say when it is to start, such as 2026-12-01T09:00:00Z"}}
	}
	if !c.Start.After(c.At) {
		return scheduled{}, event.Invalids{{Path: "at", Value: c.Start.UTC().Format(time.RFC3339), Why: "is not in the future", Fix: "write a later time, or start it now"}}
	}
	at := c.Start.UTC().Truncate(time.Millisecond) // as the log keeps times
	return scheduled{Rollout: r.ID, At: at, Comment: c.Comment, Doubts: c.Doubts}, first(r.startable(s.known), s.ungoverned(r))
}

// unschedule checks that a start is there to be taken back.
func (r Rollout) unschedule(c Command) (unscheduled, error) {
	if err := r.mustBe("be taken off the calendar", Planned); err != nil {
		return unscheduled{}, err
	}
	if r.Schedule == nil || r.Schedule.Lapsed != "" {
		return unscheduled{}, fmt.Errorf("%w: nothing has scheduled the start of %s", ErrRefused, r.ID)
	}
	return unscheduled{Rollout: r.ID, Schedule: r.Schedule.ID, Why: c.Comment}, nil
}

// calendar folds what was scheduled, and what became of it.
func (r *Rollout) calendar(e event.Recorded) error {
	if e.Type == TypeScheduled {
		n, err := load[scheduled](e)
		r.Schedule = &Schedule{ID: e.ID.String(), At: n.At, By: e.Actor, Comment: n.Comment, Doubts: n.Doubts}
		return err
	}
	n, err := load[unscheduled](e)
	switch {
	case r.Schedule == nil || r.Schedule.ID != n.Schedule:
	case e.Actor == Controlling:
		lapsed := *r.Schedule
		lapsed.Lapsed = n.Why
		r.Schedule = &lapsed
	default:
		r.Schedule = nil
	}
	return err
}

// starter is who answers for a start: whoever scheduled it, when the controller
// carries that out.
func (r *Rollout) starter(e event.Recorded) string {
	if p := r.Schedule; p != nil && e.Actor == Controlling && e.Cause == p.ID {
		return p.By
	}
	return e.Actor
}

// startDue starts the rollouts whose time has come, also those whose time came
// while nobody ran. IDs derive from the schedule, so that each starts once,
// whoever is first and wherever the clock goes.
func (c *Controller) startDue(ctx context.Context, now time.Time) error {
	var due []Rollout
	c.House.View(func(uint64) {
		for _, r := range c.State.Rollouts() {
			if r.Due(now) {
				due = append(due, r)
			}
		}
	})
	var errs []error
	for _, r := range due {
		if err := overtaken(c.startOne(ctx, r.ID, now)); err != nil {
			errs = append(errs, fmt.Errorf("starting rollout %s at its time: %w", r.ID, err))
		}
	}
	return errors.Join(errs...)
}

// startOne starts one rollout, or puts down why it cannot be.
func (c *Controller) startOne(ctx context.Context, id string, now time.Time) error {
	var r Rollout
	var e event.Event
	var expect event.Expect
	var refused error
	c.House.View(func(uint64) {
		if r, _ = c.State.Rollout(id); r.Due(now) {
			e, expect, refused = c.State.Handle(Command{
				ID: event.Derive(TypeStarted, r.Schedule.ID), Op: OpStart, Environment: r.Plan.Environment, Flag: r.Plan.Flag,
				Expect: event.Any, At: now, Actor: Controlling, Comment: r.Schedule.Comment, Doubts: r.Schedule.Doubts,
			})
		}
	})
	switch {
	case !r.Due(now):
		return nil // somebody was faster
	case refused != nil:
		c.log("not started at its time", r.ID, "why", refused)
		return c.append(ctx, event.Derive(TypeUnscheduled, r.Schedule.ID), TypeUnscheduled, r, now, event.Expect(r.Seq),
			unscheduled{Rollout: r.ID, Schedule: r.Schedule.ID, Why: refused.Error()})
	}
	e.Cause = r.Schedule.ID
	err := c.write(ctx, e, expect)
	if err == nil {
		c.log("started at its time", r.ID, "event", e.ID)
	}
	return err
}

// started checks a start that no person gave: somebody had scheduled it for a
// time that has come, and nobody had taken that back.
func (v *verifier) started(r event.Recorded) {
	if r.Actor != Controlling {
		return
	}
	v.report.Cause.Checked++
	n, err := load[noted](r)
	rollout, _ := v.state.Rollout(n.Rollout)
	if err != nil || !rollout.Due(r.Time) || rollout.Schedule.ID != r.Cause {
		v.report.Cause.fail(r, "nobody had scheduled the start for that time (%q)", r.Cause)
	}
}
