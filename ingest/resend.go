package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Resender carries out replays: it sends the events of dead letters through
// the door once more, under the IDs they have, so that doing it twice counts
// nothing twice. What cannot be counted this time either is a letter again,
// with the reason: of those that the door lets in the loader makes one, of
// those that it refuses the Resender does. All fields are required. It is for one
// goroutine.
type Resender struct {
	Box     *Letterbox
	Take    func(context.Context, Request, time.Time) (Receipt, error) // of the Intake
	Streams map[string]Stream                                          // of the facts, by shard

	begun map[event.ID]carried // replays without an outcome
}

// carried is how far a replay is.
type carried struct {
	letters int
	out     Outcome
}

// Carry carries out an order that has no outcome yet. After an error it may be
// called again, and goes on where it was: one that is long would else send its
// beginning into a stream that is full, again and again.
func (r *Resender) Carry(ctx context.Context, o Order, now time.Time) (Outcome, error) {
	r.forget()
	s := &sending{Resender: r, order: o, now: now, carried: r.begun[o.ID]}
	behind := s.letters
	err := r.Box.eachOf(ctx, o.ID, func(l Letter) error {
		if behind > 0 {
			behind--
			return nil
		}
		return s.add(ctx, l)
	})
	if err == nil {
		err = s.flush(ctx)
	}
	if err != nil {
		return Outcome{}, err
	}
	s.out.At = now
	return s.out, nil
}

// forget drops the replays of which the log has the outcome.
func (r *Resender) forget() {
	for _, o := range r.Box.Orders.All() {
		if o.Outcome != nil {
			delete(r.begun, o.ID)
		}
	}
}

// sending is a replay under way.
type sending struct {
	*Resender
	order Order
	now   time.Time
	list  []Letter // of one environment, not yet sent
	body  bytes.Buffer
	carried
}

// done notes that the next so many letters are sent, or letters again.
func (s *sending) done(letters int) {
	if s.begun == nil {
		s.begun = map[event.ID]carried{}
	}
	s.letters += letters
	s.begun[s.order.ID] = s.carried
}

// sendSize bounds the body of one request, below what the door takes.
const sendSize = 512 << 10

// add sends a letter, or keeps it until there are more.
func (s *sending) add(ctx context.Context, l Letter) error {
	if len(l.Fact) == 0 {
		if err := s.flush(ctx); err != nil { // letters are sent in their order
			return err
		}
		return s.whole(ctx, l)
	}
	if len(s.list) > 0 && (len(s.list) == maxEvents || s.body.Len()+len(l.Fact) > sendSize || s.list[0].Environment != l.Environment) {
		if err := s.flush(ctx); err != nil {
			return err
		}
	}
	s.list = append(s.list, l)
	s.body.Write(l.Fact)
	s.body.WriteByte('\n')
	return nil
}

// whole publishes a message that could not be read once more: this program may
// know its version, and if it does not the loader buries it again.
func (s *sending) whole(ctx context.Context, l Letter) error {
	stream, ok := s.Streams[l.Shard]
	if !ok {
		l.Why = "there is no shard " + l.Shard + " any more"
		if err := s.refuse(ctx, []Letter{l}); err != nil {
			return err
		}
		s.done(1)
		return nil
	}
	if _, err := stream.Publish(ctx, "letter."+l.ID+"."+s.order.ID.String(), l.Bytes); err != nil {
		return fmt.Errorf("publishing letter %s again: %w", l.ID, err)
	}
	s.out.Sent += int(max(l.Events, 1))
	s.done(1)
	return nil
}

// flush sends the letters that are kept.
func (s *sending) flush(ctx context.Context) error {
	if len(s.list) == 0 {
		return nil
	}
	receipt, err := s.Take(ctx, Request{Environment: s.list[0].Environment, Import: true, Body: bytes.NewReader(s.body.Bytes())}, s.now)
	var refused Refused
	var faults event.Invalids
	switch {
	case errors.As(err, &refused):
		receipt.Rejected = refused
	case errors.As(err, &faults) && len(s.list) == 1:
		receipt.Rejected = []Rejection{{Why: faults.Error(), Reason: Malformed}}
	case errors.As(err, &faults): // one of them is none: each comes by itself
		return s.split(ctx)
	case err != nil:
		return fmt.Errorf("sending %d letters again: %w", len(s.list), err)
	}
	s.out.Sent += receipt.Accepted
	s.out.Dead += receipt.DeadLetters
	list := s.list
	s.list, s.body = nil, bytes.Buffer{}
	if err := s.back(ctx, list, receipt.Rejected); err != nil {
		return err
	}
	s.done(len(list))
	return nil
}

// split sends the letters that are kept one by one.
func (s *sending) split(ctx context.Context) error {
	list := s.list
	s.list, s.body = nil, bytes.Buffer{}
	for _, l := range list {
		if err := s.add(ctx, l); err != nil {
			return err
		}
		if err := s.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// back buries the letters that the door has refused again. An event has a
// rejection for each of its faults, one after the other.
func (s *sending) back(ctx context.Context, list []Letter, rejected []Rejection) error {
	var again []Letter
	for i, r := range rejected {
		if i > 0 && rejected[i-1].Index == r.Index {
			continue
		}
		l := list[r.Index]
		l.Reason, l.Why = r.Reason, shorten("the door refuses it now: "+r.Error(), 300)
		again = append(again, l)
	}
	return s.refuse(ctx, again)
}

// refuse makes letters of those that cannot be sent: the same place, so that
// their events are accounted for as they were, and an ID that follows from the
// order, so that a repeat is the same letter.
func (s *sending) refuse(ctx context.Context, again []Letter) error {
	for i := range again {
		again[i].ID = fmt.Sprintf("%s.%d", again[i].place().id(), s.order.Seq)
	}
	s.out.Refused += len(again)
	return bury(ctx, s.Box.Dead, again)
}
