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
	dir     string // Config.Dir, when it is this process's; else empty
	unlock  func()
	first   chan struct{} // closed when there are flags, or nobody can expect any
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
// trying, and tells OpenFeature when it is ready. After a shutdown it begins
// again, with what it had.
func (p *Provider) InitWithContext(ctx context.Context, _ openfeature.EvaluationContext) error {
	r := p.begun()
	if p.held.Load() == nil {
		ctx, stop := context.WithTimeout(ctx, p.config.wait())
		defer stop()
		await(ctx, r.first, nil)
	}
	switch v := p.board.begin(&p.held, p.config.now()); v.State {
	case Ready, Stale: // as OpenFeature has it, both are ready: there are flags
		return nil
	case Fatal:
		return &openfeature.ProviderInitError{ErrorCode: openfeature.ProviderFatalCode, Message: v.Why}
	default:
		return &openfeature.ProviderInitError{
			ErrorCode: openfeature.ProviderNotReadyCode, Message: "there are no flags yet: " + cmp.Or(v.Why, "the server has not answered"),
		}
	}
}

// begun returns the present run, and begins one when there is none. One that is
// being shut down is waited for: two would want the same folder.
func (p *Provider) begun() *run {
	p.turn.Lock()
	defer p.turn.Unlock()
	if p.running.Load() == nil {
		p.running.Store(p.start())
	}
	return p.running.Load()
}

// start reads what is known and begins to follow the server.
func (p *Provider) start() *run {
	ctx, stop := context.WithCancel(context.Background())
	r := &run{stop: stop, dir: p.config.Dir, first: make(chan struct{}), settled: make(chan struct{}, 1)}
	unlock, err := p.occupy()
	if r.unlock = unlock; err != nil {
		r.dir = ""
		p.queue.disk(err)
	}
	p.recall()
	r.sender = newSender(&p.config, p.api, p.queue, p.budget)
	r.ended.Go(func() { p.queue.keep(ctx, r.dir) })
	r.ended.Go(func() { r.sender.run(ctx) })
	r.ended.Go(func() { newFollower(p, r).follow(ctx) })
	r.ended.Go(func() { p.afterwards(ctx, r) })
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

// leave bounds a shutdown that nobody else does.
const leave = 10 * time.Second

// Shutdown implements openfeature.StateHandler.
func (p *Provider) Shutdown() { _ = p.ShutdownWithContext(context.Background()) }

// ShutdownWithContext implements openfeature.ContextAwareStateHandler. It sends
// what waits until ctx is done. With a folder one failed attempt is enough: what
// is left is on disk, and goes out at the next start. Without one, events that
// could not be sent are lost, and the error says how many. A ctx without a
// deadline has 10 seconds: OpenFeature's own shutdown gives none. Evaluations go
// on with the flags that there are.
func (p *Provider) ShutdownWithContext(ctx context.Context) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	r := p.running.Swap(nil)
	if r == nil {
		return nil
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, leave)
		defer stop()
	}
	if lost := p.end(ctx, r); lost > 0 {
		return errors.Join(ctx.Err(), fmt.Errorf("%d events were not sent, and are lost", lost))
	}
	return nil
}

// end ends a run and returns how many events are lost with it.
func (p *Provider) end(ctx context.Context, r *run) (lost int) {
	p.report()
	r.sender.flush(ctx, r.dir != "" && p.queue.disabled() == "") // also where the queue is only just being opened
	r.stop()
	r.ended.Wait()
	r.known() // who still waits for flags waits in vain
	lost = p.queue.shut()
	p.save(r.dir)
	p.board.fail(errShut.Error(), false)
	p.api.close()
	r.unlock()
	return lost
}

var errShut = errors.New("the provider was shut down")

// Flush returns when the server has said what became of every event there is
// now, or ctx is done, or the provider is shut down: then it says how many wait.
// A provider that is not initialised sends nothing.
func (p *Provider) Flush(ctx context.Context) error {
	waiting := p.queue.waiting()
	if r := p.running.Load(); r != nil {
		waiting = r.sender.flush(ctx, false)
	}
	if waiting > 0 {
		return errors.Join(ctx.Err(), fmt.Errorf("%d events wait to be sent", waiting))
	}
	return nil
}
