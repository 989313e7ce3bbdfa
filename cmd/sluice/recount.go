package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

var _ server.Recounts = (*facts)(nil)

// Recount implements server.Recounts, from the raw events: the totals go on, and
// no longer know how they once were.
func (f *facts) Recount(ctx context.Context, r decisions.Rollout, e decisions.Evidence, late bool) (decisions.Evidence, error) {
	c, err := f.house.counting.get()
	if err != nil {
		return e, err
	}
	watermark := map[string]uint64{}
	for shard, p := range e.Watermark {
		watermark[shard] = p.Seq
	}
	if late {
		kept, err := c.totals.Kept(ctx)
		if err != nil {
			return e, f.house.counting.blame(ctx, err)
		}
		watermark = kept.Watermark
	}
	out, err := countAgain(ctx, c.store, r, e, watermark)
	return out, f.house.counting.blame(ctx, err)
}

// countAgain asks what the evidence of a rollout was asked, up to a watermark.
func countAgain(ctx context.Context, w *warehouse.Warehouse, r decisions.Rollout, e decisions.Evidence, watermark map[string]uint64) (decisions.Evidence, error) {
	until, err := askedUntil(e)
	if err != nil {
		return e, err
	}
	q := question(r)
	q.Until, q.Watermark = until, watermark
	a, err := w.Readout(ctx, q)
	if err != nil {
		return e, err
	}
	q.Caps = a.Caps
	return beyondFacts(ctx, w, &wentLive{}, &signs{}, r, q, fill(decisions.Evidence{At: e.At}, q.Metrics, a))
}

// errNoQueries is of evidence that the warehouse did not count.
var errNoQueries = errors.New("the record has no query, and cannot be counted again")

// askedUntil returns the time up to which evidence was asked for: every query has
// it among its parameters.
func askedUntil(e decisions.Evidence) (time.Time, error) {
	if len(e.Queries) == 0 {
		return time.Time{}, errNoQueries
	}
	var p struct {
		Until int64 `json:"until"` // ms
	}
	if err := json.Unmarshal(e.Queries[0].Params, &p); err != nil || p.Until == 0 {
		return time.Time{}, fmt.Errorf("%w: its first one does not say up to when", errNoQueries)
	}
	return time.UnixMilli(p.Until).UTC(), nil
}
