package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Sender tells webhooks what the log says. Any number of replicas may have one:
// every change of an outbox compares its revision, and a try is written down
// before it is made, so that two of them do not make the same one. Where only
// one of them steps, as under a lease, that takes no clocks that agree.
//
// House must be kept up with Log by somebody else, and must hold State among
// its folds. Everything but Logger and Timeout is required. Steps of different
// webhooks may run at once.
type Sender struct {
	Log     event.Log
	KV      KV
	House   *event.Projection
	State   *State
	Teller  Teller
	Doors   Doors
	Secrets func(name string) ([]string, error) // the texts that are kept under a name, the newest first
	Key     []byte                              // of the installation: secrets that nobody named are derived from it
	Base    string                              // address of this installation, for links: "https://sluice.example.com"
	Now     func() time.Time
	Jitter  func() float64 // in [0,1)
	Timeout time.Duration  // of one try; zero: 15 s
	Logger  *slog.Logger   // nil: silent

	mu      sync.Mutex
	reached map[string]uint64 // by webhook: there is nothing for it up to here that its outbox does not have
}

// perStep bounds the tries of one step, so that what has changed meanwhile is
// looked at.
const perStep = 100

// Step takes what the log has for one webhook into its outbox, and makes the
// tries that are due, one after the other and the oldest first. It stops at a
// receiver that is not there: the next step goes on with what is due then.
func (s *Sender) Step(ctx context.Context, key string) error {
	h, end, ok := s.scene(key)
	if !ok || h.Suspended != nil {
		return nil
	}
	err := s.take(ctx, h, end)
	if errors.Is(err, event.ErrConflict) {
		return nil // somebody else is at it, or further: the next step sees
	}
	if err != nil {
		return err
	}
	for range perStep {
		d, ok, err := s.claim(ctx, h)
		if err != nil || !ok {
			return err
		}
		more, err := s.deliver(ctx, h, d)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// scene returns a webhook, and how far the house is.
func (s *Sender) scene(key string) (h Hook, end uint64, ok bool) {
	s.House.View(func(seq uint64) {
		end = seq
		h, ok = s.State.Hook(key)
	})
	return h, end, ok
}

// lazy is how many events that nobody is told of may go by before the place is
// written down.
const lazy = 1000

// take brings an outbox up to the house's place, as far as there is room in it.
func (s *Sender) take(ctx context.Context, h Hook, end uint64) error {
	var done uint64
	err := s.update(ctx, h, func(b *Outbox) (bool, error) {
		was, had := b.Done, len(b.Waiting)
		b.Done = max(b.Done, s.place(h, 0))
		err := s.gather(ctx, h, b, end)
		done = b.Done
		return len(b.Waiting) > had || b.Done >= was+lazy, err
	})
	if err == nil {
		s.place(h, done)
	}
	return err
}

// place notes how far a webhook is, if that is further, and returns it.
func (s *Sender) place(h Hook, seq uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reached == nil {
		s.reached = map[string]uint64{}
	}
	id := h.Key + "/" + strconv.FormatUint(h.Made, 10)
	s.reached[id] = max(s.reached[id], seq)
	return s.reached[id]
}

// gather reads the events behind an outbox's place and adds those that its
// webhook asks for.
func (s *Sender) gather(ctx context.Context, h Hook, b *Outbox, end uint64) error {
	if b.Done >= end || b.full() {
		return nil
	}
	for r, err := range s.Log.Read(ctx, event.Filter{}, b.Done) {
		if err != nil {
			return fmt.Errorf("reading the log for webhook %s: %w", h.Key, err)
		}
		if r.Seq > end || b.full() {
			return nil
		}
		b.Done = r.Seq
		if a, ok := s.Teller.About(r); ok && h.Wants(a) {
			b.add(h, r, a)
		}
	}
	return ctx.Err()
}

// claim takes the delivery whose try is next.
func (s *Sender) claim(ctx context.Context, h Hook) (d Delivery, ok bool, err error) {
	err = s.update(ctx, h, func(b *Outbox) (bool, error) {
		d, ok = b.begin(s.Now())
		return ok, nil
	})
	return d, ok, err
}

// deliver makes one try and notes what became of it. It reports whether the
// receiver may be asked for more.
func (s *Sender) deliver(ctx context.Context, h Hook, d Delivery) (more bool, err error) {
	m, ok, err := s.message(ctx, h, d.Seq)
	if err != nil {
		return false, err
	}
	if !ok {
		return true, s.update(ctx, h, func(b *Outbox) (bool, error) { b.drop(d.ID); return true, nil })
	}
	o := s.try(ctx, m, d.ID.String())
	if ctx.Err() != nil && !o.ok() {
		return false, ctx.Err() // whether it arrived is unknown: it is tried again
	}
	// An answer is noted also while the process ends: else the same is sent twice.
	noting, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	why := ""
	err = s.update(noting, h, func(b *Outbox) (bool, error) { why = b.settle(d, o, s.Jitter()); return true, nil })
	if err != nil {
		return false, err
	}
	s.log(h, d, o)
	if why != "" {
		return false, s.suspend(noting, h, why)
	}
	return o.ok() || !absent(o.status), nil
}

// message makes what is told of an event. It returns false when there is
// nothing to tell this webhook.
func (s *Sender) message(ctx context.Context, h Hook, seq uint64) (m message, ok bool, err error) {
	for r, err := range s.Log.Read(ctx, event.Filter{}, seq-1) {
		if err != nil {
			return m, false, fmt.Errorf("reading event %d for webhook %s: %w", seq, h.Key, err)
		}
		m = message{hook: h, event: r}
		break
	}
	if m.event.Seq != seq {
		return m, false, fmt.Errorf("%w: the log has no event %d", ErrUnknown, seq)
	}
	if m.about, ok = s.Teller.About(m.event); !ok {
		return m, false, nil
	}
	if m.words, ok, err = s.Teller.Say(ctx, m.event, h.Environments); err != nil {
		return m, false, fmt.Errorf("finding words for event %d: %w", seq, err)
	}
	m.link = s.Base + m.words.Path
	return m, ok, nil
}

// suspend records that a webhook is not sent to any more. Its events stay in the
// log, and what waited in its outbox.
func (s *Sender) suspend(ctx context.Context, h Hook, why string) error {
	var e event.Event
	var expect event.Expect
	var err error
	s.House.View(func(uint64) {
		e, expect, err = s.State.Handle(Command{
			ID: event.Derive(TypeSuspended, h.Key, strconv.FormatUint(h.Revision, 10)), Op: Suspend, Key: h.Key, Why: why, At: s.Now(), Actor: Sending,
		})
	})
	if errors.Is(err, ErrRefused) || errors.Is(err, ErrUnknown) {
		return nil // somebody was faster
	}
	if err == nil {
		_, err = s.Log.Append(ctx, e, expect)
	}
	if errors.Is(err, event.ErrConflict) {
		return nil // it was changed meanwhile, perhaps to another address: the next step tries that
	}
	if err != nil {
		return fmt.Errorf("suspending webhook %s: %w", h.Key, err)
	}
	if s.Logger != nil {
		s.Logger.Error("a webhook is suspended: nothing is sent to it until somebody resumes it", "webhook", h.Key, "why", why, "event", e.ID)
	}
	return nil
}

func (s *Sender) log(h Hook, d Delivery, o outcome) {
	switch {
	case s.Logger == nil:
	case o.ok():
		s.Logger.Info("told a webhook", "webhook", h.Key, "delivery", d.ID, "cause", d.Event, "tries", d.Tries)
	default:
		s.Logger.Warn("a webhook was not reached", "webhook", h.Key, "delivery", d.ID, "cause", d.Event, "tries", d.Tries, "why", o.why)
	}
}
