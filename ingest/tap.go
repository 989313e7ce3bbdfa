package ingest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// Tap lets people hear what comes to a door, event by event. The zero value is
// ready; it is safe for concurrent use. While nobody listens it costs nothing
// but for events that were not taken or are dead, of which it remembers the last.
type Tap struct {
	listening atomic.Int32

	mu       sync.Mutex
	open     []*Listener
	troubles []Heard // the last that were not simply taken, oldest first
}

// How much is kept for people who listen.
const (
	mostTroubles  = 200
	mostListeners = 32
	mostWaiting   = 4096 // events of one listener that it has not read yet
)

// TapFilter selects what a listener hears. The zero filter selects all of an
// environment that has no name: Environment is required.
type TapFilter struct {
	Environment string
	Verdict     Verdict // "" is every verdict
	Kind        string  // "" is every kind
	Name        string  // of the event, the flag or the service; "" is every name
	Unit        Unit    // as its sender names it; the zero Unit is every unit
	Recent      bool    // begin with what was not simply taken lately
}

func (f TapFilter) match(h Heard) bool {
	return f.Environment == h.Environment && (f.Verdict == "" || f.Verdict == h.Verdict) && (f.Kind == "" || f.Kind == h.Kind) &&
		(f.Name == "" || f.Name == h.Name) && (f.Unit == Unit{} || slices.Contains(h.units, f.Unit))
}

// Listener hears what its filter selects.
type Listener struct {
	C <-chan Heard

	tap    *Tap
	filter TapFilter
	send   chan Heard
	missed atomic.Uint64
}

// ErrCrowded says that as many listen as may.
var ErrCrowded = errors.New("enough people listen to events already")

// Listen opens a listener, which has to be closed.
func (in *Intake) Listen(f TapFilter) (*Listener, error) {
	if f.Unit != (Unit{}) {
		f.Unit.ID = hashedText(UnitHash(in.Door.Key, f.Unit.Kind, f.Unit.ID))
	}
	return in.tap.listen(f)
}

func (t *Tap) listen(f TapFilter) (*Listener, error) {
	send := make(chan Heard, mostWaiting)
	l := &Listener{C: send, tap: t, filter: f, send: send}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.open) >= mostListeners {
		return nil, ErrCrowded
	}
	if f.Recent {
		l.hear(t.troubles)
	}
	t.open = append(t.open, l)
	t.listening.Add(1)
	return l, nil
}

// Close ends the listener.
func (l *Listener) Close() {
	t := l.tap
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.open, l); i >= 0 {
		t.open = slices.Delete(t.open, i, i+1)
		t.listening.Add(-1)
	}
}

// Missed returns how many events the listener was too slow for since it was
// asked last.
func (l *Listener) Missed() uint64 { return l.missed.Swap(0) }

func (l *Listener) hear(list []Heard) {
	for _, h := range list {
		if !l.filter.match(h) {
			continue
		}
		select {
		case l.send <- h:
		default:
			l.missed.Add(1)
		}
	}
}

// note writes down what to tell of a request, before its events belong to the
// packs: all of them if somebody listens, else what went wrong.
func (t *Tap) note(h *hearing, taken Taken) {
	if t.listening.Load() > 0 {
		h.taken(taken.Batch)
	}
	h.dead(taken.Dead)
	h.rejected(taken.Rejected)
}

// tell lets the listeners hear of a request that has been answered.
func (t *Tap) tell(h hearing, err error) {
	switch {
	case errors.Is(err, context.Canceled):
		return // the sender is gone, and whether the events are on disk is not known
	case err != nil:
		h.list = nil
		h.barred(err)
	case len(h.list) == 0:
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.open {
		l.hear(h.list)
	}
	for _, heard := range h.list {
		if heard.Verdict != Took {
			t.troubles = append(t.troubles, heard)
		}
	}
	if over := len(t.troubles) - mostTroubles; over > 0 {
		t.troubles = append([]Heard(nil), t.troubles[over:]...)
	}
}
