package main

import (
	"testing"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
)

// TestExchange: two replicas, one of which starts again, know the same.
func TestExchange(t *testing.T) {
	kv := &ingest.MemKV{}
	at := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	all := func(string) bool { return true }
	var a, b, again access.Used
	swap := func(u *access.Used) {
		t.Helper()
		if err := exchange(t.Context(), kv, u, all); err != nil {
			t.Fatal(err)
		}
	}
	a.Note("one", at)
	swap(&a)
	b.Note("one", at.Add(5*time.Minute))
	b.Note("two", at)
	swap(&b)
	swap(&a)
	swap(&again)
	for name, u := range map[string]*access.Used{"a": &a, "b": &b, "again": &again} {
		if !u.Last("one").Equal(at.Add(5*time.Minute)) || !u.Last("two").Equal(at) {
			t.Errorf("%s knows %v and %v", name, u.Last("one"), u.Last("two"))
		}
	}
	_, before, err := kv.Load(t.Context(), usedKey)
	swap(&a)
	_, after, err2 := kv.Load(t.Context(), usedKey)
	if err != nil || err2 != nil || before != after {
		t.Errorf("nothing new was written as revision %d after %d (%v, %v)", after, before, err, err2)
	}
}
