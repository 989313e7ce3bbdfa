package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// figures are what was measured with one size.
type figures struct {
	size
	raw      time.Duration // all metrics from raw events
	join     time.Duration // all metrics by the straightforward join
	build    time.Duration // of the totals, from raw events
	read     time.Duration // all metrics from them
	fold     time.Duration // of one per cent
	later    time.Duration // all metrics from the totals after it
	small    time.Duration // fold of the messages of a moment
	leaves   int           // that the last reads were from
	resident float64       // the most of the engine, MiB
}

// bench is one engine while it is measured.
type bench struct {
	size
	s      *engine.Supervisor
	w      *warehouse.Warehouse
	totals *warehouse.Totals
	keeper *warehouse.Keeper
	loaded uint64
}

// measure fills an engine and measures everything, once each, or the median of
// five where it is short.
func measure(ctx context.Context, s *engine.Supervisor, of size) (f figures, err error) {
	b := &bench{size: of, s: s}
	if b.w, err = warehouse.Open(ctx, warehouse.Config{Dial: s.Dial}); err != nil {
		return figures{}, err
	}
	defer b.w.Close()
	kv := &ingest.MemKV{}
	b.totals = &warehouse.Totals{Warehouse: b.w, KV: kv, Shards: []string{shard}}
	b.keeper = &warehouse.Keeper{Warehouse: b.w, KV: kv, Shard: shard,
		Wanted: func() []warehouse.Measure { return b.question().Measures() },
		Loaded: func(context.Context) (ingest.Progress, error) {
			return ingest.Progress{Shard: shard, Done: b.loaded}, nil
		}}
	f.size = of
	for _, step := range []func(context.Context, *figures) error{b.first, b.second, b.plainly} {
		if err := step(ctx, &f); err != nil {
			return figures{}, err
		}
	}
	f.resident = highest(s.Status().PID)
	return f, nil
}

// first measures what there is before the last hundredth comes.
func (b *bench) first(ctx context.Context, f *figures) error {
	if err := statements(ctx, b.s, b.fill(false)); err != nil {
		return err
	}
	b.loaded = messages
	if err := b.step(ctx, nil); err != nil {
		return err
	}
	if _, err := b.totals.Rebuild(ctx); err != nil {
		return err
	}
	if err := b.step(ctx, &f.build); err != nil {
		return err
	}
	return b.ask(ctx, &f.read, f)
}

// second folds all of the last hundredth but one message, then that one.
func (b *bench) second(ctx context.Context, f *figures) error {
	if err := statements(ctx, b.s, b.fill(true)); err != nil {
		return err
	}
	for _, took := range []*time.Duration{&f.fold, &f.small} {
		b.loaded = messages + messages/100 - 1
		if took == &f.small {
			b.loaded++
		}
		if err := b.step(ctx, took); err != nil {
			return err
		}
	}
	if err := b.ask(ctx, &f.later, f); err != nil {
		return err
	}
	return b.compare(ctx, f)
}

// step lets the keeper do what there is to do, and the time that takes.
func (b *bench) step(ctx context.Context, took *time.Duration) error {
	at := time.Now()
	_, err := b.keeper.Step(ctx)
	if took != nil {
		*took = time.Since(at)
	}
	return err
}

func (b *bench) question() warehouse.Question {
	return warehouse.Question{Environment: "production", Flag: "checkout", Rollout: rollout, UnitKind: "user", Control: "off", Treatments: []string{"on"},
		Metrics: metrics, Until: began.AddDate(0, 0, 2*days), Watermark: map[string]uint64{shard: b.loaded}}
}

// ask reads all metrics from the totals five times.
func (b *bench) ask(ctx context.Context, took *time.Duration, f *figures) (err error) {
	k, err := b.totals.Kept(ctx)
	if err != nil {
		return err
	}
	f.leaves = k.Leaves()
	*took, err = median(func() error {
		_, err := b.totals.Readout(ctx, b.question(), k)
		return err
	})
	return err
}

// compare computes all metrics from the raw events, and refuses any difference.
func (b *bench) compare(ctx context.Context, f *figures) error {
	k, err := b.totals.Kept(ctx)
	if err != nil {
		return err
	}
	got, err := b.totals.Readout(ctx, b.question(), k)
	if err != nil {
		return err
	}
	at := time.Now()
	want, err := b.w.Readout(ctx, b.question())
	f.raw = time.Since(at)
	if err != nil {
		return err
	}
	if len(want.Samples) != 2*len(metrics) || want.Exposures == 0 {
		return fmt.Errorf("the raw events give %d samples of %d exposures", len(want.Samples), want.Exposures)
	}
	return equal(want, got)
}

// equal compares two answers in everything but how they were asked.
func equal(want, got warehouse.Answer) error {
	want.Queries, got.Queries = nil, nil
	w, err := json.Marshal(want)
	if err != nil {
		return err
	}
	g, err := json.Marshal(got)
	if err == nil && string(g) != string(w) {
		err = fmt.Errorf("the totals differ from the raw events:\n%s\n%s", g, w)
	}
	return err
}

// plainly asks the straightforward join for every metric.
func (b *bench) plainly(ctx context.Context, f *figures) error {
	if err := statements(ctx, b.s, plain()); err != nil {
		return err
	}
	at := time.Now()
	for _, m := range metrics {
		rows, err := sql(ctx, b.s, joinSQL(m))
		if err != nil || strings.Count(rows, "\n") != 2 {
			return fmt.Errorf("joining for %s: %q, %w", m.Key, rows, err)
		}
	}
	f.join = time.Since(at)
	return nil
}

func median(ask func() error) (time.Duration, error) {
	var all [5]time.Duration
	for i := range all {
		at := time.Now()
		if err := ask(); err != nil {
			return 0, err
		}
		all[i] = time.Since(at)
	}
	slices.Sort(all[:])
	return all[2], nil
}

// highest returns the most resident memory that a process ever took, MiB; 0 of
// one that has ended.
func highest(pid int) float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	var kib float64
	if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
		_, _ = fmt.Sscan(rest, &kib)
	}
	return kib / 1024
}
