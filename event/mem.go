package event

import (
	"context"
	"fmt"
	"iter"
	"sync"
)

// MemLog is a Log in memory, for tests and rehearsals.
type MemLog struct {
	mu     sync.Mutex
	events []Recorded
	byID   map[ID]uint64
	last   map[string]uint64 // subject -> sequence of its last event
	grown  chan struct{}     // closed and replaced at every append
}

// NewMemLog returns an empty log.
func NewMemLog() *MemLog {
	return &MemLog{byID: map[ID]uint64{}, last: map[string]uint64{}, grown: make(chan struct{})}
}

var _ Log = (*MemLog)(nil)

// Append implements Log.
func (l *MemLog) Append(ctx context.Context, e Event, expect Expect) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	e, err := Canonical(e)
	if err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq, ok := l.byID[e.ID]; ok {
		return seq, nil
	}
	last := l.last[e.Subject]
	if expect != Any && uint64(expect) != last {
		return 0, fmt.Errorf("%w: %s is at %d, not %d", ErrConflict, e.Subject, last, expect)
	}
	r := Recorded{Event: e, Seq: uint64(len(l.events)) + 1}
	if last > 0 {
		r.Prev = l.events[last-1].Hash
	}
	if r.Hash, err = Link(r.Prev, e); err != nil {
		return 0, err
	}
	l.events = append(l.events, r)
	l.byID[e.ID], l.last[e.Subject] = r.Seq, r.Seq
	close(l.grown)
	l.grown = make(chan struct{})
	return r.Seq, nil
}

// Read implements Log.
func (l *MemLog) Read(ctx context.Context, f Filter, after uint64) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		events, _ := l.since(after)
		each(ctx, f, events, yield)
	}
}

// Follow implements Log.
func (l *MemLog) Follow(ctx context.Context, f Filter, after uint64) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		for {
			events, grown := l.since(after)
			if !each(ctx, f, events, yield) {
				return
			}
			after += uint64(len(events))
			select {
			case <-grown:
			case <-ctx.Done():
				return
			}
		}
	}
}

// Last implements Log.
func (l *MemLog) Last(context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.events)), nil
}

func (l *MemLog) since(after uint64) ([]Recorded, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after >= uint64(len(l.events)) {
		return nil, l.grown
	}
	return l.events[after:len(l.events):len(l.events)], l.grown
}

func each(ctx context.Context, f Filter, events []Recorded, yield func(Recorded, error) bool) bool {
	for _, r := range events {
		if ctx.Err() != nil {
			return false
		}
		if f.Match(r.Subject) && !yield(r, nil) {
			return false
		}
	}
	return ctx.Err() == nil
}
