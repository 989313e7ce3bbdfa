package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// replay lets players in at the rate until the rollout has ended or no player
// is left.
func (s *story) replay(ctx context.Context) error {
	replaying, stop := context.WithCancel(ctx)
	defer stop()
	s.first = now()
	tickets, done := make(chan struct{}), make(chan error, visitors)
	for range visitors {
		go func() { done <- s.visit(replaying, tickets) }()
	}
	go s.pace(replaying, tickets)
	watched := make(chan error, 1)
	go func() { watched <- s.watch(replaying) }()

	var err error
	running := visitors
	select {
	case err = <-watched: // the rollout is over
	case err = <-done: // nobody is left, or something broke
		running--
		if err == nil {
			err = linger(ctx, watched)
		}
	}
	stop()
	for ; running > 0; running-- {
		err = errors.Join(err, <-done)
	}
	fmt.Fprintln(s.out)
	return err
}

// linger leaves the controller time to look at the last players: a breach
// counts when a second look has seen it too.
func linger(ctx context.Context, watched <-chan error) error {
	select {
	case err := <-watched:
		return err
	case <-time.After(20 * time.Second):
	case <-ctx.Done():
	}
	return nil
}

// pace hands out one ticket per player, at the rate.
func (s *story) pace(ctx context.Context, tickets chan<- struct{}) {
	const slice = 10 * time.Millisecond
	tick := time.NewTicker(slice)
	defer tick.Stop()
	for owed := 0.0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			owed = min(owed+float64(s.rate)*slice.Seconds(), float64(s.rate))
		}
		for ; owed >= 1; owed-- {
			select {
			case tickets <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}
}

// visit lets visitors in, one player for each ticket, and sends what they do.
// It returns nil when the story is over or nobody is left in one of the arms.
func (s *story) visit(ctx context.Context, tickets <-chan struct{}) error {
	var b parcel
	for {
		select {
		case <-ctx.Done():
		case <-tickets:
			more, err := s.admit(ctx, &b)
			if err != nil {
				return err
			}
			if more && len(b.events) <= batch-3 {
				continue
			}
		}
		// Players who were let in are sent even when the story has just ended.
		last, stop := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		full := len(b.events) > batch-3
		err := s.send(last, &b)
		stop()
		if err != nil || ctx.Err() != nil || !full {
			return err
		}
	}
}

// parcel holds events that wait to be sent, and how many players they are of.
type parcel struct {
	events  []any
	players int64
}

// admit evaluates visitors until one is enrolled, and makes him the next
// player of his arm. It returns false when there is none, or ctx is done.
func (s *story) admit(ctx context.Context, b *parcel) (bool, error) {
	for ctx.Err() == nil {
		id := s.nextVisitor()
		e, err := s.evaluate(ctx, id)
		if ctx.Err() != nil {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if e.Metadata.Forced {
			s.safe.Do(func() { s.safeAt = now() })
		}
		if !e.Metadata.Enrolled {
			continue
		}
		p, ok := s.next(e.Variant)
		if !ok {
			return false, nil
		}
		b.events = append(b.events, e.exposure(id))
		b.events = append(b.events, p.returns(id)...)
		b.players++
		return true, nil
	}
	return false, nil
}

func (s *story) nextVisitor() string { return fmt.Sprintf("visitor-%d", s.visitor.Add(1)) }

// next takes the next player of an arm.
func (s *story) next(variant string) (player, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.waiting[variant]
	if len(left) == 0 {
		return player{}, false
	}
	s.waiting[variant] = left[1:]
	return left[0], true
}

// evaluation is OFREP's answer.
type evaluation struct {
	Variant  string `json:"variant"`
	Reason   string `json:"reason"`
	Metadata struct {
		Revision uint64 `json:"revision"`
		Rollout  string `json:"rollout"`
		Stage    string `json:"stage"`
		Epoch    int32  `json:"epoch"`
		Enrolled bool   `json:"enrolled"`
		Forced   bool   `json:"forced"`
	} `json:"metadata"`
}

func (s *story) evaluate(ctx context.Context, visitor string) (e evaluation, err error) {
	body := map[string]any{"context": map[string]any{"targetingKey": visitor}}
	err = s.sdk.post(ctx, "/ofrep/v1/evaluate/flags/"+url.PathEscape(demoFlag), body, &e)
	return e, err
}

func (e evaluation) exposure(visitor string) ingest.Exposure {
	return ingest.Exposure{
		Kind: ingest.KindExposure, ID: event.New(), Flag: demoFlag, Variant: e.Variant,
		Unit: ingest.Unit{Kind: "user", ID: visitor}, Revision: e.Metadata.Revision, Rollout: e.Metadata.Rollout,
		Stage: e.Metadata.Stage, Epoch: e.Metadata.Epoch, Enrolled: e.Metadata.Enrolled, Reason: e.Reason, At: now(),
	}
}

// returns are the days on which a player came back.
func (p player) returns(visitor string) []any {
	var days []any
	for name, came := range map[string]bool{"day_1_return": p.day1, "day_7_return": p.day7} {
		if came {
			days = append(days, ingest.MetricEvent{
				Kind: ingest.KindMetric, ID: event.New(), Name: name, Units: map[string]string{"user": visitor}, At: now(),
			})
		}
	}
	return days
}

// send delivers a batch. The same events with the same IDs are sent again
// until the server has taken them.
func (s *story) send(ctx context.Context, b *parcel) error {
	if len(b.events) == 0 {
		return nil
	}
	var receipt struct {
		Accepted int   `json:"accepted"`
		Rejected []any `json:"rejected"`
	}
	for {
		err := s.sdk.post(ctx, "/v1/events", b.events, &receipt)
		if err == nil {
			break
		}
		var refused *apiError
		if errors.As(err, &refused) && refused.Status < 500 && refused.Status != 429 || ctx.Err() != nil {
			return err
		}
	}
	if len(receipt.Rejected) > 0 {
		return fmt.Errorf("%d events were rejected, the first: %v", len(receipt.Rejected), receipt.Rejected[0])
	}
	s.sent.Add(b.players)
	s.events.Add(int64(len(b.events)))
	b.events, b.players = b.events[:0], 0
	return nil
}

// later sends visitors who come after the end: each is evaluated, reports his
// exposure and even comes back. None of them may be analysed.
func (s *story) later(ctx context.Context) error {
	var b parcel
	for range afterwards {
		id := s.nextVisitor()
		e, err := s.evaluate(ctx, id)
		if err != nil {
			return err
		}
		if e.Metadata.Enrolled || e.Variant != "gate_30" {
			return fmt.Errorf("%s got %s (enrolled: %v) after the rollback", id, e.Variant, e.Metadata.Enrolled)
		}
		b.events = append(b.events, e.exposure(id))
		b.events = append(b.events, player{day1: true}.returns(id)...)
		if len(b.events) > batch-3 {
			if err := s.send(ctx, &b); err != nil {
				return err
			}
		}
	}
	return s.send(ctx, &b)
}
