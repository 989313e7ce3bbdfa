package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Outbox returns what is kept of a webhook's deliveries.
func (s *Sender) Outbox(ctx context.Context, key string) (Outbox, error) {
	h, _, ok := s.scene(key)
	if !ok {
		return Outbox{}, fmt.Errorf("webhook %q: %w", key, ErrUnknown)
	}
	b, _, err := s.load(ctx, key)
	b.open(h)
	return b, err
}

// Find returns the delivery that a text names: its id, or the sequence of its
// event. Of an event that the webhook was never told of, or long ago, there is
// a delivery too: it can be sent.
func (s *Sender) Find(ctx context.Context, key, text string) (Delivery, error) {
	b, err := s.Outbox(ctx, key)
	if err != nil {
		return Delivery{}, err
	}
	if id, err := event.ParseID(text); err == nil {
		if d, ok := b.find(id); ok {
			return d, nil
		}
		return Delivery{}, fmt.Errorf("delivery %s of webhook %s, among those that are kept: %w", text, key, ErrUnknown)
	}
	h, end, _ := s.scene(key)
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil || seq == 0 || seq > end {
		return Delivery{}, event.Invalids{{Path: "delivery", Value: text, Why: "is no delivery", Fix: "write the id of one, or the sequence of an event"}}
	}
	m, ok, err := s.message(ctx, h, seq)
	if err != nil {
		return Delivery{}, err
	}
	if !ok {
		return Delivery{}, fmt.Errorf("event %d is not one that webhooks are told of: %w", seq, ErrUnknown)
	}
	if d, ok := b.find(deliveryID(h, m.event.ID)); ok {
		return d, nil
	}
	d := newDelivery(h, m.event)
	d.Flag, d.Environment = m.about.Flag, one(m.about.Environments)
	return d, nil
}

// Body returns what is sent of a delivery.
func (s *Sender) Body(ctx context.Context, key string, d Delivery) (json.RawMessage, error) {
	h, _, ok := s.scene(key)
	if !ok {
		return nil, fmt.Errorf("webhook %q: %w", key, ErrUnknown)
	}
	m, ok, err := s.message(ctx, h, d.Seq)
	if err != nil || !ok {
		return nil, err
	}
	return m.body()
}

// Redeliver has a delivery sent again, under the id that it has. Where as many
// wait as an outbox holds, it is refused: nothing else bounds how often people
// ask.
func (s *Sender) Redeliver(ctx context.Context, key string, d Delivery) error {
	h, _, ok := s.scene(key)
	switch {
	case !ok:
		return fmt.Errorf("webhook %q: %w", key, ErrUnknown)
	case h.Suspended != nil:
		return fmt.Errorf("%w: %s is suspended; resume it first, and it gets what it missed", ErrRefused, key)
	}
	return s.update(ctx, h, func(b *Outbox) (bool, error) {
		if b.full() && b.at(d.ID) < 0 {
			return false, fmt.Errorf("%w: %d deliveries wait for %s already", ErrRefused, len(b.Waiting), key)
		}
		b.again(d)
		return true, nil
	})
}

// Trial is what became of a test.
type Trial struct {
	ID     string          `json:"id"`               // webhook-id of it
	OK     bool            `json:"ok"`               //
	Status int             `json:"status,omitempty"` // HTTP status; 0: there was no answer
	Why    string          `json:"why,omitempty"`    // it failed
	Took   event.Duration  `json:"took"`
	Body   json.RawMessage `json:"body"` // as it was sent
}

// Test sends a message that says that it is a test, once and now, also to a
// webhook that is suspended. by is whoever asks.
func (s *Sender) Test(ctx context.Context, key, by string) (Trial, error) {
	h, _, ok := s.scene(key)
	if !ok {
		return Trial{}, fmt.Errorf("webhook %q: %w", key, ErrUnknown)
	}
	const kind = "webhook.test"
	m := message{
		hook: h, link: s.Base + "/", about: About{Types: []string{kind}},
		event: event.Recorded{Event: event.Event{ID: event.New(), Type: kind, Subject: SubjectPrefix + key, Time: s.Now(), Actor: by}, Seq: h.Revision},
		words: Words{Title: "A test of webhook " + key, Text: by + " asked for it. Nothing has happened."},
	}
	body, err := m.body()
	if err != nil {
		return Trial{}, err
	}
	o := s.try(ctx, m, m.event.ID.String())
	return Trial{ID: m.event.ID.String(), OK: o.ok(), Status: o.status, Why: o.why, Took: event.Duration(o.took.Round(time.Millisecond)), Body: body}, nil
}

// Reveal returns the secret of a webhook that names none, for its receiver.
func (s *Sender) Reveal(key string) (string, error) {
	h, _, ok := s.scene(key)
	switch {
	case !ok:
		return "", fmt.Errorf("webhook %q: %w", key, ErrUnknown)
	case h.Secret != "" || h.format() != Standard:
		return "", fmt.Errorf("%w: its secret is %s, which the operator keeps", ErrRefused, h.Secret)
	}
	list, err := s.derived(h)
	if err != nil {
		return "", err
	}
	return list[0].String(), nil
}
