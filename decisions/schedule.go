package decisions

import (
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
	Doubts  []string  `json:"doubts,omitempty"`  // what spoke against it when it was scheduled
	Lapsed  string    `json:"lapsed,omitempty"`  // why it was refused when its time had come
	Anyway  bool      `json:"anyway,omitempty"`  // it starts although something is lacking: a person has said why
	Delayed *Delay    `json:"delayed,omitempty"` // its time has come and something is lacking; nil: nothing is, or its time has not come
}

// Delay is why a start waits although its time has come.
type Delay struct {
	N     int       `json:"n"` // which reason, from 1
	At    time.Time `json:"at"`
	Why   string    `json:"why"`
	Lacks []string  `json:"lacks"` // paths in the plan
}

// Due reports whether the rollout is to be started by now.
func (r Rollout) Due(now time.Time) bool {
	return r.waits() && !r.Schedule.At.After(now)
}

// waits reports whether its start has a time.
func (r Rollout) waits() bool {
	return r.Status == Planned && r.Schedule != nil && r.Schedule.Lapsed == ""
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
	return scheduled{Rollout: r.ID, At: at, Comment: c.Comment, Doubts: c.Doubts, Anyway: c.Anyway}, first(r.startable(s.known), s.ungoverned(r))
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
	switch e.Type {
	case TypeScheduled:
		n, err := load[scheduled](e)
		r.Schedule = &Schedule{ID: e.ID.String(), At: n.At, By: e.Actor, Comment: n.Comment, Doubts: n.Doubts, Anyway: n.Anyway}
		return err
	case TypeDelayed:
		n, err := load[delayed](e)
		if p := r.Schedule; p != nil && p.ID == n.Schedule {
			waits := *p
			waits.Delayed = &Delay{N: n.N, At: e.Time, Why: n.Why, Lacks: n.Lacks}
			r.Schedule = &waits
		}
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
