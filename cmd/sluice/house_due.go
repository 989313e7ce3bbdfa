package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/server"
)

// expire carries out what rules were written to do at a date.
func (h *house) expire(ctx context.Context, now time.Time) error {
	return h.carryAll(ctx, func() []flags.Command { return h.folds.Flags.Expired(now) }, h.expireOne)
}

// carry carries out the flag changes that people scheduled and whose time has
// come, also those that came due while nobody ran. Other replicas do the same:
// the log takes each once.
func (h *house) carry(ctx context.Context, now time.Time) error {
	return h.carryAll(ctx, func() []flags.Command { return h.folds.Flags.Due(now) }, h.carryOne)
}

// carryAll carries out commands that are due. One that cannot be keeps none of
// the others up.
func (h *house) carryAll(ctx context.Context, due func() []flags.Command, one func(context.Context, flags.Command) error) error {
	var all []flags.Command
	h.projection.View(func(uint64) { all = due() })
	var errs []error
	for _, c := range all {
		if err := one(ctx, c); err != nil {
			errs = append(errs, fmt.Errorf("flag %s: %w", c.Key, err))
		}
	}
	return errors.Join(errs...)
}

// expireOne carries out one command of expire. Whoever changes the flag
// meanwhile wins: the next look asks again.
func (h *house) expireOne(ctx context.Context, c flags.Command) error {
	var e event.Event
	var expect event.Expect
	var err error
	h.projection.View(func(uint64) { e, expect, err = h.folds.Flags.Handle(c) })
	if err == nil {
		_, err = h.streams.Log.Append(ctx, e, expect)
	}
	if errors.Is(err, event.ErrConflict) {
		return nil
	}
	return err
}

// carryOne carries out one command, or puts down why it cannot be. Whoever
// changes the flag meanwhile wins: the next look asks again.
func (h *house) carryOne(ctx context.Context, c flags.Command) error {
	var e event.Event
	var expect event.Expect
	var refused, err error
	h.projection.View(func(uint64) {
		if refused = h.undecided(c); refused == nil {
			e, expect, refused = h.folds.Flags.Handle(c)
		}
		if refused != nil {
			e, expect, err = h.folds.Flags.Lapse(c, refused)
		}
	})
	if errors.Is(err, flags.ErrEnded) {
		return nil // another replica was faster
	}
	if err != nil {
		return err
	}
	seq, err := h.streams.Log.Append(ctx, e, expect)
	if errors.Is(err, event.ErrConflict) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("recording %s: %w", e.Type, err)
	}
	if refused != nil {
		h.lg.Warn("a scheduled change was refused", "flag", c.Key, "event", e.ID, "cause", c.Cause, "why", refused)
	} else {
		h.lg.Info("made a scheduled change", "flag", c.Key, "event", e.ID, "cause", c.Cause)
	}
	return h.projection.Wait(ctx, seq) // the next command may be about the same flag
}

// undecided refuses to archive a flag whose time has come and that somebody
// still asks for. Call it in a View.
func (h *house) undecided(c flags.Command) error {
	door := server.House{Folds: h.folds, Now: func() time.Time { return c.At }}
	if h.usage != nil {
		door.Usage = h.usage
	}
	return door.Decided(c.Key, c.Changes)
}
