package ingest

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/event"
)

// Reconciler compares what a stream acknowledged with what the store and the
// dead letters hold. All fields are required; they are those of the shard's
// Loader.
type Reconciler struct {
	Shard   string
	Stream  Stream
	Store   Store
	Dead    Stream
	Decoder Decoder
}

// Account is the balance of a range of messages.
type Account struct {
	Shard       string `json:"shard"`
	From        uint64 `json:"from"`
	To          uint64 `json:"to"`
	Published   uint64 `json:"published"`          // events of the messages, as their headers say
	Stored      uint64 `json:"stored"`             // events of which every row is in the store, from whichever message
	Dead        uint64 `json:"dead"`               // events among the dead letters
	Lost        uint64 `json:"lost,omitempty"`     // messages that the stream has lost, with who knows how many events
	Doubled     uint64 `json:"doubled,omitempty"`  // events that are both stored and dead
	Unaccounted uint64 `json:"unaccounted"`        // events that are neither, and lost messages; must be 0
	FirstGap    uint64 `json:"firstGap,omitempty"` // sequence of the first message that is not whole
}

// Account balances the messages behind after, up to to, which must be loaded:
// at most the loader's Done. It reads every message of the range and every dead
// letter there is; a Ledger does that once.
func (r Reconciler) Account(ctx context.Context, after, to uint64) (Account, error) {
	found, err := Letters(ctx, r.Dead, LetterFilter{Shard: r.Shard, From: after + 1, To: to})
	if err != nil {
		return Account{}, err
	}
	dead := map[Place]uint64{}
	for _, l := range found {
		dead[l.place()] = l.Events
	}
	return r.balance(ctx, after, to, dead)
}

// balance is Account with the events of each letter of the range.
func (r Reconciler) balance(ctx context.Context, after, to uint64, dead map[Place]uint64) (Account, error) {
	c := &count{Account: Account{Shard: r.Shard, From: after + 1, To: to}, dead: dead}
	if to <= after {
		return c.Account, nil
	}
	for _, events := range dead {
		c.Dead += events
	}
	if err := r.each(ctx, after, to, func(m event.Message) error { c.publish(r.Decoder, m); return nil }); err != nil {
		return Account{}, err
	}
	c.Lost += to - after - c.messages
	var err error
	if c.Stored, err = r.Store.Events(ctx, r.Shard, after+1, to); err != nil {
		return Account{}, fmt.Errorf("counting events of %s: %w", r.Shard, err)
	}
	if c.Published != c.Stored+c.Dead || c.Lost > 0 {
		return r.slow(ctx, c, after, to)
	}
	return c.Account, nil
}

// slow looks for the rows of every message by their keys: rows may have been
// merged with earlier arrivals of the same event, which a count of places
// cannot see.
func (r Reconciler) slow(ctx context.Context, c *count, after, to uint64) (Account, error) {
	c.Stored, c.next = 0, after+1
	err := r.each(ctx, after, to, func(m event.Message) error { return r.message(ctx, c, m) })
	c.gap(to + 1)
	c.Unaccounted += c.Lost
	return c.Account, err
}

// count is an account in the making.
type count struct {
	Account
	dead     map[Place]uint64 // events of each letter
	messages uint64
	next     uint64 // sequence that should come next
}

func (c *count) publish(d Decoder, m event.Message) {
	c.messages++
	c.Published += d.CountEvents(m)
}

// gap notes that messages before seq are missing.
func (c *count) gap(seq uint64) {
	if seq > c.next && c.FirstGap == 0 {
		c.FirstGap = c.next
	}
	c.next = seq + 1
}

// message balances one message.
func (r Reconciler) message(ctx context.Context, c *count, m event.Message) error {
	c.gap(m.Seq)
	before := c.Unaccounted
	b, err := r.Decoder.Decode(r.Shard, m)
	if err != nil {
		if _, ok := c.dead[Place{Shard: r.Shard, Seq: m.Seq}]; !ok {
			c.Unaccounted += r.Decoder.CountEvents(m)
		}
	} else if err := r.events(ctx, c, b, m.Seq); err != nil {
		return err
	}
	if c.Unaccounted > before && (c.FirstGap == 0 || c.FirstGap > m.Seq) {
		c.FirstGap = m.Seq
	}
	return nil
}

// events balances the events of one message.
func (r Reconciler) events(ctx context.Context, c *count, b Batch, seq uint64) error {
	rows, err := r.Store.Missing(ctx, Block{Shard: r.Shard, From: seq, To: seq, Rows: b.Rows})
	if err != nil {
		return fmt.Errorf("looking for events of message %d of %s: %w", seq, r.Shard, err)
	}
	absent := map[Place]bool{}
	rows.Each(func(_ Key, p Place) { absent[p] = true })
	for _, d := range b.Dead {
		absent[d.Place] = true
	}
	for idx := range b.Count {
		c.event(Place{Shard: r.Shard, Seq: seq, Idx: idx}, absent)
	}
	return nil
}

func (c *count) event(at Place, absent map[Place]bool) {
	_, dead := c.dead[at]
	switch {
	case !absent[at]:
		c.Stored++
		if dead {
			c.Doubled++
		}
	case !dead:
		c.Unaccounted++
	}
}

// each reads the messages behind after, up to to.
func (r Reconciler) each(ctx context.Context, after, to uint64, f func(event.Message) error) error {
	for after < to {
		messages, err := r.Stream.Read(ctx, after, 64)
		if err != nil {
			return fmt.Errorf("reading %s behind %d: %w", r.Shard, after, err)
		}
		if len(messages) == 0 {
			return nil
		}
		for _, m := range messages {
			if after = m.Seq; after > to {
				return nil
			}
			if err := f(m); err != nil {
				return err
			}
		}
	}
	return nil
}
