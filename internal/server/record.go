package server

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/event"
)

// record carries out a command: it asks a room for the event, appends it and
// waits until this replica has applied it. A conflict with a command that came
// in between is tried again on the new state.
func (h House) record(ctx context.Context, handle func() (event.Event, event.Expect, error)) error {
	_, err := h.recorded(ctx, handle)
	return err
}

// tries bounds how often a command meets a faster one.
const tries = 5

func (h House) recorded(ctx context.Context, handle func() (event.Event, event.Expect, error)) (seq uint64, err error) {
	for range tries {
		var e event.Event
		var expect event.Expect
		h.Projection.View(func(uint64) { e, expect, err = handle() })
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
