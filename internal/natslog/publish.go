package natslog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sluice-hq/sluice/event"
)

// JetStream's error codes that mean something to us. A wrong last sequence has
// two: replicated streams answer the second when another write is in flight.
const (
	codeConflict         = 10071
	codeConflictInFlight = 10164
	codeFull             = 10077 // the stream has the bytes that it may have
	codeStoreFull        = 10023 // all streams together have
	codeRepeatInFlight   = 10158 // a message with this ID is being stored: neither success nor failure yet
)

const (
	tryWait    = 5 * time.Second // for one answer
	leaderWait = 2 * time.Second // the same on a cluster, where a leader that died gives none and the next one will
	tryPause   = 10 * time.Millisecond
	repeatWait = 60 * time.Second // for all tries of one message: half of the window in which a repeat is recognised
)

// wire is the access to one stream.
type wire struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	stream string
	what   string        // its messages are called, in errors
	doubt  time.Duration // for which a message may seem to be missing
	wait   time.Duration // for the answer to one write

	unanswered atomic.Int32 // writes since the last answer
}

// publish stores a message and returns its sequence once it is on disk. No
// answer is not an answer: the same bytes go again under the same ID. A wrong
// expectation is event.ErrConflict.
func (w *wire) publish(ctx context.Context, m *nats.Msg) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, repeatWait)
	defer cancel()
	for pause := time.Millisecond; ; pause = min(2*pause, time.Second) {
		seq, err := w.try(ctx, m)
		if err == nil || !again(err) {
			return seq, err
		}
		if rest(ctx, pause) != nil {
			return 0, fmt.Errorf("writing to %s, whether it was stored is unknown: %w", w.stream, err)
		}
	}
}

// try publishes once.
func (w *wire) try(ctx context.Context, m *nats.Msg) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, w.wait)
	defer cancel()
	before := w.unanswered.Load()
	ack, err := w.js.PublishMsg(ctx, m)
	w.note(err, before)
	if err == nil {
		return ack.Sequence, nil
	}
	switch code(err) {
	case codeConflict, codeConflictInFlight:
		return 0, fmt.Errorf("%w: %v", event.ErrConflict, err)
	case codeFull, codeStoreFull:
		return 0, fmt.Errorf("%w: %s: %v", event.ErrFull, w.stream, err)
	}
	return 0, fmt.Errorf("writing to %s: %w", w.stream, err)
}

// note counts the writes that a stream lets go by without a word, one after the
// other: of those that were under way together, as before tells, one counts. One
// whose caller has gone says nothing.
func (w *wire) note(err error, before int32) {
	switch {
	case err == nil, code(err) != 0:
		w.unanswered.Store(0)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		w.unanswered.CompareAndSwap(before, before+1)
	}
}

// again reports whether an error leaves open if the message is stored.
func again(err error) bool {
	return code(err) == codeRepeatInFlight || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, nats.ErrTimeout) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrDisconnected)
}

func code(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode
	}
	return 0
}

// rest waits, or returns ctx's error.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// message makes one for a stream, with the ID under which a repeat is
// recognised.
func message(subject, id string, data []byte) *nats.Msg {
	m := nats.NewMsg(subject)
	m.Header.Set(nats.MsgIdHdr, id)
	m.Data = data
	return m
}

// expect makes the server refuse m unless last is the sequence of the newest
// message of its subject, 0 for none.
func expect(m *nats.Msg, last uint64) {
	m.Header.Set(nats.ExpectedLastSubjSeqHdr, strconv.FormatUint(last, 10))
}
