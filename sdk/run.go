package sdk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

// run is a provider between initialisation and shutdown. It starts goroutines
// itself, since whoever links the package has nowhere else to start them.
type run struct {
	stop    context.CancelFunc
	sender  *sender
	unlock  func()
	first   chan struct{} // closed when there are flags, or an attempt says that there will be none
	once    sync.Once
	settled chan struct{} // something was adopted: acknowledge it, write it down
	ended   sync.WaitGroup
}

// Init implements openfeature.StateHandler.
func (p *Provider) Init(c openfeature.EvaluationContext) error {
	return p.InitWithContext(context.Background(), c)
}

// InitWithContext implements openfeature.ContextAwareStateHandler. With a
// last-known file or bootstrap data it returns at once; without, it waits for the
// first flags, at most for Config.Wait. After an error the provider goes on
// trying, and tells OpenFeature when it is ready.
func (p *Provider) InitWithContext(ctx context.Context, _ openfeature.EvaluationContext) error {
	p.mu.Lock()
	if p.running == nil {
		p.running = p.start()
	}
	r := p.running
	p.mu.Unlock()
	if p.held.Load() == nil {
		ctx, stop := context.WithTimeout(ctx, p.config.wait())
		defer stop()
		wait(ctx, 0, r.first, nil)
	}
	v := p.Status()
	if v.State == Stale {
		v.State = Ready // as OpenFeature has it: there are flags
	}
	defer p.board.begin(v.State)
	switch {
	case v.State == Ready:
		return nil
	case v.State == Fatal:
		return &openfeature.ProviderInitError{ErrorCode: openfeature.ProviderFatalCode, Message: v.Why}
	}
	return &openfeature.ProviderInitError{
		ErrorCode: openfeature.ProviderNotReadyCode, Message: "there are no flags yet: " + cmp.Or(v.Why, "the server has not answered"),
	}
}

// start reads what is known and begins to follow the server.
func (p *Provider) start() *run {
	ctx, stop := context.WithCancel(context.Background())
	r := &run{stop: stop, first: make(chan struct{}), settled: make(chan struct{}, 1)}
	dir := p.config.Dir
	unlock, err := p.occupy()
	if r.unlock = unlock; err != nil {
		dir = ""
		p.queue.disk(err)
	}
	p.recall()
	r.sender = &sender{config: &p.config, api: p.api, queue: p.queue, budget: p.budget, kick: make(chan struct{}, 1)}
	r.ended.Go(func() { p.queue.keep(ctx, dir) })
	r.ended.Go(func() { r.sender.run(ctx) })
	r.ended.Go(func() { (&follower{p: p, run: r, library: p.library()}).follow(ctx) })
	r.ended.Go(func() { p.afterwards(ctx, r.settled) })
	r.ended.Go(func() { p.reporting(ctx) })
	return r
}

// known ends the wait for the first flags.
func (r *run) known() { r.once.Do(func() { close(r.first) }) }

// occupy makes the folder, and keeps other processes out of it.
func (p *Provider) occupy() (unlock func(), err error) {
	if p.config.Dir == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(p.config.Dir, 0o700); err != nil {
		return func() {}, err
	}
	unlock, err = lock(p.file("lock"))
	if err != nil {
		return func() {}, fmt.Errorf("%s is of another process: %w; give each a folder of its own", p.config.Dir, err)
	}
	return unlock, nil
}

const lastKnownFile = "last-known"

// recall takes up the newest flags that are at hand, unless some are held from
// before.
func (p *Provider) recall() {
	if p.held.Load() != nil {
		return
	}
	best, source := lastKnown{}, Source("")
	if len(p.config.Bootstrap) > 0 {
		k, err := decodeLastKnown(p.config.Bootstrap)
		if err != nil {
			p.config.log().Error("the bootstrap data is not used", "error", err)
		} else if p.ours(k) {
			best, source = k, FromBootstrap
		}
	}
	if path := p.file(lastKnownFile); path != "" {
		k, found, err := readLastKnown(path)
		if err != nil {
			p.config.log().Error("the last-known flags are not used", "error", err)
		} else if found && p.ours(k) && (source == "" || k.ruleset.Revision >= best.ruleset.Revision) {
			best, source = k, FromLastKnown
		}
	}
	if source == "" {
		return
	}
	lists, err := library{dir: p.file("lists")}.lists(context.Background(), best.ruleset, nil)
	if err != nil {
		p.config.log().Error("flags that ask for a list of units have no answer until it is there", "error", err)
	}
	s := newSnapshot(source, best.ruleset, lists)
	s.confirmed = best.Confirmed
	p.held.Store(s)
}

// ours reports whether flags are of the environment that is wanted.
func (p *Provider) ours(k lastKnown) bool {
	return p.config.Environment == "" || p.config.Environment == k.ruleset.Environment
}

func (p *Provider) library() library { return library{dir: p.file("lists"), api: p.api} }

// leave bounds a shutdown that nobody else does.
const leave = 10 * time.Second

// Shutdown implements openfeature.StateHandler.
func (p *Provider) Shutdown() { _ = p.ShutdownWithContext(context.Background()) }

// ShutdownWithContext implements openfeature.ContextAwareStateHandler. It sends
// what waits until ctx is done. With a folder one failed attempt is enough: what
// is left is on disk, and goes out at the next start. Without one, events that
// could not be sent are lost, and the error says how many. A ctx without a
// deadline has 10 seconds: OpenFeature's own shutdown gives none.
func (p *Provider) ShutdownWithContext(ctx context.Context) error {
	p.mu.Lock()
	r := p.running
	p.running = nil
	p.mu.Unlock()
	if r == nil {
		return nil
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, leave)
		defer stop()
	}
	if s := p.held.Load(); s != nil {
		p.count(s.set.Drain())
	}
	r.sender.flush(ctx, p.queue.durable())
	r.stop()
	r.ended.Wait()
	lost := p.queue.shut()
	p.save()
	r.unlock()
	if lost > 0 {
		return errors.Join(ctx.Err(), fmt.Errorf("%d events were not sent, and are lost", lost))
	}
	return nil
}

// Flush returns when the server has said what became of every event there is
// now, or ctx is done: then it says how many wait. A provider that is not
// initialised sends nothing.
func (p *Provider) Flush(ctx context.Context) error {
	p.mu.Lock()
	r := p.running
	p.mu.Unlock()
	waiting := p.queue.waiting()
	if r != nil {
		waiting = r.sender.flush(ctx, false)
	}
	if waiting > 0 {
		return errors.Join(ctx.Err(), fmt.Errorf("%d events wait to be sent", waiting))
	}
	return nil
}
