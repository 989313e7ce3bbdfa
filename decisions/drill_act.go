package decisions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// drill takes every drill one step on: its flag is made, and when everybody has
// it, forced; when everybody holds that, or the plan's time for a proof is over,
// the drill ends and its flag is archived.
func (c *Controller) drill(ctx context.Context, now time.Time) error {
	if c.Witness == nil {
		return nil
	}
	type open struct {
		rollout Rollout
		drill   Drill
	}
	var all []open
	c.House.View(func(uint64) {
		for _, id := range sorted(c.State.drills) {
			r, _ := c.State.Rollout(c.State.drills[id])
			for _, d := range r.Drills {
				if d.ID == id {
					all = append(all, open{r, d})
				}
			}
		}
	})
	var errs []error
	for _, o := range all {
		if err := c.drillOne(ctx, o.rollout, o.drill, now); err != nil {
			errs = append(errs, fmt.Errorf("drilling %s: %w", o.rollout.ID, err))
		}
	}
	return errors.Join(errs...)
}

func (c *Controller) drillOne(ctx context.Context, r Rollout, d Drill, now time.Time) error {
	switch {
	case d.Result != nil:
		return c.drillChange(ctx, r, d, now, flags.Change{Op: flags.Archive, Reason: "the drill is over"})
	case d.Defined == 0:
		shadow := c.shadow(r, d)
		return c.drillChange(ctx, r, d, now, flags.Change{Op: flags.Define, Flag: &shadow})
	}
	revision := or(d.Forced, d.Defined)
	held, err := c.Witness.Held(ctx, revision)
	if err != nil {
		return fmt.Errorf("asking who holds revision %d: %w", revision, err)
	}
	since := or(d.Decided, d.At)
	switch late := now.After(since.Add(time.Duration(r.Plan.Rollback.proof().Within))); {
	case held.At.IsZero() && !late:
		return nil
	case d.Forced == 0 && !late:
		return c.drillChange(ctx, r, d, now, flags.Change{Op: flags.Force, Environment: r.Plan.Environment, Reason: "a drill of " + r.ID})
	}
	return c.endDrill(ctx, r, d, now, d.result(held))
}

// proof is the plan's, or the default of plans from before there was one.
func (r RollbackPlan) proof() Proof {
	if r.Prove == nil {
		return Proof{UnsafeExposures: DefaultUnsafe, Within: DefaultProve}
	}
	return *r.Prove
}

// result is what a drill measured when everybody holds its change, or the time
// is over.
func (d Drill) result(h Holders) Drilled {
	out := Drilled{Replicas: h.Replicas, Behind: h.Behind, Streams: h.Streams, Older: h.Older}
	switch {
	case d.Forced == 0:
		out.Why = "its flag never came to everybody"
	case h.At.IsZero():
		out.Why = Proving{Behind: h.Behind, Replicas: h.Replicas, Streams: h.Streams, Older: h.Older}.missing(Return{}, Proof{})
	default:
		out.Held = later(h.At, d.Decided)
		out.TimeToSafe = event.Duration(out.Held.Sub(d.Decided))
	}
	return out
}

// shadow is the flag of a drill: what the rollout's flag can answer, in the one
// environment, and no units that ask for it.
func (c *Controller) shadow(r Rollout, d Drill) (f flags.Flag) {
	var own flags.Recorded
	c.House.View(func(uint64) { own, _ = c.Flags.Flag(r.Plan.Flag) })
	return flags.Flag{
		Key: d.Flag, Description: "Made for a drill of " + r.ID + "; nobody evaluates it", Purpose: flags.Operational, Owner: own.Owner,
		Tags: []string{"drill"}, Type: own.Type, Variants: own.Variants, Default: r.Plan.Arms.Treatment, Safe: own.Safe, Unit: own.Unit,
		Environments: map[string]flags.Environment{r.Plan.Environment: {Enabled: true}},
	}
}

// drillChange changes the flag of a drill. One that cannot be made ends it.
func (c *Controller) drillChange(ctx context.Context, r Rollout, d Drill, now time.Time, change flags.Change) error {
	var (
		e       event.Event
		expect  event.Expect
		refused error
	)
	c.House.View(func(uint64) {
		f, _ := c.Flags.Flag(d.Flag)
		e, expect, refused = c.Flags.Handle(flags.Command{
			ID: event.Derive(flags.EventType, d.ID, string(change.Op)), Key: d.Flag, Expect: event.Expect(f.Revision), At: now,
			Actor: Controlling, Cause: d.ID, Comment: "a drill of " + r.ID, Changes: []flags.Change{change},
		})
		if refused == nil && change.Op == flags.Define && f.Revision != 0 {
			refused = fmt.Errorf("%w: there is a flag %s already", ErrRefused, d.Flag)
		}
	})
	if refused != nil && d.Result == nil {
		return c.endDrill(ctx, r, d, now, Drilled{Why: refused.Error()})
	}
	if refused != nil {
		return refused
	}
	return overtaken(c.write(ctx, e, expect))
}

// endDrill records what was measured. The flag is archived after that, by the
// next pass if this one does not live so long.
func (c *Controller) endDrill(ctx context.Context, r Rollout, d Drill, now time.Time, result Drilled) error {
	err := c.append(ctx, event.Derive(TypeDrillEnded, d.ID), TypeDrillEnded, r, now, event.Any, drillEnded{Rollout: r.ID, Drill: d.ID, Result: result})
	if err != nil {
		return err
	}
	c.log("drilled", r.ID, "drill", d.ID, "timeToSafe", result.TimeToSafe, "why", result.Why)
	if d.Defined == 0 {
		return nil
	}
	d.Result = &result
	return c.drillOne(ctx, r, d, now)
}
