package ingesttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// Crash is what Faults panics with where a process would have died. The test
// recovers it and goes on with new parts over the same data.
type Crash struct{ Point string }

// ErrFault is the error of a call that failed, or whose answer was lost.
var ErrFault = errors.New("injected fault")

// Faults makes parts fail. Chances are per call, 0 to 1; the zero value does
// nothing. It is for one goroutine, so that a seed gives one story.
type Faults struct {
	Rand     *rand.Rand
	Crash    float64        // the process dies before, or after, a call
	Error    float64        // the call fails before it did anything, or its answer is lost
	Conflict float64        // a write of a KV loses against nobody
	Drop     float64        // an insert is acknowledged and does nothing
	Partial  float64        // an insert stores a part and fails
	Pause    func()         // called before and after every call; lets others go on
	Seen     map[string]int // counts what happened, by point; may be nil
}

func (f *Faults) chance(p float64, what string) bool {
	if p == 0 || f.Rand.Float64() >= p {
		return false
	}
	if f.Seen != nil {
		f.Seen[what]++
	}
	return true
}

// point is a moment before or after a call.
func (f *Faults) point(name string) error {
	if f.Pause != nil {
		f.Pause()
	}
	if f.chance(f.Crash/2, "crash "+name) {
		panic(Crash{name})
	}
	if f.chance(f.Error/2, "error "+name) {
		return fmt.Errorf("%s: %w", name, ErrFault)
	}
	return nil
}

// around calls do between two points.
func around[T any](f *Faults, name string, do func() (T, error)) (T, error) {
	var zero T
	if err := f.point("before " + name); err != nil {
		return zero, err
	}
	v, err := do()
	if err := f.point("after " + name); err != nil {
		return zero, err
	}
	return v, err
}

// Stream returns s with faults; name tells streams apart in Seen.
func (f *Faults) Stream(name string, s ingest.Stream) ingest.Stream { return faultyStream{f, name, s} }

type faultyStream struct {
	f    *Faults
	name string
	s    ingest.Stream
}

func (s faultyStream) Publish(ctx context.Context, id string, data []byte, traces ...string) (uint64, error) {
	return around(s.f, "publish to "+s.name, func() (uint64, error) { return s.s.Publish(ctx, id, data, traces...) })
}

func (s faultyStream) Read(ctx context.Context, after uint64, limit int) ([]event.Message, error) {
	return around(s.f, "read of "+s.name, func() ([]event.Message, error) { return s.s.Read(ctx, after, limit) })
}

func (s faultyStream) Last(ctx context.Context) (uint64, error) {
	return around(s.f, "last of "+s.name, func() (uint64, error) { return s.s.Last(ctx) })
}

// KV returns kv with faults.
func (f *Faults) KV(kv ingest.KV) ingest.KV { return faultyKV{f, kv} }

type faultyKV struct {
	f  *Faults
	kv ingest.KV
}

func (k faultyKV) Load(ctx context.Context, key string) (value []byte, rev uint64, err error) {
	value, err = around(k.f, "load", func() (v []byte, err error) {
		v, rev, err = k.kv.Load(ctx, key)
		return v, err
	})
	return value, rev, err
}

func (k faultyKV) Save(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	return around(k.f, "save", func() (uint64, error) {
		if k.f.chance(k.f.Conflict, "conflict") {
			return 0, event.ErrConflict
		}
		return k.kv.Save(ctx, key, value, rev)
	})
}

// Store returns s with faults.
func (f *Faults) Store(s ingest.Store) ingest.Store { return faultyStore{f, s} }

type faultyStore struct {
	f *Faults
	s ingest.Store
}

func (s faultyStore) Insert(ctx context.Context, b ingest.Block) error {
	_, err := around(s.f, "insert", func() (struct{}, error) {
		switch {
		case s.f.chance(s.f.Drop, "drop"):
			return struct{}{}, nil
		case s.f.chance(s.f.Partial, "partial"):
			return struct{}{}, s.partial(ctx, b)
		}
		return struct{}{}, s.s.Insert(ctx, b)
	})
	return err
}

// partial stores some of the rows, as an insert does that dies between two
// partitions. The store knows nothing of the token then.
func (s faultyStore) partial(ctx context.Context, b ingest.Block) error {
	b.Token += fmt.Sprintf("|partial %d", s.f.Rand.Uint64())
	b.Rows = b.Keep(func(ingest.Key, ingest.Place) bool { return s.f.Rand.IntN(2) == 0 })
	if err := s.s.Insert(ctx, b); err != nil {
		return err
	}
	return ErrFault
}

func (s faultyStore) Count(ctx context.Context, shard string, from, to uint64) (uint64, error) {
	return around(s.f, "count", func() (uint64, error) { return s.s.Count(ctx, shard, from, to) })
}

func (s faultyStore) Events(ctx context.Context, shard string, from, to uint64) (uint64, error) {
	return around(s.f, "events", func() (uint64, error) { return s.s.Events(ctx, shard, from, to) })
}

func (s faultyStore) Missing(ctx context.Context, b ingest.Block) (ingest.Rows, error) {
	return around(s.f, "missing", func() (ingest.Rows, error) { return s.s.Missing(ctx, b) })
}
