package natslog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sluice-hq/sluice/event"
)

// Log is event.Log on the stream CONTROL. A message's data is the event as
// event.Recorded writes it, without its sequence, which is the message's own.
type Log struct {
	*wire
	index    *index
	readOnly string // why nothing may be appended; empty: it may
	stop     context.CancelFunc
	stopped  chan struct{}
	pushed   jetstream.ConsumeContext // remote alone: wakes the tail when others write
}

func newLog(w *wire, noted event.Mark) *Log {
	return &Log{wire: w, index: newIndex(noted), stop: func() {}}
}

// open folds the log from its start, and starts to follow it.
func (l *Log) open(ctx context.Context, remote bool) error {
	if err := l.catchUp(ctx, l.fill); err != nil {
		return err
	}
	if at, noted := l.index.seq(), l.index.noted.Seq; at < noted {
		l.readOnly = fmt.Sprintf("it ends at event %d, but event %d was sealed", at, noted)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop, l.stopped = stop, make(chan struct{})
	go l.tail(run)
	if remote {
		return l.listen(ctx)
	}
	return nil
}

func (l *Log) close() {
	if l.pushed != nil {
		l.pushed.Stop()
	}
	l.stop()
	if l.stopped != nil {
		<-l.stopped
	}
	l.index.halt(errors.New("the log is closed"))
}

// Why returns why the log is read-only, "" when it is not.
func (l *Log) Why() string { return l.readOnly }

// Mark returns the end of the log and the head there, as the log itself has
// folded them, without a state.
func (l *Log) Mark() event.Mark {
	m, _ := l.index.mark()
	return m
}

// Append implements event.Log. JetStream looks at the expectation before it
// looks for a repeat, and forgets IDs after two minutes. So an ID is looked up
// in the index of the whole log, before the event is sent and again after a
// conflict, when the index has caught up.
func (l *Log) Append(ctx context.Context, e event.Event, want event.Expect) (uint64, error) {
	e, err := event.Canonical(e)
	if err != nil {
		return 0, err
	}
	if l.readOnly != "" {
		return 0, fmt.Errorf("%w: %s", event.ErrReadOnly, l.readOnly)
	}
	if err := checkKind(e.Subject); err != nil {
		return 0, err
	}
	for pause := time.Millisecond; ; pause = min(2*pause, time.Second) {
		seq, err := l.attempt(ctx, e, want)
		if !errors.Is(err, event.ErrConflict) {
			return seq, err
		}
		moved, err := l.settle(ctx, e, want)
		if err == nil && !moved {
			err = rest(ctx, pause) // another write of the subject is in flight
		}
		if err != nil {
			return 0, err
		}
	}
}

// attempt appends e if the index has what the writer expects.
func (l *Log) attempt(ctx context.Context, e event.Event, want event.Expect) (uint64, error) {
	place, err := l.index.place(e)
	if err != nil || place.known > 0 {
		return place.known, err
	}
	if want != event.Any && uint64(want) != place.last {
		return 0, fmt.Errorf("%w: %s is at %d, not %d", event.ErrConflict, e.Subject, place.last, want)
	}
	data, err := encode(e, place.prev)
	if err != nil {
		return 0, err
	}
	m := message(e.Subject, e.ID.String(), data)
	expect(m, place.last)
	seq, err := l.publish(ctx, m)
	if err == nil {
		l.reach(ctx, seq) // on disk whatever this says; the next writer finds the index up to date
	}
	return seq, err
}

// settle decides a conflict: it brings the index to the log's end and says
// whether it moved. Somebody else's write is event.ErrConflict, unless the ID
// is in the log by now or any place will do.
func (l *Log) settle(ctx context.Context, e event.Event, want event.Expect) (moved bool, err error) {
	before := l.index.seq()
	if err := l.catchUp(ctx, l.reach); err != nil {
		return false, err
	}
	place, err := l.index.place(e)
	if err != nil {
		return false, err
	}
	if place.known == 0 && want != event.Any && uint64(want) != place.last {
		return false, fmt.Errorf("%w: %s is at %d, not %d", event.ErrConflict, e.Subject, place.last, want)
	}
	return place.known > 0 || l.index.seq() > before, nil
}

// Read implements event.Log.
func (l *Log) Read(ctx context.Context, f event.Filter, after uint64) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		end, err := l.Last(ctx)
		if err != nil {
			yield(event.Recorded{}, err)
			return
		}
		l.span(ctx, f, span{after, end, l.read}, yield)
	}
}

// Follow implements event.Log.
func (l *Log) Follow(ctx context.Context, f event.Filter, after uint64) iter.Seq2[event.Recorded, error] {
	return func(yield func(event.Recorded, error) bool) {
		for {
			at, moved, err := l.index.state()
			if after < at && !l.span(ctx, f, span{after, at, l.insist}, yield) {
				return
			}
			after = max(after, at)
			if err != nil {
				yield(event.Recorded{}, err)
				return
			}
			select {
			case <-moved:
			case <-ctx.Done():
				return
			}
		}
	}
}

// Last implements event.Log.
func (l *Log) Last(ctx context.Context) (uint64, error) { return l.last(ctx) }

// insist reads as read does, and again for as long as no answer comes: who
// follows the log outlives an election.
func (l *Log) insist(ctx context.Context, after uint64, limit int) ([]stored, error) {
	for pause := time.Millisecond; ; pause = min(2*pause, time.Second) {
		page, err := l.read(ctx, after, limit)
		if err == nil || lasting(err) || rest(ctx, pause) != nil {
			return page, err
		}
	}
}

// lasting reports whether a read that failed would fail again.
func lasting(err error) bool {
	return errors.Is(err, event.ErrDamaged) || errors.Is(err, nats.ErrConnectionClosed)
}

// span is a part of the log and how it is read.
type span struct {
	after, end uint64
	read       func(ctx context.Context, after uint64, limit int) ([]stored, error)
}

// span yields the events of a part, and reports whether the reader wants more.
func (l *Log) span(ctx context.Context, f event.Filter, s span, yield func(event.Recorded, error) bool) bool {
	for s.after < s.end && ctx.Err() == nil {
		page, err := s.read(ctx, s.after, int(min(s.end-s.after, pageMessages)))
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			yield(event.Recorded{}, err)
			return false
		}
		if !each(ctx, f, page, yield) {
			return false
		}
		s.after += uint64(len(page))
	}
	return ctx.Err() == nil
}

func each(ctx context.Context, f event.Filter, page []stored, yield func(event.Recorded, error) bool) bool {
	for _, m := range page {
		if ctx.Err() != nil {
			return false
		}
		if !f.Match(m.subject) {
			continue
		}
		r, err := decode(m)
		if err == nil {
			err = r.Check()
		}
		if err != nil {
			yield(event.Recorded{}, err)
			return false
		}
		if !yield(r, nil) {
			return false
		}
	}
	return true
}

// checkKind refuses a subject that the stream does not keep: the server would
// not answer at all.
func checkKind(subject string) error {
	kind, _, more := strings.Cut(subject, ".")
	if subject == event.SealSubject {
		return nil
	}
	for _, k := range kinds {
		if more && kind == k {
			return nil
		}
	}
	return event.Invalid{Path: "subject", Value: subject, Why: "is of no kind that the log keeps", Fix: strings.Join(kinds[:], ", ")}
}

// body is the stored shape of an event: event.Recorded without the sequence.
type body struct {
	event.Event
	Prev event.Hash `json:"prev"`
	Hash event.Hash `json:"hash"`
}

func encode(e event.Event, prev event.Hash) ([]byte, error) {
	h, err := event.Link(prev, e)
	if err != nil {
		return nil, err
	}
	return json.Marshal(body{e, prev, h})
}

func decode(m stored) (event.Recorded, error) {
	var b body
	if err := json.Unmarshal(m.data, &b); err != nil {
		return event.Recorded{}, fmt.Errorf("%w: event %d cannot be read: %v", event.ErrDamaged, m.seq, err)
	}
	if b.Subject != m.subject {
		return event.Recorded{}, fmt.Errorf("%w: event %d of %s lies under %s", event.ErrDamaged, m.seq, b.Subject, m.subject)
	}
	return event.Recorded{Event: b.Event, Seq: m.seq, Prev: b.Prev, Hash: b.Hash}, nil
}
