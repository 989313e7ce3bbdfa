package server

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/event"
)

// handle asks a room for the event that a command becomes.
type handle func() (event.Event, event.Expect, error)

// record carries out a command: it asks a room for the event, appends it and
// waits until this replica has applied it. A conflict with a command that came
// in between is tried again on the new state. A command of a request that has
// been carried out already changes nothing.
func (h House) record(ctx context.Context, do handle) error {
	_, err := h.recorded(ctx, do)
	return err
}

// recorded is record, and returns the sequence of the event.
func (h House) recorded(ctx context.Context, do handle) (uint64, error) {
	k := asking(ctx).repeatable
	id, ok := k.next()
	if !ok {
		return h.append(ctx, do)
	}
	if seq, known, err := h.made(ctx, id); known || err != nil {
		k.seq = seq
		return seq, err
	}
	seq, err := h.append(ctx, func() (event.Event, event.Expect, error) {
		e, expect, err := do()
		if err != nil {
			return e, expect, err
		}
		e.ID = id
		e, err = event.Requested(e, k.Request)
		return e, expect, err
	})
	if err == nil {
		_, _, err = h.made(ctx, id) // the same key may have come to two replicas at once: the log has taken one
	}
	return seq, err
}

// tries bounds how often a command meets a faster one.
const tries = 5

func (h House) append(ctx context.Context, do handle) (seq uint64, err error) {
	if err := h.Projection.Err(); err != nil {
		return 0, fmt.Errorf("%w for this replica, which no longer follows it; ask another one: %w", event.ErrReadOnly, err)
	}
	for range tries {
		var e event.Event
		var expect event.Expect
		h.Projection.View(func(uint64) { e, expect, err = do() })
		if err != nil {
			return 0, err
		}
		if seq, err = h.Log.Append(ctx, e, expect); err == nil {
			return seq, h.Projection.Wait(ctx, seq)
		}
		if !isConflict(err) {
			return 0, fmt.Errorf("recording %s: %w", e.Type, err)
		}
		if err := h.catchUp(ctx); err != nil {
			return 0, err
		}
	}
	return 0, err
}

func (h House) catchUp(ctx context.Context) error {
	last, err := h.Log.Last(ctx)
	if err != nil {
		return fmt.Errorf("asking for the end of the log: %w", err)
	}
	return h.Projection.Wait(ctx, last)
}
