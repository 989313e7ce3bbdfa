package flagd

import (
	"context"
	"errors"
	"time"
)

// errClosing ends a stream because the house shuts its doors.
var errClosing = errors.New("the server is going down")

// listener is what a stream does while it is open.
type listener struct {
	environment string
	rules       bool         // it is told rules, not only that they have changed
	step        func() error // looks at the flags
	idle        func() error // is called after a time without change
}

// follow calls step at once, whenever the flags may have changed, and after
// every keep-alive, at which it calls idle first: flags that wait for a list of
// units change when it arrives, and nothing is said of that. It returns the
// first error of either, errClosing, or the context's.
func (h *Handler) follow(ctx context.Context, l listener) error {
	leave, err := h.enter(l.rules)
	if err != nil {
		return unentered(err)
	}
	defer leave()
	beat := time.NewTicker(h.keepAlive())
	defer beat.Stop()
	for {
		_, moved := h.Moved() // taken before step looks, so that no change falls in between
		if err := l.step(); err != nil {
			return err
		}
		if err := h.wait(ctx, moved, beat.C, l); err != nil {
			return err
		}
	}
}

// wait returns when it is time to look again.
func (h *Handler) wait(ctx context.Context, moved <-chan struct{}, beat <-chan time.Time, l listener) error {
	select {
	case <-moved:
		return nil
	case <-beat:
		if h.MayStay != nil && !h.MayStay(ctx, l.environment, l.rules) {
			return unwanted()
		}
		return l.idle()
	case <-h.Closing:
		return errClosing
	case <-ctx.Done():
		return ctx.Err()
	}
}

// deliver sends a message on a stream, and gives up on a client that does not
// read it for too long. The deadline is taken away again: on HTTP/2 it would
// end a stream on which nothing is being written. The server's limit on reading
// a request needs no such care: it ends with the request's body.
func (h *Handler) deliver(ctx context.Context, message func() error) error {
	control := callOf(ctx).control
	_ = control.SetWriteDeadline(time.Now().Add(h.patience())) // the connection's clock is the system's
	err := message()
	_ = control.SetWriteDeadline(time.Time{})
	return err
}
