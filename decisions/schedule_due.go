package decisions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// PastDays is how many days tell before a start what the rollout will get.
const PastDays = 14

// A start whose time has come and that lacks something waits, and is held against
// the past again every so often; after the longest wait it is a person's to
// schedule anew. Nobody wants a release to begin in the night of another day.
const (
	startAgain  = 10 * time.Minute
	longestWait = 24 * time.Hour
)

// startDue starts the rollouts whose time has come, also those whose time came
// while nobody ran. IDs derive from the schedule, so that each starts once,
// whoever is first and wherever the clock goes.
func (c *Controller) startDue(ctx context.Context, now time.Time) error {
	var due []Rollout
	c.House.View(func(uint64) {
		for _, r := range c.State.shelf(c.State.shelves.planned) {
			if r.Due(now) && r.Schedule.asked(now, time.Duration(c.every())) {
				due = append(due, r)
			}
		}
	})
	var errs []error
	for _, r := range due {
		if err := overtaken(c.startOne(ctx, r, now)); err != nil {
			errs = append(errs, fmt.Errorf("starting rollout %s at its time: %w", r.ID, err))
		}
	}
	return errors.Join(errs...)
}

// asked reports whether a start whose time has come is tried in this pass: one
// that waits is not tried in every one, because each asks for two weeks of facts.
func (p Schedule) asked(now time.Time, every time.Duration) bool {
	return p.Delayed == nil || now.Sub(p.At)%startAgain < every
}

// startOne starts one rollout, or puts down why it cannot be.
func (c *Controller) startOne(ctx context.Context, r Rollout, now time.Time) error {
	if _, _, refused := c.starting(r, nil, now); refused != nil {
		return c.unstarted(ctx, r, refused, now)
	}
	found, err := c.past(ctx, r, now)
	late := now.Sub(r.Schedule.At)
	switch faults := found.Faults(); {
	case err != nil && late < startAgain:
		return err // whoever counts may be starting, too
	case err != nil:
		return c.delay(ctx, r, event.Invalids{{Path: "past", Why: "could not be read: " + err.Error()}}, now)
	case len(faults) == 0 || r.Schedule.Anyway:
	case late >= longestWait:
		return c.unstarted(ctx, r, faults, now)
	default:
		return c.delay(ctx, r, faults, now)
	}
	e, expect, refused := c.starting(r, found.Doubts(), now)
	if refused != nil {
		return refused // unreachable unless something has changed since; the next pass puts it down
	}
	err = c.write(ctx, e, expect)
	if err == nil {
		c.log("started at its time", r.ID, "event", e.ID)
	}
	return err
}

// starting returns the event of a start whose time has come, or why there is none.
// A rollout that somebody has touched since is looked at in the next pass.
func (c *Controller) starting(r Rollout, doubts []string, now time.Time) (e event.Event, expect event.Expect, err error) {
	c.House.View(func(uint64) {
		if seen, _ := c.State.Rollout(r.ID); seen.Seq != r.Seq {
			err = event.ErrConflict
			return
		}
		e, expect, err = c.State.Handle(Command{
			ID: event.Derive(TypeStarted, r.Schedule.ID), Op: OpStart, Environment: r.Plan.Environment, Flag: r.Plan.Flag,
			Expect: event.Any, At: now, Actor: Controlling, Comment: r.Schedule.Comment, Doubts: doubts,
		})
	})
	e.Cause = r.Schedule.ID
	return e, expect, err
}

// past holds a plan against the time before, as a start by a person is. Who counts
// nothing knows none, and goes by what was found when the start was scheduled.
func (c *Controller) past(ctx context.Context, r Rollout, now time.Time) (Preflight, error) {
	if c.Past == nil {
		var found Preflight
		for _, text := range r.Schedule.Doubts {
			found.add(Precheck{State: Doubted, Text: text})
		}
		return found, nil
	}
	p, err := c.Past(ctx, r, now.AddDate(0, 0, -PastDays), now)
	if err != nil {
		return nil, fmt.Errorf("reading the past: %w", err)
	}
	return r.Preflight(p), nil
}

// unstarted puts down that a start is not tried any more.
func (c *Controller) unstarted(ctx context.Context, r Rollout, why error, now time.Time) error {
	if errors.Is(why, event.ErrConflict) {
		return why
	}
	c.log("not started at its time", r.ID, "why", why)
	return c.append(ctx, event.Derive(TypeUnscheduled, r.Schedule.ID), TypeUnscheduled, r, now, event.Expect(r.Seq),
		unscheduled{Rollout: r.ID, Schedule: r.Schedule.ID, Why: why.Error()})
}

// delay puts down, once for everything that is lacking, why a start waits.
func (c *Controller) delay(ctx context.Context, r Rollout, faults event.Invalids, now time.Time) error {
	p, n := r.Schedule, 1
	var lacks []string
	for _, f := range faults {
		lacks = append(lacks, f.Path)
	}
	if p.Delayed != nil {
		if slices.Equal(p.Delayed.Lacks, lacks) {
			return nil // said already; only its numbers are others
		}
		n = p.Delayed.N + 1
	}
	c.log("waits with its start", r.ID, "why", faults)
	return c.append(ctx, event.Derive(TypeDelayed, p.ID, strconv.Itoa(n)), TypeDelayed, r, now, event.Expect(r.Seq),
		delayed{Rollout: r.ID, Schedule: p.ID, N: n, Why: faults.Error(), Lacks: lacks})
}
