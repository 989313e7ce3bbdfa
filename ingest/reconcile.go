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
// cannot see. It asks for many messages at once.
func (r Reconciler) slow(ctx context.Context, c *count, after, to uint64) (Account, error) {
	c.Stored, c.next = 0, after+1
	var p page
	err := r.each(ctx, after, to, func(m event.Message) error {
		p.add(r.Decoder, r.Shard, m)
		if p.rows.Len() < pageRows {
			return nil
		}
		return r.settle(ctx, c, &p)
	})
	if err == nil {
		err = r.settle(ctx, c, &p)
	}
	c.gap(to + 1)
	c.Unaccounted += c.Lost
	return c.Account, err
}

// pageRows bounds the rows that are looked for at once.
const pageRows = 16_000

// page is some messages of a stream, decoded.
type page struct {
	messages []paged
	rows     Rows
}

type paged struct {
	seq    uint64
	events uint64
	batch  Batch
	err    error // it cannot be read
}

func (p *page) add(d Decoder, shard string, m event.Message) {
	b, err := d.Decode(shard, m)
	p.messages = append(p.messages, paged{seq: m.Seq, events: d.CountEvents(m), batch: b, err: err})
	p.rows.Append(b.Rows)
}

// settle balances the messages of a page and empties it.
func (r Reconciler) settle(ctx context.Context, c *count, p *page) error {
	if len(p.messages) == 0 {
		return nil
	}
	from, to := p.messages[0].seq, p.messages[len(p.messages)-1].seq
	rows, err := r.Store.Missing(ctx, Block{Shard: r.Shard, From: from, To: to, Rows: p.rows})
	if err != nil {
		return fmt.Errorf("looking for events of messages %d to %d of %s: %w", from, to, r.Shard, err)
	}
	absent := map[Place]bool{}
	rows.Each(func(_ Key, at Place) { absent[at] = true })
	for _, m := range p.messages {
		c.message(r.Shard, m, absent)
	}
	*p = page{}
	return nil
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

// message balances one message; absent holds the places of rows that are not
// stored.
func (c *count) message(shard string, m paged, absent map[Place]bool) {
	c.gap(m.seq)
	before := c.Unaccounted
	if m.err != nil {
		if _, ok := c.dead[Place{Shard: shard, Seq: m.seq}]; !ok {
			c.Unaccounted += m.events
		}
	}
	for _, d := range m.batch.Dead {
		absent[d.Place] = true
	}
	for idx := range m.batch.Count {
		c.event(Place{Shard: shard, Seq: m.seq, Idx: idx}, absent)
	}
	if c.Unaccounted > before && (c.FirstGap == 0 || c.FirstGap > m.seq) {
		c.FirstGap = m.seq
	}
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
		messages, err := readKnown(ctx, r.Stream, after, to)
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
