package event

import (
	"context"
	"fmt"
	"sync"
)

// Projection applies one log to several folds, in order, and knows how far it
// is. All folds are always at the same sequence.
type Projection struct {
	mu    sync.RWMutex
	folds []Fold
	chain Chain
	check *still        // at the newest multiple of CheckEvery; nil before the first, and after a start until the next
	err   error         // why it stopped; the state stays readable
	moved chan struct{} // closed and replaced when Seq moves or Run stops
}

// NewProjection returns a projection at sequence 0.
func NewProjection(folds ...Fold) *Projection {
	return &Projection{folds: folds, moved: make(chan struct{})}
}

// Run reads l from the projection's place and follows it until ctx is done.
// A damaged log, or an event that a fold cannot apply, ends it with an error
// that names the event; the state before that event stays readable.
func (p *Projection) Run(ctx context.Context, l Log) error {
	for r, err := range l.Follow(ctx, Filter{}, p.Seq()) {
		if err == nil {
			err = p.Apply(r)
		}
		if err != nil {
			p.stop(err)
			return err
		}
	}
	return nil
}

// Catch reads l from the projection's place to its present end.
func (p *Projection) Catch(ctx context.Context, l Log) error {
	for r, err := range l.Read(ctx, Filter{}, p.Seq()) {
		if err == nil {
			err = p.Apply(r)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Apply checks that r follows what was applied before and folds it in. A fold
// that fails may have left the folds before it one event ahead, so that the
// projection stays at the event before and applies nothing more.
func (p *Projection) Apply(r Recorded) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	if err := p.chain.check(r); err != nil {
		return err
	}
	for _, f := range p.folds {
		if err := f.Apply(r); err != nil {
			p.halt(fmt.Errorf("applying event %d (%s of %s): %w", r.Seq, r.Type, r.Subject, err))
			return p.err
		}
	}
	p.chain.advance(r)
	if r.Seq%CheckEvery == 0 {
		p.check = p.still()
	}
	p.wake()
	return nil
}

// View calls f while no fold changes, with the sequence that all are at. f
// must not keep what it reads by reference.
func (p *Projection) View(f func(seq uint64)) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	f(p.chain.Seq)
}

// Seq returns the sequence of the last event applied.
func (p *Projection) Seq() uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.chain.Seq
}

// Moved returns the current sequence and a channel that is closed when it
// moves on.
func (p *Projection) Moved() (uint64, <-chan struct{}) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.chain.Seq, p.moved
}

// Wait returns when the projection has applied seq, so that a writer reads its
// own write; or with ctx's error, or with the reason why Run stopped.
func (p *Projection) Wait(ctx context.Context, seq uint64) error {
	for {
		p.mu.RLock()
		at, moved, err := p.chain.Seq, p.moved, p.err
		p.mu.RUnlock()
		if at >= seq {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("waiting for event %d: %w", seq, ctx.Err())
		}
	}
}

// Err returns why the projection stopped, nil while it goes on.
func (p *Projection) Err() error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.err
}

func (p *Projection) stop(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halt(err)
}

func (p *Projection) halt(err error) {
	p.err = err
	p.wake()
}

func (p *Projection) wake() {
	close(p.moved)
	p.moved = make(chan struct{})
}
