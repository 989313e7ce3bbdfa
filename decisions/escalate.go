package decisions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Escalated is whom the controller has asked after the owner, about one thing
// that the rollout waits for.
type Escalated struct {
	What  Wanted    `json:"what"`
	Since time.Time `json:"since"` // it waits
	To    []string  `json:"to"`    // in the order in which they were asked
}

// escalated folds that somebody was asked.
func (r *Rollout) escalated(n escalated) {
	e := Escalated{What: n.What, Since: n.Since}
	if had := r.Escalated; had != nil && had.What == n.What && had.Since.Equal(n.Since) {
		e.To = had.To
	}
	e.To = append(slices.Clip(e.To), n.To)
	r.Escalated = &e
}

// overdue returns what was asked in vain for so long that others are asked, whom
// nobody has told yet.
func (r Rollout) overdue(now time.Time) (due []escalated) {
	asked, ok := r.asks()
	if !ok {
		return nil
	}
	told := []string{}
	if e := r.Escalated; e != nil && e.What == asked.What && e.Since.Equal(asked.Since) {
		told = e.To
	}
	for _, e := range r.Plan.Escalation {
		if asked.Since.Add(windowTime(e.After)).After(now) {
			break
		}
		if !slices.Contains(told, e.To) && !slices.Contains(asked.Of, e.To) {
			due = append(due, escalated{Rollout: r.ID, To: e.To, What: asked.What, Since: asked.Since, Why: asked.Why})
			told = append(slices.Clip(told), e.To)
		}
	}
	return due
}

// escalate asks the next people about rollouts that wait for an answer, each once.
func (c *Controller) escalate(ctx context.Context, now time.Time) error {
	var waiting []Rollout
	c.House.View(func(uint64) {
		for _, r := range c.State.shelf(c.State.shelves.asking) {
			if len(r.overdue(now)) > 0 {
				waiting = append(waiting, r)
			}
		}
	})
	var errs []error
	for _, r := range waiting {
		if err := overtaken(c.askNext(ctx, r, now)); err != nil {
			errs = append(errs, fmt.Errorf("asking about rollout %s: %w", r.ID, err))
		}
	}
	return errors.Join(errs...)
}

// escalates reports whether the rollout waits for people, and says whom to ask next.
func (r Rollout) escalates() bool {
	if len(r.Plan.Escalation) == 0 {
		return false
	}
	_, waits := r.asks()
	return waits
}

func (c *Controller) askNext(ctx context.Context, r Rollout, now time.Time) error {
	for _, n := range r.overdue(now) {
		id := event.Derive(TypeEscalated, r.ID, string(n.What), n.Since.UTC().Format(time.RFC3339Nano), n.To)
		if err := c.append(ctx, id, TypeEscalated, r, now, event.Expect(c.last(r)), n); err != nil {
			return err
		}
		c.log("nobody has answered", r.ID, "asks", n.To, "for", n.What)
	}
	return nil
}
