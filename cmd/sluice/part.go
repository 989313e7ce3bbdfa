package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-hq/sluice/internal/server"
)

// part is something that the flag plane does without: flags are served while it
// is not there. It is opened again and again until it is, and looked at ever
// after. name, fix and open are required.
type part[T any] struct {
	name  string // of the dependency: "warehouse"
	fix   string // what a person can do when it is not there
	open  func(context.Context) (T, error)
	check func(context.Context, T) error // says whether what was opened is well; nil: it is
	grace time.Duration                  // for which check may fail before the part counts as gone; zero: not at all

	mu     sync.Mutex
	value  T
	held   bool          // value was opened
	tried  chan struct{} // closed when open has returned for the first time
	unwell time.Time     // since when check fails; zero while it does not
	err    error         // why it is not there; nil while it is
}

// Pauses between two tries to open, and between two looks at what is open.
const (
	leastPause = 500 * time.Millisecond
	mostPause  = 15 * time.Second
	lookPause  = 2 * time.Second
	lookWait   = 10 * time.Second
)

// get returns the part, or server.Unavailable.
func (p *part[T]) get() (v T, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil:
		return v, server.Unavailable{Name: p.name, Fix: p.fix, Err: p.err}
	case !p.held:
		return v, server.Unavailable{Name: p.name, Fix: p.fix, Err: errOpening}
	}
	return p.value, nil
}

var errOpening = errors.New("it is being opened")

// opened returns what was opened, also while it is not well.
func (p *part[T]) opened() (T, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.value, p.held
}

// attempt opens the part, unless it is open, and returns why it cannot.
func (p *part[T]) attempt(ctx context.Context) error {
	if _, held := p.opened(); held {
		return nil
	}
	v, err := p.open(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err = err; err == nil {
		p.value, p.held = v, true
	}
	if p.tried != nil {
		close(p.tried)
		p.tried = nil
	}
	return err
}

// first waits until the part has been opened, or could not be, once.
func (p *part[T]) first(ctx context.Context) error {
	p.mu.Lock()
	if p.err == nil && !p.held && p.tried == nil {
		p.tried = make(chan struct{})
	}
	tried := p.tried
	p.mu.Unlock()
	if tried != nil {
		select {
		case <-tried:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// keep opens the part, runs what lives on it, and looks at it until ctx is
// done.
func (p *part[T]) keep(ctx context.Context, lg *slog.Logger, run func(context.Context, T) error) error {
	said := ""
	for pause := leastPause; ; pause = min(2*pause, mostPause) {
		err := p.attempt(ctx)
		if err == nil {
			break
		}
		if ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			lg.Error("flags are served without the "+p.name, "error", err, "fix", p.fix)
		}
		if !sleep(ctx, pause) {
			return nil
		}
	}
	if said != "" {
		lg.Info("the " + p.name + " is there")
	}
	v, _ := p.opened()
	g, living := errgroup.WithContext(ctx)
	g.Go(func() error { return each(living, lookPause, func() { _ = p.look(living) }) })
	g.Go(func() error { return run(living, v) })
	return g.Wait()
}

// look checks what is open, and returns what get would.
func (p *part[T]) look(ctx context.Context) error {
	v, held := p.opened()
	if held && p.check != nil {
		waiting, stop := context.WithTimeout(ctx, lookWait)
		began := now()
		err := p.check(waiting, v)
		stop()
		if ctx.Err() != nil { // whoever asked has gone, which says nothing of the part
			return ctx.Err()
		}
		p.judge(err, began, now())
	}
	_, err := p.get()
	return err
}

// judge notes what a check has found that lasted from began to ended.
func (p *part[T]) judge(err error, began, ended time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.err, p.unwell = nil, time.Time{}
		return
	}
	if p.unwell.IsZero() {
		p.unwell = began
	}
	if ended.Sub(p.unwell) >= p.grace {
		p.err = err
	}
}

// blame returns err as Unavailable when the part is why.
func (p *part[T]) blame(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if missing := p.look(ctx); missing != nil {
		return missing
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
