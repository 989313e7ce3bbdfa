package ingest_test

import (
	"context"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// counting counts the messages that are read.
type counting struct {
	ingest.Stream
	read int
}

func (c *counting) Read(ctx context.Context, after uint64, limit int) ([]event.Message, error) {
	list, err := c.Stream.Read(ctx, after, limit)
	c.read += len(list)
	return list, err
}

// books are a ledger whose reads are counted.
type books struct {
	parts
	stream, dead *counting
	ledger       *ingest.Ledger
	messages     int
}

func newBooks() *books {
	b := &books{}
	b.stream, b.dead = &counting{Stream: &b.parts.stream}, &counting{Stream: &b.parts.dead}
	b.ledger = &ingest.Ledger{Reconciler: ingest.Reconciler{Shard: shard, Stream: b.stream, Store: &b.store, Dead: b.dead, Decoder: codec}}
	return b
}

// balance returns the account and how many messages of both streams it read.
func (b *books) balance(t *testing.T, to uint64) (ingest.Account, int) {
	t.Helper()
	b.stream.read, b.dead.read = 0, 0
	a, err := b.ledger.Balance(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	return a, b.stream.read + b.dead.read
}

// fill publishes and loads messages, each with four exposures and a dead event.
func (b *books) fill(t *testing.T, messages int) {
	t.Helper()
	for range messages {
		pack := exposures(4*b.messages, 4)
		pack.Dead = []ingest.Dead{{Place: ingest.Place{Idx: 4}, ID: id1, Environment: "production", Name: "puchase", Reason: ingest.UnknownMetric, Fact: []byte(`{"kind":"metric"}`)}}
		pack.Count = 5
		b.publish(t, codec.Encode(pack))
		b.messages++
	}
	step(t, b.loader(), true)
}

// TestLedger_readsEverythingOnce looks again and again while messages come in:
// a look reads what is new and no more.
func TestLedger_readsEverythingOnce(t *testing.T) {
	b := newBooks()
	b.fill(t, 300)
	want := b.account(t, 300)
	if a, _ := b.balance(t, 300); a != want || a.Dead == 0 {
		t.Errorf("got %+v\nwant %+v", a, want)
	}
	if a, read := b.balance(t, 300); a != want || read != 0 {
		t.Errorf("a look without news read %d messages and found %+v", read, a)
	}
	b.fill(t, 3)
	if a, read := b.balance(t, 303); a.Unaccounted != 0 || a.Published != a.Stored+a.Dead || read > 30 {
		t.Errorf("three more messages: read %d, found %+v", read, a)
	}
}

// TestLedger_aGapStaysAndCostsLittle takes two events out of the store: they
// are missed at every look, and found when they come back, without reading all
// that came since.
func TestLedger_aGapStaysAndCostsLittle(t *testing.T) {
	b := newBooks()
	b.fill(t, 400)
	whole := b.store.Rows()
	b.store = ingest.MemStore{}
	gap := func(_ ingest.Key, at ingest.Place) bool { return at.Seq == 200 }
	if err := b.store.Insert(t.Context(), ingest.Block{Token: "x", Rows: whole.Keep(func(k ingest.Key, at ingest.Place) bool { return !gap(k, at) })}); err != nil {
		t.Fatal(err)
	}
	missed := b.account(t, 400)
	if missed.Unaccounted == 0 {
		t.Fatalf("nothing is missing: %+v", missed)
	}
	for range 3 {
		if a, _ := b.balance(t, 400); a != missed {
			t.Errorf("got %+v\nwant %+v", a, missed)
		}
	}
	if _, read := b.balance(t, 400); read > 400 {
		t.Errorf("a look at one gap read %d messages", read)
	}
	if err := b.store.Insert(t.Context(), ingest.Block{Token: "y", Rows: whole.Keep(gap)}); err != nil {
		t.Fatal(err)
	}
	if a, _ := b.balance(t, 400); a != b.account(t, 400) || a.Unaccounted != 0 {
		t.Errorf("after the events came back: %+v", a)
	}
}
