package flagd

import (
	"context"
	"errors"
	"time"
)

// errClosing ends a stream because the house shuts its doors.
var errClosing = errors.New("the server is going down")

// patience is how long a message may wait for a client that does not read.
const patience = 30 * time.Second

// follow calls step at once and again whenever the flags may have changed, and
// idle at every keep-alive in between. It returns the first error of either,
// errClosing, or the context's.
func (h *Handler) follow(ctx context.Context, step, idle func() error) error {
	beat := time.NewTicker(h.keepAlive())
	defer beat.Stop()
	for {
		_, moved := h.Moved() // taken before step looks, so that no change falls in between
		if err := step(); err != nil {
			return err
		}
		if err := h.wait(ctx, moved, beat.C, idle); err != nil {
			return err
		}
	}
}

// wait returns when moved is closed.
func (h *Handler) wait(ctx context.Context, moved <-chan struct{}, beat <-chan time.Time, idle func() error) error {
	for {
		select {
		case <-moved:
			return nil
		case <-beat:
			if err := idle(); err != nil {
				return err
			}
		case <-h.Closing:
			return errClosing
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// open lifts the time limit that the server puts on reading a request: the
// request of a stream has been read, and the limit would end the stream.
func (c *call) open() {
	_ = c.control.SetReadDeadline(time.Time{}) // what cannot set deadlines has none
}

// send gives a message patience to be sent. The deadline is taken away again:
// on HTTP/2 it would end a stream on which nothing is being written.
func (c *call) send(message func() error) error {
	_ = c.control.SetWriteDeadline(time.Now().Add(patience)) // by the clock of the connection, which is the system's
	err := message()
	_ = c.control.SetWriteDeadline(time.Time{})
	return err
}
