package ingest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-hq/sluice/ingest"
)

func TestLease(t *testing.T) {
	var kv ingest.MemKV
	lease := func(holder string) *ingest.Lease {
		return &ingest.Lease{KV: &kv, Key: "lease.facts-0", Holder: holder, TTL: 9 * time.Second}
	}
	a, b := lease("a"), lease("b")
	hold := func(l *ingest.Lease, after time.Duration, want bool) {
		t.Helper()
		if got, err := l.Hold(t.Context(), noon.Add(after)); got != want || err != nil || l.Held() != want {
			t.Errorf("after %v %s holds it: %v, %v; want %v", after, l.Holder, got, err, want)
		}
	}
	hold(a, 0, true)
	hold(b, 0, false)
	hold(a, 8*time.Second, true) // renewed
	hold(b, 10*time.Second, false)
	hold(b, 18*time.Second, false) // b saw the renewal at 10 s
	hold(b, 19*time.Second, true)
	hold(a, 20*time.Second, false) // it was away, and finds that out
	if err := b.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	hold(a, 21*time.Second, true)
	hold(b, 22*time.Second, false)
	if err := b.Release(t.Context()); err != nil { // not b's to give back
		t.Fatal(err)
	}
	hold(a, 30*time.Second, true)
	hold(lease("c"), time.Hour, false) // a clock that is far ahead takes nothing
}

// TestLease_race: of two that take it at once one gets it, and one that gets no
// answer has nothing.
func TestLease_race(t *testing.T) {
	var kv ingest.MemKV
	late := &ingest.Lease{KV: overtaken{&kv}, Key: "lease.x", Holder: "late"}
	if held, err := late.Hold(t.Context(), noon); held || err != nil {
		t.Errorf("the slower one: %v, %v", held, err)
	}
	silent := &ingest.Lease{KV: &forgetful{KV: &kv}, Key: "lease.y", Holder: "silent"}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if held, err := silent.Hold(done, noon); held || !errors.Is(err, context.Canceled) {
		t.Errorf("without an answer: %v, %v", held, err)
	}
}

// overtaken is a KV in which somebody always writes first.
type overtaken struct{ ingest.KV }

func (o overtaken) Save(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	if _, err := o.KV.Save(ctx, key, []byte(`{"holder":"faster"}`), rev); err != nil {
		return 0, err
	}
	return o.KV.Save(ctx, key, value, rev)
}

// TestLoader_lease runs two loaders of one shard: one loads, the other follows
// its progress and goes on soon after it has ended.
func TestLoader_lease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p parts
		codec := ingest.NewCodec() // its channels belong to the bubble
		var loaders []*ingest.Loader
		var stops []func()
		for _, holder := range []string{"a", "b"} {
			l := p.loader()
			l.Decoder = codec
			l.Lease, l.Now = &ingest.Lease{KV: &p.kv, Key: "lease." + shard, Holder: holder}, time.Now
			ctx, stop := context.WithCancel(t.Context())
			loaders, stops = append(loaders, l), append(stops, stop)
			go func() { _ = l.Run(ctx) }()
			synctest.Wait() // a is first
		}
		p.publish(t, codec.Encode(exposures(0, 4)))
		time.Sleep(5 * time.Second)
		if a, b := loaders[0], loaders[1]; !a.Lease.Held() || b.Lease.Held() || a.Progress().Done != 1 || b.Progress().Done != 1 {
			t.Errorf("a is at %+v, b at %+v", a.Progress(), b.Progress())
		}
		stops[0]()
		p.publish(t, codec.Encode(exposures(4, 4)))
		time.Sleep(4 * time.Second) // less than it takes a lease to run out
		if b := loaders[1]; !b.Lease.Held() || b.Progress().Done != 2 || len(p.store.Rows().Exposures) != 8 {
			t.Errorf("b is at %+v, %d rows", b.Progress(), len(p.store.Rows().Exposures))
		}
		stops[1]()
		synctest.Wait()
	})
}
