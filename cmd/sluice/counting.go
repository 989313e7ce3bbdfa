package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// generation names the tables that the loaders fill. It changes when they are
// rebuilt from the streams.
const generation = "1"

// counting is what counts the facts: the warehouse, the loaders that fill it,
// and who accounts for them.
type counting struct {
	store   *warehouse.Warehouse
	motor   *motor // nil with a ClickHouse server
	kv      ingest.KV
	dead    ingest.Stream
	resend  func(context.Context) error // carries out replays of dead letters, until it is done
	forget  func(context.Context) error // carries out deletions of units, until it is done
	loads   bool                        // this replica runs the loaders
	loaders []*ingest.Loader            // one for each stream of facts, and one for the control log
	keepers []*warehouse.Keeper         // of the totals, one for each stream of facts
	totals  *warehouse.Totals
	ledgers map[string]*ingest.Ledger
	sweeps  []*ingest.Sweeper // of the facts
	books   books
	lg      *slog.Logger
	fragile fragile
}

// openCounting opens the warehouse, with its engine if there is no server, and
// makes the loaders. The facts must be open before.
func (h *house) openCounting(ctx context.Context) (_ *counting, err error) {
	facts, err := h.intake.get()
	if err != nil {
		return nil, err
	}
	c := &counting{kv: facts.kv, dead: facts.dead, loads: h.Roles.has(server.Load), ledgers: map[string]*ingest.Ledger{}, lg: h.lg}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	at := warehouse.Config{Addr: h.Clickhouse, Cluster: h.ClickhouseCluster}
	if h.Clickhouse == "" {
		if c.motor, err = startEngine(ctx, h.Lib, h.Data, h.lg); err != nil {
			return nil, err
		}
		at.Dial = c.motor.Dial
	}
	if c.store, err = warehouse.Open(ctx, at); err != nil {
		return nil, err
	}
	if c.motor != nil {
		if err = c.motor.KeepDefinitions(); err != nil {
			return nil, err
		}
	}
	c.fragile = newFragile(h.Data, c.engine)
	c.kv = c.fragile.kv(c.kv)
	c.totals = &warehouse.Totals{Warehouse: c.store, KV: c.kv, Generation: generation}
	for i, s := range facts.streams {
		l := c.add(h, shardName(i), s, ingest.NewCodec())
		c.sweep(l, s)
		c.keep(h, l)
	}
	c.add(h, ingest.ControlShard, h.streams.Control, ingest.ControlDecoder{})
	c.resend, c.forget = h.resender(facts).run, h.forgetter(facts, c).run
	return c, nil
}

// add makes the loader of a stream, and its ledger.
func (c *counting) add(h *house, shard string, s ingest.Stream, d ingest.Decoder) *ingest.Loader {
	store := ingest.Forgetful{Store: c.fragile.store(c.store), Forgets: h.folds.Forgets}
	l := &ingest.Loader{
		Shard: shard, Generation: generation, Stream: s, KV: c.kv, Store: store, Dead: c.dead, Decoder: d, Logger: h.lg,
	}
	c.loaders = append(c.loaders, l)
	if h.Nats != "" { // else nobody can be there: the data folder is ours alone
		l.Lease, l.Now = &ingest.Lease{KV: c.kv, Key: "lease." + shard, Holder: h.replica.ID}, now
	}
	c.ledgers[shard] = &ingest.Ledger{
		KV: c.kv, Generation: generation, Reconciler: ingest.Reconciler{Shard: shard, Stream: s, Store: ingest.Forgetful{Store: c.store, Forgets: h.folds.Forgets}, Dead: c.dead, Decoder: d},
	}
	return l
}

// engine says how the embedded engine is; nothing with a ClickHouse server.
func (c *counting) engine() engine.Status {
	if c.motor == nil {
		return engine.Status{}
	}
	return c.motor.Status()
}

// run keeps the books, and loads if that is this replica's to do, until ctx is
// done.
func (c *counting) run(ctx context.Context) error {
	g, work := errgroup.WithContext(ctx)
	g.Go(func() error { return c.reckon(work) })
	if !c.loads {
		return g.Wait()
	}
	g.Go(func() error { return c.tidy(work) })
	for _, l := range c.loaders {
		g.Go(func() error { return l.Run(work) })
	}
	for _, k := range c.keepers {
		g.Go(func() error { return k.Run(work) })
	}
	g.Go(func() error { return c.resend(work) })
	g.Go(func() error { return c.forget(work) })
	return g.Wait()
}

// close closes the warehouse, then the engine under it.
func (c *counting) close() error {
	var errs []error
	if c.store != nil {
		errs = append(errs, c.store.Close())
	}
	if c.motor != nil {
		errs = append(errs, c.motor.stop())
	}
	return errors.Join(errs...)
}

// progress returns how far a stream is loaded: by this replica, or by the one
// that has the role.
func (c *counting) progress(ctx context.Context, l *ingest.Loader) (ingest.Progress, error) {
	if c.loads {
		return l.Progress(), nil
	}
	return ingest.ReadProgress(ctx, c.kv, generation, l.Shard)
}

// balance accounts for all that is loaded of a stream.
func (c *counting) balance(ctx context.Context, l *ingest.Loader, done uint64) (ingest.Account, error) {
	b, err := c.ledgers[l.Shard].Balance(ctx, done)
	if err != nil {
		return b, fmt.Errorf("balancing %s: %w", l.Shard, err)
	}
	return b, nil
}

// view says how far the facts are.
func (c *counting) view(ctx context.Context) (v server.FactsView, err error) {
	for _, l := range c.loaders {
		last, err := l.Stream.Last(ctx)
		if err != nil {
			return v, fmt.Errorf("asking for the end of %s: %w", l.Shard, err)
		}
		p, err := c.progress(ctx, l)
		if err != nil {
			return v, err
		}
		if l.Shard == ingest.ControlShard {
			v.Control = server.ShardView{Progress: p, Last: last}
			continue
		}
		b, err := c.balance(ctx, l, p.Done)
		if err != nil {
			return v, err
		}
		v = withShard(v, p, last, b)
	}
	if v.Events, v.Reports, err = c.store.Counted(ctx); err != nil {
		return v, err
	}
	v.ControlRows, _, err = c.store.ControlCount(ctx)
	return v, err
}

// withShard adds how far a shard of facts is, and what its account says.
func withShard(v server.FactsView, p ingest.Progress, last uint64, a ingest.Account) server.FactsView {
	v.Shards = append(v.Shards, server.ShardView{Progress: p, Last: last, FirstGap: a.FirstGap})
	v.DeadLetters += a.Dead
	v.Unaccounted += int64(a.Unaccounted)
	return v
}

// accounts tells how far the facts are, and whether all of them are there.
type accounts struct{ house *house }

var _ server.Accounts = accounts{}

// Facts implements server.Accounts.
func (a accounts) Facts(ctx context.Context) (v server.FactsView, err error) {
	c, err := a.house.counting.get()
	if err != nil {
		return v, err
	}
	v, err = c.view(ctx)
	v.Pressure, v.Recordings = a.house.guard.Pressure(), a.house.recorder.Counts()
	return v, a.house.counting.blame(ctx, err)
}

// end returns where the log ends. Of a log that lost its end nobody knows: what
// it had there must not be taken for what never was.
func (h *house) end(ctx context.Context) (uint64, error) {
	if why := h.streams.Log.Why(); why != "" {
		return 0, fmt.Errorf("%w: %s", event.ErrReadOnly, why)
	}
	return h.streams.Log.Last(ctx)
}

// shardName is the name of a shard of facts.
func shardName(i int) string { return fmt.Sprintf("facts-%d", i) }
