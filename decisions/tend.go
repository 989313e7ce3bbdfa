package decisions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// tending is what is due for one rollout that is over.
type tending struct {
	rollout Rollout
	close   CloseWay // "": not
	remind  int      // which reminder; 0: none
	follow  bool     // the look whether the effect held
}

// tend does what is due after rollouts: it closes cleanups that are done,
// reminds of those that are not, and looks whether effects held. Another
// controller that does the same appends the same events.
func (c *Controller) tend(ctx context.Context, now time.Time) error {
	var errs []error
	for _, t := range c.tending(now) {
		if err := overtaken(c.tendOne(ctx, t, now)); err != nil {
			errs = append(errs, fmt.Errorf("tending rollout %s: %w", t.rollout.ID, err))
		}
	}
	return errors.Join(errs...)
}

// tending returns the rollouts for which something is due.
func (c *Controller) tending(now time.Time) (out []tending) {
	c.House.View(func(uint64) {
		for _, r := range c.State.shelf(c.State.shelves.unfinished) {
			f, _ := c.Flags.Flag(r.Plan.Flag)
			newest, _ := c.State.Newest(r.Plan.Environment, r.Plan.Flag)
			t := tending{rollout: r, close: r.closing(f, newest), remind: r.reminder(now), follow: r.followsUp(now)}
			if t.close != "" || t.remind > 0 || t.follow {
				out = append(out, t)
			}
		}
	})
	return out
}

// unfinished reports whether anything can be due after the rollout.
func (r Rollout) unfinished() bool { return !r.Ended.IsZero() && (r.Closed == nil || r.owesLook()) }

func (c *Controller) tendOne(ctx context.Context, t tending, now time.Time) error {
	r := t.rollout
	switch {
	case t.follow:
		return c.followUp(ctx, r, now)
	case t.close != "":
		return c.append(ctx, event.Derive(TypeClosed, r.ID), TypeClosed, r, now, event.Expect(c.last(r)), closed{Rollout: r.ID, Flag: r.Plan.Flag, How: t.close})
	}
	m := r.remind(t.remind, now)
	err := c.append(ctx, event.Derive(TypeReminded, r.ID, strconv.Itoa(m.N)), TypeReminded, r, now, event.Expect(c.last(r)), m)
	if err == nil {
		c.log("reminded of a cleanup", r.ID, "due", m.Due, "reminder", m.N)
	}
	return err
}

// last returns the newest event of the subject, which a later rollout of the
// flag may have written.
func (c *Controller) last(r Rollout) (seq uint64) {
	c.House.View(func(uint64) { seq = c.State.last[Subject(r.Plan.Environment, r.Plan.Flag)] })
	return seq
}

func (r Rollout) remind(n int, now time.Time) reminded {
	m := reminded{Rollout: r.ID, Flag: r.Plan.Flag, N: n, Due: r.CleanupDue(), EndState: r.EndState()}
	m.Overdue = event.Duration(now.Sub(m.Due))
	m.Text = fmt.Sprintf("%s was decided on %s in %s, and its end state (%s) was due on %s; see: sluice cleanup show %s",
		m.Flag, r.Ended.Format(time.DateOnly), r.Plan.Environment, m.EndState, m.Due.Format(time.DateOnly), r.ID)
	return m
}

// followUp looks once more at a change that serves everybody, and stores the
// evidence first: the record is both.
func (c *Controller) followUp(ctx context.Context, r Rollout, now time.Time) error {
	then, err := c.evidenceOf(ctx, r)
	if err != nil {
		return err
	}
	e, err := c.Facts.Evidence(ctx, r, now)
	if err != nil {
		return fmt.Errorf("asking for evidence: %w", err)
	}
	doc, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encoding the evidence: %w", err)
	}
	blob, err := c.Blobs.Put(ctx, doc)
	if err != nil {
		return fmt.Errorf("storing the evidence: %w", err)
	}
	err = c.append(ctx, event.Derive(TypeFollowedUp, r.ID), TypeFollowedUp, r, now, event.Expect(c.last(r)),
		followed{Rollout: r.ID, FollowUp: r.FollowUp(then, e), Evidence: blob})
	if err == nil {
		c.log("looked whether the effect held", r.ID)
	}
	return err
}

// evidenceOf returns the evidence that the change was shipped on: that of the
// decision, or of the one that a person decided over.
func (c *Controller) evidenceOf(ctx context.Context, r Rollout) (Evidence, error) {
	blob := r.shippedOn()
	if blob == (event.Blob{}) {
		return Evidence{}, nil
	}
	doc, err := c.Blobs.Load(ctx, blob)
	if err != nil {
		return Evidence{}, fmt.Errorf("loading the evidence of the decision: %w", err)
	}
	in, err := readInput(doc)
	return in.Evidence, err
}

// shippedOn returns the newest input up to the decision that gave everybody the
// treatment; zero: nobody looked.
func (r Rollout) shippedOn() (blob event.Blob) {
	for _, d := range r.Decisions {
		if d.Input != (event.Blob{}) {
			blob = d.Input
		}
		if d.Verdict.Action == Ship && d.Effect > 0 {
			return blob
		}
	}
	return blob
}
