package main

import (
	"context"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// keep makes the keeper of the totals of what a loader loads.
func (c *counting) keep(h *house, l *ingest.Loader) {
	c.totals.Shards = append(c.totals.Shards, l.Shard)
	c.keepers = append(c.keepers, &warehouse.Keeper{
		Warehouse: c.store, KV: c.kv, Shard: l.Shard, Generation: generation, Wanted: h.measures, Logger: h.lg, Now: now,
		Loaded: func(ctx context.Context) (ingest.Progress, error) { return c.progress(ctx, l) },
		Active: func() bool { return l.Lease == nil || l.Lease.Held() }, // one replica loads a shard and keeps its totals
	})
}

// measures are what the open rollouts ask at every look. What is asked now and
// then, of others, is read from the raw events.
func (h *house) measures() (out []warehouse.Measure) {
	h.projection.View(func(uint64) {
		for _, r := range h.folds.Rollouts.Under() {
			out = append(out, question(r).Measures()...)
		}
	})
	return out
}

// totals shows and checks the totals once the warehouse is there.
type totals struct{ house *house }

var _ server.Totals = totals{}

// State implements server.Totals.
func (t totals) State(ctx context.Context) (v server.TotalsView, err error) {
	c, err := t.house.counting.get()
	if err != nil {
		return v, err
	}
	s, err := c.totals.State(ctx)
	v.Order, v.Shards = s.Order, []server.TotalsShard{}
	for _, one := range s.Shards {
		v.Shards = append(v.Shards, server.TotalsShard(one))
	}
	return v, t.house.counting.blame(ctx, err)
}

// Check implements server.Totals. It asks what a gate asks.
func (t totals) Check(ctx context.Context, r decisions.Rollout) (v server.TotalsCheck, err error) {
	c, err := t.house.counting.get()
	if err != nil {
		return v, err
	}
	found, err := c.totals.Check(ctx, question(r))
	v = server.TotalsCheck{
		Rollout: r.ID, Watermark: found.Watermark, Rebuilding: found.Rebuilding, Differs: []server.TotalsDifference{},
		Kept: append([]string{}, found.Kept...), Raw: append([]string{}, found.Raw...), // never null in JSON
	}
	for _, d := range found.Differs {
		v.Differs = append(v.Differs, server.TotalsDifference(d))
	}
	return v, t.house.counting.blame(ctx, err)
}

// Rebuild implements server.Totals.
func (t totals) Rebuild(ctx context.Context) (uint64, error) {
	c, err := t.house.counting.get()
	if err != nil {
		return 0, err
	}
	order, err := c.totals.Rebuild(ctx)
	return order, t.house.counting.blame(ctx, err)
}
