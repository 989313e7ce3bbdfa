package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

func TestMemStream_keeper(t *testing.T) {
	ingesttest.Keeper(t, func(*testing.T) ingest.Keeper { return &ingest.MemStream{} })
}

// bounded is a stream with a bound.
type bounded struct {
	ingest.Keeper
	most uint64
}

func (b bounded) Fill(ctx context.Context) (bytes, most uint64, err error) {
	bytes, _, err = b.Keeper.Fill(ctx)
	return bytes, b.most, err
}

// yard is a shard that is loaded, accounted for and swept.
type yard struct {
	*books
	sweeper *ingest.Sweeper
	fold    uint64 // how far another reader is
}

func newYard() *yard {
	y := &yard{books: newBooks(), fold: 1 << 60}
	y.sweeper = y.newSweeper()
	return y
}

func (y *yard) newLedger() *ingest.Ledger {
	return &ingest.Ledger{KV: &y.kv, Reconciler: ingest.Reconciler{Shard: shard, Stream: &y.parts.stream, Store: &y.store, Dead: &y.parts.dead, Decoder: codec}}
}

func (y *yard) newSweeper() *ingest.Sweeper {
	y.ledger = y.newLedger()
	return &ingest.Sweeper{
		Shard: shard, Stream: &y.parts.stream, Ledger: y.ledger,
		Passed: []func(context.Context) (uint64, error){
			func(ctx context.Context) (uint64, error) {
				p, err := ingest.ReadProgress(ctx, &y.kv, "", shard)
				return p.Done, err
			},
			func(context.Context) (uint64, error) { return y.fold, nil },
		},
	}
}

// sweep balances and steps as often as it takes to free what can be freed.
func (y *yard) sweep(t *testing.T, now time.Time) (first uint64) {
	t.Helper()
	last, _ := y.parts.stream.Last(t.Context())
	for range 2 {
		y.balance(t, last)
		if err := y.sweeper.Step(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	first, _, _, _ = y.parts.stream.Span(t.Context())
	return first
}

func TestSweeper(t *testing.T) {
	arrived := exposures(0, 1).Received
	tomorrow := arrived.Add(24*time.Hour + time.Second)
	t.Run("keeps what is young", func(t *testing.T) {
		y := newYard()
		y.fill(t, 300)
		if first := y.sweep(t, arrived.Add(24*time.Hour)); first != 1 {
			t.Errorf("the stream begins at %d", first)
		}
		if first := y.sweep(t, tomorrow); first != 301 {
			t.Errorf("a day later the stream begins at %d", first)
		}
	})
	t.Run("keeps what a reader has not passed", func(t *testing.T) {
		y := newYard()
		y.fill(t, 300)
		y.fold = 200
		if first := y.sweep(t, tomorrow); first != 129 { // in whole ranges of the ledger
			t.Errorf("the stream begins at %d", first)
		}
	})
	t.Run("keeps what is not loaded", func(t *testing.T) {
		y := newYard()
		y.fill(t, 3)
		y.publish(t, codec.Encode(exposures(1000, 1)))
		y.balance(t, 3)
		if err := errors.Join(y.sweeper.Step(t.Context(), tomorrow), y.sweeper.Step(t.Context(), tomorrow)); err != nil {
			t.Fatal(err)
		}
		if first, _, _, _ := y.parts.stream.Span(t.Context()); first != 4 {
			t.Errorf("the stream begins at %d", first)
		}
		step(t, y.loader(), true)
	})
	t.Run("keeps what does not balance", func(t *testing.T) {
		y := newYard()
		y.fill(t, 300)
		whole := y.store.Rows()
		y.store = ingest.MemStore{}
		kept := whole.Keep(func(_ ingest.Key, at ingest.Place) bool { return at.Seq != 200 })
		if err := y.store.Insert(t.Context(), ingest.Block{Token: "x", Rows: kept}); err != nil {
			t.Fatal(err)
		}
		if first := y.sweep(t, tomorrow); first != 129 {
			t.Errorf("the stream begins at %d", first)
		}
		if err := y.store.Insert(t.Context(), ingest.Block{Token: "y", Rows: whole}); err != nil {
			t.Fatal(err)
		}
		if first := y.sweep(t, tomorrow); first != 301 {
			t.Errorf("with all found the stream begins at %d", first)
		}
	})
	t.Run("keeps no more than its share", func(t *testing.T) {
		y := newYard()
		y.fill(t, 1000)
		bytes, _, _ := y.parts.stream.Fill(t.Context())
		y.sweeper.Stream = bounded{&y.parts.stream, bytes} // full
		if first := y.sweep(t, arrived); first < 640 || first > 801 {
			t.Errorf("the stream begins at %d; want about 800, at most a range less", first)
		}
	})
	t.Run("keeps what it cannot read", func(t *testing.T) {
		y := newYard()
		y.publish(t, []byte("no pack"))
		step(t, y.loader(), true)
		if first := y.sweep(t, tomorrow); first != 1 {
			t.Errorf("the stream begins at %d", first)
		}
	})
	t.Run("an empty stream", func(t *testing.T) {
		if first := newYard().sweep(t, tomorrow); first != 1 {
			t.Errorf("the stream begins at %d", first)
		}
	})
}

// TestLedger_outlivesItsMessages: the account of a shard is the same whether
// its messages are there or not, for the ledger that settled it, for one on
// another replica that was elsewhere, and for one that starts.
func TestLedger_outlivesItsMessages(t *testing.T) {
	for seed := range uint64(20) {
		y, r := newYard(), newRand(seed)
		other := y.newLedger()
		now := exposures(0, 1).Received.Add(48 * time.Hour)
		var want ingest.Account
		for range 12 {
			y.fill(t, 1+r.IntN(150))
			last := uint64(y.messages)
			want = ingest.Account{Shard: shard, From: 1, To: last, Published: 5 * last, Stored: 4 * last, Dead: last}
			y.fold = uint64(r.IntN(int(last) + 1))
			if r.IntN(3) == 0 {
				y.sweeper = y.newSweeper() // started again, and had announced something or not
			}
			y.balance(t, last)
			if err := y.sweeper.Step(t.Context(), now); err != nil {
				t.Fatal(err)
			}
			all := map[string]*ingest.Ledger{"its own": y.ledger, "a new one": y.newLedger()}
			if r.IntN(2) == 0 {
				all["another"] = other
			}
			for name, l := range all {
				if got, err := l.Balance(t.Context(), last); err != nil || !cmp.Equal(got, want) {
					t.Fatalf("seed %d: %s says %+v, %v\nwant %+v", seed, name, got, err, want)
				}
			}
		}
		if first, _, _, _ := y.parts.stream.Span(t.Context()); first == 1 {
			t.Errorf("seed %d: nothing was freed", seed)
		}
	}
}

// TestLedger_settlesOnce: of two sweepers one writes the account down, the
// other finds it so.
func TestLedger_settlesOnce(t *testing.T) {
	y := newYard()
	y.fill(t, 200)
	a, b := y.newLedger(), y.newLedger()
	for _, l := range []*ingest.Ledger{a, b} {
		if _, err := l.Balance(t.Context(), 200); err != nil {
			t.Fatal(err)
		}
	}
	for i, l := range []*ingest.Ledger{a, b, a} {
		if to, err := l.Settle(t.Context(), 150); to != 128 || err != nil {
			t.Errorf("%d: settled up to %d, %v", i, to, err)
		}
	}
	if err := y.parts.stream.Free(t.Context(), 128); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*ingest.Ledger{a, b, y.newLedger()} {
		if got, err := l.Balance(t.Context(), 200); err != nil || fmt.Sprint(got.Published, got.Unaccounted) != "1000 0" {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}
