package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// world is the whole way of a fact inside this program, so that a trial can
// stop it anywhere: the door, packs, streams in memory, loaders, and a
// warehouse in an engine of its own.
type world struct {
	streams []*ingest.MemStream // one for each shard
	dead    ingest.MemStream
	kv      ingest.MemKV
	store   *warehouse.Warehouse
	motor   motor
	dir     string
	loaders []*ingest.Loader
	keepers []*warehouse.Keeper // of the totals
	totals  warehouse.Totals
	intake  *ingest.Intake
}

// way is a way to the engine.
type way = func(ctx context.Context, network, addr string) (net.Conn, error)

// newWorld makes a world with so many shards. detour returns another way to
// the engine of a world than the straight one; nil: there is none.
func newWorld(ctx context.Context, binary string, shards int, detour func(*world) (way, error)) (w *world, err error) {
	w = &world{}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "sluice-chaos-"); err != nil {
		return w, err
	}
	if w.motor, err = startMotor(ctx, binary, filepath.Join(w.dir, "engine")); err != nil {
		return w, err
	}
	dial := w.motor.Dial
	if detour != nil {
		if dial, err = detour(w); err != nil {
			return w, err
		}
	}
	if w.store, err = warehouse.Open(ctx, warehouse.Config{Dial: dial}); err != nil {
		return w, err
	}
	w.totals = warehouse.Totals{Warehouse: w.store, KV: &w.kv}
	for i := range shards {
		s := &ingest.MemStream{}
		w.streams = append(w.streams, s)
		w.loaders = append(w.loaders, &ingest.Loader{
			Shard: shardName(i), Stream: s, KV: &w.kv, Store: w.store, Dead: &w.dead, Decoder: ingest.NewCodec(), MaxRows: 20_000,
		})
		w.keep(w.loaders[i])
	}
	w.restart()
	return w, nil
}

// keep makes the keeper of the totals of what a loader loads.
func (w *world) keep(l *ingest.Loader) {
	w.totals.Shards = append(w.totals.Shards, l.Shard)
	w.keepers = append(w.keepers, &warehouse.Keeper{
		Warehouse: w.store, KV: &w.kv, Shard: l.Shard, Wanted: wanted,
		Loaded: func(context.Context) (ingest.Progress, error) { return l.Progress(), nil },
	})
}

// wanted are the measures of what the trials ask.
func wanted() []warehouse.Measure {
	return append(question(nil, false).Measures(), question(nil, true).Measures()...)
}

// fold adds what was loaded to the totals.
func (w *world) fold(ctx context.Context) error {
	for _, k := range w.keepers {
		for moved := true; moved; {
			var err error
			if moved, err = k.Step(ctx); err != nil {
				return fmt.Errorf("folding %s: %w", k.Shard, err)
			}
		}
	}
	return nil
}

func shardName(i int) string { return fmt.Sprintf("facts-%d", i) }

// restart lets another process take the events: it packs under other IDs.
func (w *world) restart() {
	codec, instance := ingest.NewCodec(), event.New().String()
	w.intake = &ingest.Intake{Door: &ingest.Door{Flags: plan{}, Metrics: plan{}, Key: []byte("the key of units in these trials!")}}
	for _, s := range w.streams {
		p := ingest.NewPacker(s, codec, instance)
		p.Wait = time.Microsecond // nobody else sends
		w.intake.Packers = append(w.intake.Packers, p)
	}
}

// load lets every loader go to the end of its stream, whatever fails on the
// way, and returns how often a step failed.
func (w *world) load(ctx context.Context) (faults int, err error) {
	for _, l := range w.loaders {
		for moved, stuck := true, 0; moved || err != nil; {
			if moved, err = l.Step(ctx); err == nil {
				stuck = 0
				continue
			}
			faults++
			if stuck++; stuck == 100 || ctx.Err() != nil {
				return faults, err
			}
		}
	}
	return faults, nil
}

// watermark says that all that is loaded counts.
func (w *world) watermark() map[string]uint64 {
	m := map[string]uint64{}
	for _, l := range w.loaders {
		m[l.Shard] = l.Progress().Done
	}
	return m
}

// fates counts what became of events that were acknowledged. All of them must
// be stored.
func (w *world) fates(ctx context.Context, ids []event.ID) (lost, doubled int, err error) {
	missing, err := w.store.Unstored(ctx, ids)
	if err != nil {
		return 0, 0, err
	}
	twice, err := w.store.Doubled(ctx)
	return len(missing), int(twice), err
}

func (w *world) close() error {
	var err error
	if w.store != nil {
		err = w.store.Close()
	}
	if w.motor.stop != nil {
		w.motor.stop()
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}
