package main

import (
	"context"

	"github.com/sluice-hq/sluice/ingest"
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
		for _, r := range h.folds.Rollouts.Rollouts() {
			if r.Open() {
				out = append(out, question(r).Measures()...)
			}
		}
	})
	return out
}
