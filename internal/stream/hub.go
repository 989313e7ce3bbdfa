package stream

import (
	"context"
	"sync"
	"time"
	"unique"

	"golang.org/x/time/rate"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Hub makes streams from the state of the flags. Its first three fields are
// required.
type Hub struct {
	Projection *event.Projection
	Flags      *flags.State // a fold of Projection
	Now        func() time.Time
	// MayHear reports whether a token, or a ticket when there is none, still opens
	// a stream of an environment; it is asked at every sign of life. Nil: whoever
	// came in may stay.
	MayHear func(token, environment string, notices bool) bool
	Limits

	mu     sync.Mutex
	closed bool
	places map[string]*place  // environments that somebody has listened to
	open   map[string]*Stream // by ID
	others int                // streams that others write: see Enter
	bucket [2]*rate.Limiter   // of rulesets, of notices
	seen   uint64             // revision of the flags when they were last looked at
	beaten time.Time          // when the last sign of life went out
}

// Run publishes every change of the flags until ctx is done, and then ends all
// streams, so that a server that shuts down waits for none.
func (h *Hub) Run(ctx context.Context) error {
	defer h.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		_, moved := h.Projection.Moved()
		now := h.Now()
		timer.Reset(h.Step(now).Sub(now))
		select {
		case <-moved:
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Step publishes what is due and returns when something will be, if no flag
// changes before.
func (h *Hub) Step(now time.Time) (next time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.look()
	if h.beaten.IsZero() {
		h.beaten = now
	}
	if next = h.beaten.Add(h.Limits.beat()); !now.Before(next) {
		h.beat(now)
		next = now.Add(h.Limits.beat())
	}
	for _, p := range h.places {
		if due := p.notify(now, h.settle()); !due.IsZero() && due.Before(next) {
			next = due
		}
	}
	return next
}

// look takes every place to where the flags are.
func (h *Hub) look() {
	var now uint64
	h.Projection.View(func(uint64) { now = h.Flags.Revision() })
	if now == h.seen {
		return
	}
	h.seen = now
	for _, p := range h.places {
		p.move()
	}
}

// environment is a source in the hub's projection. It holds up no event for
// longer than it takes to collect flags; they are encoded afterwards.
type environment struct {
	hub  *Hub
	name string
}

func (e environment) whole() (r flags.Ruleset) {
	e.hub.Projection.View(func(uint64) { r = e.hub.Flags.Ruleset(e.name) })
	return r
}

func (e environment) since(revision uint64) (r flags.Ruleset) {
	e.hub.Projection.View(func(uint64) { r = e.hub.Flags.RulesetSince(e.name, revision) })
	return r
}

func (h *Hub) beat(now time.Time) {
	h.beaten = now
	h.weed()
	for _, p := range h.places {
		p.beat()
	}
}

// weed marks the streams whose token was revoked, has expired, or may less than
// it did. They end with the sign of life that follows.
func (h *Hub) weed() {
	if h.MayHear == nil {
		return
	}
	may := map[ear]bool{} // thousands share a token
	for _, s := range h.open {
		e := s.request.ear()
		if _, ok := may[e]; !ok {
			may[e] = h.MayHear(e.token, e.environment, e.notices)
		}
		s.unwanted.Store(!may[e])
	}
}

func (h *Hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, p := range h.places {
		p.end()
	}
}

// Request says who wants to listen to what.
type Request struct {
	ID          string // of the stream, chosen by the caller
	Environment string // must be one
	Notices     bool   // notices for OFREP, not rulesets
	Token       string // ID of the token that opened it; empty: a ticket
	SDK         string // name and version, as it calls itself
	Last        string // Last-Event-ID, empty when it holds nothing

	Retry time.Duration // how long to wait before coming back
	Renew time.Time     // when to ask for a new ticket; zero: never
	Until time.Time     // when the stream ends; zero: never
}

// Open lets a stream in, or answers ErrBusy. The caller closes it.
func (h *Hub) Open(r Request) (*Stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.admits(r.Notices) {
		return nil, ErrBusy
	}
	s := h.join(r)
	h.open[r.ID] = s
	return s, nil
}

// Enter lets in a stream that somebody else writes, in another protocol, or
// answers ErrBusy: what all of them cost is bounded by one limit. leave is
// called at its end.
func (h *Hub) Enter(notices bool) (leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.admits(notices) {
		return nil, ErrBusy
	}
	h.others++
	return sync.OnceFunc(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.others--
	}), nil
}

// admits reports whether there is room for a stream. Anybody's browser opens
// streams of notices: they have a rate of their own, and the last fifth of the
// room is for SDKs.
func (h *Hub) admits(notices bool) bool {
	h.furnish()
	room, bucket := h.Limits.open(), h.bucket[0]
	if notices {
		room, bucket = room-room/5, h.bucket[1]
	}
	return !h.closed && len(h.open)+h.others < room && bucket.AllowN(h.Now(), 1)
}

// furnish makes what the zero Hub lacks.
func (h *Hub) furnish() {
	if h.places != nil {
		return
	}
	h.places, h.open = map[string]*place{}, map[string]*Stream{}
	for i := range h.bucket {
		h.bucket[i] = rate.NewLimiter(rate.Limit(h.rate()), h.rate())
	}
}

// join finds the place of a stream and what its listener lacks.
func (h *Hub) join(r Request) *Stream {
	p, ok := h.places[r.Environment]
	if !ok {
		p = newPlace(environment{h, r.Environment}, h.gap())
		h.places[r.Environment] = p
	}
	h.look() // what was written before the request was made is in the stream
	s := &Stream{hub: h, request: r, feed: p.rulesets, sdk: unique.Make(r.SDK)}
	s.request.SDK, s.request.Last = "", ""
	if r.Notices {
		s.feed = p.notices
	}
	s.first, s.at = s.feed.catchUp(r.from(s.feed.tail.revision))
	return s
}
