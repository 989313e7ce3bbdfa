package natslog

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/sluice-hq/sluice/event"
)

// index is what Append must know of the whole log: where every ID is, and the
// last event of every subject. It is folded from the log and follows it, so
// that it is right however long ago an ID was written and whoever wrote it. It
// takes about 60 bytes an event and 150 a subject: 6 MB for 100,000 events.
type index struct {
	mu     sync.RWMutex
	audit  event.Audit
	ids    map[event.ID]uint64
	lasts  map[string]uint64
	noted  event.Mark    // what seal.json says; checked when the fold passes it
	err    error         // why it follows no more
	moved  chan struct{} // closed and replaced when the audit moves, or err is set
	target uint64        // a sequence that is known to be in the log
	raised chan struct{} // holds one token when target was raised
}

func newIndex(noted event.Mark) *index {
	return &index{
		ids: map[event.ID]uint64{}, lasts: map[string]uint64{}, noted: noted,
		moved: make(chan struct{}), raised: make(chan struct{}, 1),
	}
}

// place is where an event would go.
type place struct {
	known uint64     // sequence that its ID has already, 0: not in the log
	last  uint64     // sequence of the last event of its subject
	prev  event.Hash // hash of that event
}

func (x *index) place(e event.Event) (place, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return place{x.ids[e.ID], x.lasts[e.Subject], x.audit.Chain.Last(e.Subject)}, x.err
}

func (x *index) seq() uint64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.audit.Seq
}

// mark returns the place and the head there, without a state.
func (x *index) mark() (event.Mark, event.Seals) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return event.Mark{Seq: x.audit.Seq, Head: x.audit.Head}, x.audit.Seals
}

func (x *index) state() (seq uint64, moved <-chan struct{}, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.audit.Seq, x.moved, x.err
}

// add folds messages in. An error wraps event.ErrDamaged and names the event.
func (x *index) add(page []stored) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.wake()
	for _, m := range page {
		r, err := decode(m)
		if err == nil {
			err = x.audit.Next(r)
		}
		if err == nil && r.Seq == x.noted.Seq && x.audit.Head != x.noted.Head {
			err = fmt.Errorf("%w: event %d or one before it is not what was sealed", event.ErrDamaged, r.Seq)
		}
		if err != nil {
			return err
		}
		x.ids[r.ID], x.lasts[r.Subject] = r.Seq, r.Seq
	}
	return nil
}

// halt ends the index; the first reason stays.
func (x *index) halt(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err == nil {
		x.err = err
		x.wake()
	}
}

func (x *index) wake() {
	close(x.moved)
	x.moved = make(chan struct{})
}

// raise tells the tail that seq is in the log.
func (x *index) raise(seq uint64) {
	x.mu.Lock()
	x.target = max(x.target, seq)
	x.mu.Unlock()
	select {
	case x.raised <- struct{}{}:
	default:
	}
}

func (x *index) behind() (end uint64, behind bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.target, x.audit.Seq < x.target
}

// tail keeps the index up to date until ctx is done.
func (l *Log) tail(ctx context.Context) {
	defer close(l.stopped)
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.index.raised:
		}
		if err := l.follow(ctx); err != nil {
			l.index.halt(err)
			return
		}
	}
}

// follow reads up to the target. An answer that does not come is asked for
// again; damage ends it.
func (l *Log) follow(ctx context.Context) error {
	for pause := time.Millisecond; ; pause = min(2*pause, time.Second) {
		end, behind := l.index.behind()
		if !behind {
			return nil
		}
		err := l.fill(ctx, end)
		if lasting(err) {
			return err
		}
		if err != nil && rest(ctx, pause) != nil {
			return ctx.Err()
		}
	}
}

// fill reads the log into the index up to end. One goroutine at a time.
func (l *Log) fill(ctx context.Context, end uint64) error {
	for at := l.index.seq(); at < end; at = l.index.seq() {
		page, err := l.read(ctx, at, int(min(end-at, pageMessages)))
		if err != nil {
			return err
		}
		if err := l.index.add(page); err != nil {
			return err
		}
	}
	return nil
}

// reach waits until the tail has read seq, which is known to be in the log.
func (l *Log) reach(ctx context.Context, seq uint64) error {
	l.index.raise(seq)
	for {
		at, moved, err := l.index.state()
		if at >= seq || err != nil {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// catchUp brings the index to the end that the server knows, by way of fill or
// reach.
func (l *Log) catchUp(ctx context.Context, by func(context.Context, uint64) error) error {
	end, err := l.Last(ctx)
	if err != nil {
		return err
	}
	return by(ctx, end)
}

// listen has the server say when another process has written. It delivers
// headers alone and is no source: what it passes over, the tail finds missing.
func (l *Log) listen(ctx context.Context) error {
	c, err := l.js.OrderedConsumer(ctx, l.stream, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: l.index.seq() + 1, HeadersOnly: true,
	})
	if err == nil {
		l.pushed, err = c.Consume(func(m jetstream.Msg) {
			if meta, err := m.Metadata(); err == nil {
				l.index.raise(meta.Sequence.Stream)
			}
		})
	}
	if err != nil {
		return fmt.Errorf("listening to the log: %w", err)
	}
	return nil
}
