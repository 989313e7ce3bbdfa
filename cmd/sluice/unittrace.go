package main

import (
	"context"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/ingest"
)

// Trace implements server.Units: the question that the gate asks of all units,
// put to one.
func (u units) Trace(ctx context.Context, r decisions.Rollout, kind string, unit uint64, now time.Time) (t ingest.Trace, err error) {
	c, err := u.house.counting.get()
	if err != nil {
		return t, err
	}
	q, err := u.house.facts.tracing(ctx, c, r, now)
	if err != nil {
		return t, u.house.counting.blame(ctx, err)
	}
	waiting, _, err := c.wait(ctx, kind, unit) // before the rows: what is loaded meanwhile is in both, not in none
	if err != nil {
		return t, u.house.intake.blame(ctx, err)
	}
	rows, err := c.store.UnitRows(ctx, kind, unit)
	return q.Of(kind, unit, joined(rows, waiting)), u.house.counting.blame(ctx, err)
}

// tracing is the question of a gate, as far as one unit is concerned.
func (f *facts) tracing(ctx context.Context, c *counting, r decisions.Rollout, now time.Time) (ingest.Tracing, error) {
	q, e := question(r), decisions.Evidence{At: now}
	kept, err := c.totals.Kept(ctx)
	if err != nil {
		return ingest.Tracing{}, err
	}
	q.Until, err = f.watermark(ctx, c, &e, kept)
	return ingest.Tracing{
		Environment: q.Environment, Flag: q.Flag, Rollout: q.Rollout, UnitKind: q.UnitKind, Metrics: q.Metrics, Gate: q.Gate, Since: q.Since, Dark: q.Dark,
		Behind: q.Circuit.Behind, Epochs: q.Circuit.Epochs, Until: q.Until, Watermark: kept.Watermark,
	}, err
}
