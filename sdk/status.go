package sdk

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

// State says how far what a provider answers can be trusted to be new.
type State string

// The states.
const (
	NotReady State = "NOT_READY" // there are no flags yet: evaluations give the default in the code
	Ready    State = "READY"     // the server was heard of within Config.Stale
	Stale    State = "STALE"     // it was not: answers are from the last flags that were known
	Fatal    State = "FATAL"     // there are no flags, and the server refuses the token
)

// Status is what a provider answers from.
type Status struct {
	State       State
	Environment string
	Revision    uint64        // of the newest change
	Source      Source        // empty: there are no flags
	Age         time.Duration // since the server confirmed that this is the newest; negative: nobody knows
	Flags       int
	Why         string // the last attempt to hear of changes failed; empty: it did not
}

// board knows the state, and tells OpenFeature when it changes.
type board struct {
	events chan openfeature.Event
	stale  time.Duration // without a sign of life, after which flags are

	mu        sync.Mutex
	connected bool
	heard     time.Time // of the server; zero: never
	denied    bool      // the token was refused
	why       string
	open      bool // OpenFeature has been told how the initialisation went
	announced State
}

// mostEvents is how many events wait for OpenFeature. One that has no room is
// left out: nobody listens then.
const mostEvents = 256

func newBoard(stale time.Duration) *board {
	return &board{events: make(chan openfeature.Event, mostEvents), stale: stale}
}

// hear notes a sign of life on a stream whose flags are in use.
func (b *board) hear(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.connected {
		b.heard = now
	}
}

// connect notes that a stream is open, and that what it said is in use.
func (b *board) connect(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.connected, b.denied, b.heard, b.why = true, false, now, ""
}

// fail notes that there is no stream, and why.
func (b *board) fail(why string, denied bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.connected, b.denied, b.why = false, denied, why
}

// state is the state of who holds s, which is nil without flags. The caller
// holds the lock.
func (b *board) state(s *snapshot, now time.Time) State {
	switch {
	case s == nil && b.denied:
		return Fatal
	case s == nil:
		return NotReady
	case b.connected:
		return Ready
	}
	if at := b.confirmed(s, now); at.IsZero() || now.Sub(at) > b.stale {
		return Stale
	}
	return Ready
}

// confirmed returns when the server was last known to have nothing newer, zero
// when nobody knows: a file from the future is of a clock that was wrong.
func (b *board) confirmed(s *snapshot, now time.Time) time.Time {
	if s.confirmed.After(b.heard) && !s.confirmed.After(now) {
		return s.confirmed
	}
	return b.heard
}

func (b *board) status(s *snapshot, now time.Time) Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.see(s, now)
}

// see is status for who holds the lock.
func (b *board) see(s *snapshot, now time.Time) Status {
	v := Status{State: b.state(s, now), Age: -1, Why: b.why}
	if s == nil {
		return v
	}
	v.Environment, v.Revision, v.Source, v.Flags = s.ruleset.Environment, s.ruleset.Revision, s.source, s.size()
	if at := b.confirmed(s, now); !at.IsZero() {
		v.Age = max(0, now.Sub(at))
	}
	return v
}

// announce tells OpenFeature a state that is new. One that is not Ready is told
// again after every failed attempt, with its age: OpenFeature declares a provider
// ready when it has been initialised, which may be after the first of them.
func (b *board) announce(held *atomic.Pointer[snapshot], now time.Time, provider string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.see(held.Load(), now)
	if v.State == Ready && b.announced == Ready {
		return
	}
	b.announced = v.State
	b.tell(eventOf(v, provider))
}

// begin lets events out, and returns the status which OpenFeature is told by the
// end of the initialisation: until then it waits for that alone. Both are one
// step, so that no change falls between them.
func (b *board) begin(held *atomic.Pointer[snapshot], now time.Time) Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	v := b.see(held.Load(), now)
	if b.open, b.announced = true, v.State; v.State == Stale {
		b.announced = Ready // which OpenFeature takes it for
	}
	return v
}

// tell hands an event over. The caller holds the lock.
func (b *board) tell(e openfeature.Event) {
	if !b.open {
		return
	}
	select {
	case b.events <- e:
	default:
	}
}

// change tells OpenFeature which flags may answer otherwise than before.
func (b *board) change(keys []string, revision uint64, provider string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tell(openfeature.Event{ProviderName: provider, EventType: openfeature.ProviderConfigChange, ProviderEventDetails: openfeature.ProviderEventDetails{
		Message: "flags have changed", FlagChanges: keys, EventMetadata: map[string]any{"revision": int64(revision)},
	}})
}

func eventOf(v Status, provider string) openfeature.Event {
	e := openfeature.Event{ProviderName: provider, ProviderEventDetails: openfeature.ProviderEventDetails{
		Message: v.Why, EventMetadata: map[string]any{"state": string(v.State), "revision": int64(v.Revision)},
	}}
	if v.Age >= 0 {
		e.EventMetadata["ageSeconds"] = v.Age.Seconds()
	}
	switch v.State {
	case Ready:
		e.EventType = openfeature.ProviderReady
	case Stale:
		e.EventType = openfeature.ProviderStale
	case NotReady:
		e.EventType, e.ErrorCode = openfeature.ProviderError, openfeature.ProviderNotReadyCode
	case Fatal:
		e.EventType, e.ErrorCode = openfeature.ProviderError, openfeature.ProviderFatalCode
	}
	return e
}
