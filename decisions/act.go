package decisions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/trace"
)

// attempts bounds how often an effect is tried again because the flag moved in
// between. Only a flag that people edit many times a second comes near it; the
// next Step goes on.
const attempts = 10

// act carries out every decision that waits for its effect, as it is read back
// from the log: rollbacks first.
func (c *Controller) act(ctx context.Context, now time.Time) error {
	var pending []Decision
	c.House.View(func(uint64) { pending = c.State.Pending() })
	var errs []error
	for _, d := range pending {
		if err := c.effect(ctx, d.ID, now); err != nil {
			errs = append(errs, fmt.Errorf("carrying out decision %s: %w", d.ID, err))
		}
	}
	return errors.Join(errs...)
}

// effect gives a decision its one effect. A conflict says that the flag moved:
// the next attempt sees it, and either lapses or, for a rollback, goes on at
// the revision that the flag has now.
func (c *Controller) effect(ctx context.Context, id string, now time.Time) error {
	return c.insist(ctx, func() error { return c.attempt(ctx, id, now) })
}

// insist attempts something anew while others write first.
func (c *Controller) insist(ctx context.Context, attempt func() error) error {
	var err error
	for range attempts {
		if err = attempt(); !errors.Is(err, event.ErrConflict) {
			return err
		}
		if err := c.catch(ctx); err != nil {
			return err
		}
	}
	return err
}

// attempt makes the flag command in one view of the house, where decision and
// flag are of the same sequence, and appends it.
//
// That an effect is made once rests on two things. The command's ID derives
// from the decision, so that two controllers append the same event. And only
// what can never become true again lapses a decision: the flag is past the
// revision that the command would expect, or refuses it at just that revision.
func (c *Controller) attempt(ctx context.Context, id string, now time.Time) (err error) {
	a := c.acting(id, now)
	r, d := a.rollout, a.decision
	switch {
	case !d.Pending():
		return nil // another controller was first
	case a.moved:
		return c.lapse(ctx, r, d, now, lapsed{Why: "the flag has changed since the evidence was taken", Revision: a.at})
	case a.refused != nil:
		return c.lapse(ctx, r, d, now, lapsed{Why: a.refused.Error(), Refused: true, Revision: a.at})
	}
	ctx, span := trace.Start(ctx, trace.Internal, "change flag")
	defer func() { span.End(err) }()
	span.Text("sluice.flag", r.Plan.Flag)
	span.Text("sluice.decision", d.ID)
	err = c.write(ctx, a.event, a.expect)
	if err == nil {
		c.log("carried out", r.ID, "decision", d.ID, "action", d.Verdict.Action, "event", a.event.ID)
	}
	return err
}

// acting is a decision and what it does to its flag, of one sequence of the log.
type acting struct {
	rollout  Rollout
	decision Decision
	event    event.Event // of the flag, when the decision is pending and the flag neither moved nor refused
	expect   event.Expect
	at       uint64 // revision of the flag
	moved    bool   // the flag is past the revision that the decision is about
	refused  error  // why the flag does not take it
}

func (c *Controller) acting(id string, now time.Time) (a acting) {
	c.House.View(func(uint64) {
		a.rollout, a.decision, _ = c.State.Decision(id)
		f, _ := c.Flags.Flag(a.rollout.Plan.Flag)
		a.at, a.moved = f.Revision, !a.decision.Verdict.Action.retreats() && f.Revision != a.decision.Revision
		if a.decision.Pending() && !a.moved {
			a.event, a.expect, a.refused = c.Flags.Handle(a.decision.command(a.rollout, f, now))
		}
	})
	return a
}

// command is the flag command of a decision.
func (d Decision) command(r Rollout, f flags.Recorded, now time.Time) flags.Command {
	return flags.Command{
		ID: event.Derive(flags.EventType, d.ID), Key: r.Plan.Flag, Expect: event.Expect(f.Revision), At: now,
		Actor: Controlling, Cause: d.ID, Comment: d.Verdict.Text, Changes: d.changes(r, f),
	}
}

// lapse records that a decision gets no effect.
func (c *Controller) lapse(ctx context.Context, r Rollout, d Decision, now time.Time, l lapsed) error {
	l.Rollout, l.Decision = r.ID, d.ID
	err := c.append(ctx, event.Derive(TypeLapsed, d.ID), TypeLapsed, r, now, event.Any, l)
	if err == nil {
		c.log("lapsed", r.ID, "decision", d.ID, "why", l.Why)
	}
	return err
}
