package sdk

import (
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/open-feature/go-sdk/openfeature"
)

// providerName is what OpenFeature is told.
const providerName = "sluice"

// Provider answers OpenFeature from flags in memory. New makes one; OpenFeature
// initialises it and shuts it down. It is safe for concurrent use.
type Provider struct {
	config Config
	api    *api
	budget *budget
	board  *board
	queue  *queue
	seen   *seen

	held   atomic.Pointer[snapshot] // nil: no flags yet
	opened atomic.Pointer[snapshot] // that held was unpacked from; nil: its counts are reported
	stream atomic.Pointer[string]   // name of the present stream, for acknowledgements

	exposures, tracked atomic.Uint64
	confessed          atomic.Uint64 // of the events that were dropped: the server was told of them

	turn    sync.Mutex          // held while the provider is begun, or ended
	running atomic.Pointer[run] // nil: not initialised, or shut down
}

var (
	_ openfeature.FeatureProvider          = (*Provider)(nil)
	_ openfeature.ContextAwareStateHandler = (*Provider)(nil)
	_ openfeature.EventHandler             = (*Provider)(nil)
)

// New returns a provider. It reads, opens and asks nothing before OpenFeature
// initialises it. All faults of the configuration come as event.Invalids.
func New(c Config) (*Provider, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	p := &Provider{config: c, budget: &budget{}, board: newBoard(c.stale()), seen: newSeen(rand.N(c.window()))}
	p.api, p.queue = newAPI(&p.config), newQueue(&p.config)
	return p, nil
}

// Metadata implements openfeature.FeatureProvider.
func (p *Provider) Metadata() openfeature.Metadata {
	return openfeature.Metadata{Name: providerName}
}

// Hooks implements openfeature.FeatureProvider. There are none: exposures and
// the attributes of spans are written where a flag is evaluated, which costs no
// hook's copies.
func (p *Provider) Hooks() []openfeature.Hook { return nil }

// EventChannel implements openfeature.EventHandler.
func (p *Provider) EventChannel() <-chan openfeature.Event { return p.board.events }

// Status returns what evaluations answer from at this moment.
func (p *Provider) Status() Status {
	return p.board.status(p.held.Load(), p.config.now())
}

func (p *Provider) announce() { p.board.announce(&p.held, p.config.now(), providerName) }

// Snapshot returns the flags that are held, to ship them with the next build as
// Config.Bootstrap; nil when there are none.
func (p *Provider) Snapshot() ([]byte, error) {
	s := p.held.Load()
	if s == nil {
		return nil, nil
	}
	return p.head(s).encode(s.all())
}

// head says of flags what is written down with them.
func (p *Provider) head(s *snapshot) head {
	h, now := head{Server: p.api.base}, p.config.now()
	if s.source != FromStream {
		h.Server = s.server
	}
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	if h.Confirmed = p.board.confirmed(s, now); p.board.connected {
		h.Confirmed = now
	}
	return h
}

// replace lets evaluations answer from other flags, from one moment to the next.
// Evaluations that the old ones had counted are reported.
func (p *Provider) replace(s *snapshot) {
	before := p.held.Swap(s)
	if before == nil {
		return
	}
	p.count(before.drain())
	if keys := s.set.Changed(before.set); len(keys) > 0 {
		p.board.change(keys, s.ruleset.Revision, providerName)
	}
}

// file returns the path of something in Config.Dir, empty when there is none.
func (p *Provider) file(name string) string {
	if p.config.Dir == "" {
		return ""
	}
	return filepath.Join(p.config.Dir, name)
}
