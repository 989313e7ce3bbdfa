package decisions

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// trying is for how many times the plan's own time a rollback that was not
// proven in it is asked for again. One that a replica comes back to after a
// night is proven late, and says so.
const trying = 12

// proves notes on the rollout what became of its return.
func (r *Rollout) proves(e event.Recorded) error {
	p, err := load[proved](e)
	if err != nil || r.Return == nil || r.Return.Decision != p.Decision {
		return err
	}
	next := *r.Return
	if e.Type == TypeProven {
		next.Proven = &p.Proof
	} else {
		next.Unproven = &p.Proof
	}
	r.Return = &next
	return nil
}

// proving reports whether the return still waits for its proof.
func (r Rollout) proving(now time.Time) bool {
	t, p := r.Return, r.Plan.Rollback.Prove
	if t == nil || p == nil || t.Proven != nil {
		return false
	}
	return now.Before(t.Effective.Add(trying * time.Duration(p.Within)))
}

// prove asks of every rollout that went back how far that has come.
func (c *Controller) prove(ctx context.Context, now time.Time) error {
	if c.Witness == nil {
		return nil
	}
	var open []Rollout
	c.House.View(func(uint64) { open = c.State.returned(now) })
	var errs []error
	for _, r := range open {
		if err := c.proveOne(ctx, r, now); err != nil {
			errs = append(errs, fmt.Errorf("proving the rollback of %s: %w", r.ID, err))
		}
	}
	return errors.Join(errs...)
}

// returned returns the rollouts that wait for a proof.
func (s *State) returned(now time.Time) []Rollout {
	var out []Rollout
	for _, id := range sorted(s.returns) {
		if r, ok := s.Rollout(id); ok && r.proving(now) {
			out = append(out, r)
		}
	}
	return out
}

// proveOne records the proof when it is whole, and once, when its time is over,
// what it lacks. Who holds the change is asked first: that costs nothing.
func (c *Controller) proveOne(ctx context.Context, r Rollout, now time.Time) error {
	t, p := *r.Return, *r.Plan.Rollback.Prove
	held, err := c.Witness.Held(ctx, t.Revision)
	if err != nil {
		return fmt.Errorf("asking who holds revision %d: %w", t.Revision, err)
	}
	over := now.After(p.deadline(t.Effective))
	if held.At.IsZero() && !over {
		return nil
	}
	seen, err := c.Witness.Exposed(ctx, c.exposing(r, now))
	if err != nil && !over {
		return fmt.Errorf("counting what was exposed: %w", err)
	}
	v := t.prove(p, held, seen, now)
	if err != nil {
		v.Safe, v.TimeToSafe, v.Why = time.Time{}, 0, "exposures cannot be counted: "+err.Error()
	}
	switch {
	case v.whole(p):
		return c.proof(ctx, r, TypeProven, v)
	case over && t.Unproven == nil:
		return c.proof(ctx, r, TypeUnproven, v)
	}
	return nil
}

// whole reports whether all that the proof asks for is there, if late.
func (v Proving) whole(p Proof) bool {
	return !v.Held.IsZero() && !v.Safe.IsZero() && !v.Counted.Before(later(v.Safe, v.Held).Add(p.settle()))
}

// exposing asks for the safe variant that the flag has: it may be another one than
// when the rollout was started, and a flag that is forced gives that.
func (c *Controller) exposing(r Rollout, now time.Time) Exposing {
	t, p := *r.Return, *r.Plan.Rollback.Prove
	q := Exposing{
		Environment: r.Plan.Environment, Flag: r.Plan.Flag, Revision: t.Revision, Forced: t.Forced,
		Since: t.Effective, Until: now, Step: p.step(),
	}
	c.House.View(func(uint64) {
		f, _ := c.Flags.Flag(r.Plan.Flag)
		q.Safe = f.Safe
	})
	return q
}

func (c *Controller) proof(ctx context.Context, r Rollout, kind string, v Proving) error {
	data := proved{Rollout: r.ID, Decision: r.Return.Decision, Proof: v}
	err := c.append(ctx, event.Derive(kind, r.Return.Decision), kind, r, v.At, event.Any, data)
	if err == nil {
		c.log(kind, r.ID, "decision", r.Return.Decision, "timeToSafe", v.TimeToSafe, "why", v.Why)
	}
	return err
}
