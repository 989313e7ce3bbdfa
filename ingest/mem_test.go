package ingest_test

import (
	"errors"
	"testing"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

func TestMemStream(t *testing.T) {
	ingesttest.Stream(t, func(*testing.T) ingest.Stream { return new(ingest.MemStream) })
}

func TestMemKV(t *testing.T) {
	ingesttest.KV(t, func(*testing.T) ingest.KV { return new(ingest.MemKV) })
}

func TestMemStore(t *testing.T) {
	ingesttest.Store(t, func(*testing.T) ingest.Store { return new(ingest.MemStore) })
}

func TestMemStore_erases(t *testing.T) {
	ingesttest.Eraser(t, func(*testing.T) ingesttest.Erasing { return new(ingest.MemStore) })
}

// TestMemStore_merged runs the same suite over a store that merges whenever
// it is asked something.
func TestMemStore_merged(t *testing.T) {
	ingesttest.Store(t, func(*testing.T) ingest.Store {
		m := new(ingest.MemStore)
		f := &ingesttest.Faults{Pause: m.Merge}
		return f.Store(m)
	})
}

func TestMemStream_forgetsAndLoses(t *testing.T) {
	var s ingest.MemStream
	for _, id := range []string{"a", "b", "c"} {
		if _, err := s.Publish(t.Context(), id, nil); err != nil {
			t.Fatal(err)
		}
	}
	s.Lose(2)
	s.Forget()
	if seq, err := s.Publish(t.Context(), "a", nil); err != nil || seq != 4 {
		t.Errorf("Publish of a forgotten ID = %d, %v; want 4", seq, err)
	}
	m, err := s.Read(t.Context(), 1, 10)
	if err != nil || len(m) != 2 || m[0].Seq != 3 || m[1].Seq != 4 {
		t.Errorf("Read behind a lost message = %v, %v; want 3 and 4", m, err)
	}
}

func TestMemStore_rejects(t *testing.T) {
	s := &ingest.MemStore{Reject: func(k ingest.Key, _ ingest.Place) bool { return k.Name == "cpu" }}
	b := ingest.Block{Shard: "facts-0", From: 1, To: 1, Token: "a", Rows: ingesttest.Rows("facts-0", 1, 0, 8)}
	if err := s.Insert(t.Context(), b); !errors.Is(err, ingest.ErrRejected) {
		t.Errorf("Insert = %v, want ErrRejected", err)
	}
	if n := s.Rows().Len(); n != 0 {
		t.Errorf("%d rows of a rejected block are stored", n)
	}
}
