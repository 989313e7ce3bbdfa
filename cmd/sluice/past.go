package main

import (
	"context"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/warehouse"
	"github.com/sluice-hq/sluice/stats"
)

var _ server.Pasts = (*facts)(nil)

// Past implements server.Pasts, from all that is loaded now.
func (f *facts) Past(ctx context.Context, r decisions.Rollout, flag string, from, until time.Time) (decisions.Past, error) {
	c, err := f.house.counting.get()
	if err != nil {
		return decisions.Past{}, err
	}
	kept, err := c.totals.Kept(ctx)
	if err != nil {
		return decisions.Past{}, f.house.counting.blame(ctx, err)
	}
	q := pastQuestion(r, flag, from, until)
	for shard, p := range kept.Progress {
		q.Watermark[shard] = p.Done
	}
	found, err := c.store.Past(ctx, q)
	if err == nil && flag == "" && came(found) == 0 { // nobody met the flag: who comes is told by those of the others
		q.Flag, q.Control = "", ""
		found, err = c.store.Past(ctx, q)
	}
	return pastOf(q, found), f.house.counting.blame(ctx, err)
}

// before is Past of the plan's own flag, for starts that nobody waits for.
func (f *facts) before(ctx context.Context, r decisions.Rollout, from, until time.Time) (decisions.Past, error) {
	return f.Past(ctx, r, "", from, until)
}

// pastQuestion asks for those who met control of the plan's flag, or any variant
// of another one.
func pastQuestion(r decisions.Rollout, flag string, from, until time.Time) warehouse.PastQuestion {
	q := warehouse.PastQuestion{
		Environment: r.Plan.Environment, Flag: r.Plan.Flag, UnitKind: r.Plan.Unit, Control: r.Plan.Arms.Control,
		From: from, Until: until, Watermark: map[string]uint64{},
	}
	if flag != "" && flag != r.Plan.Flag {
		q.Flag, q.Control = flag, ""
	}
	for _, key := range r.Plan.Measured() {
		q.Metrics = append(q.Metrics, r.Metrics[key])
	}
	return q
}

func came(p warehouse.Past) int64 {
	return p.Reach[len(p.Reach)-1] // of a past that was found, which has a day or more
}

// pastOf is what the warehouse found, in the words of the decisions.
func pastOf(q warehouse.PastQuestion, found warehouse.Past) decisions.Past {
	p := decisions.Past{From: q.From, Until: q.Until, Flag: q.Flag, Metrics: found.Samples, Kinds: found.Kinds, Traffic: stats.Traffic{Reach: []float64{}}}
	for _, n := range found.Reach {
		p.Traffic.Reach, p.Units = append(p.Traffic.Reach, float64(n)), n
	}
	for _, a := range found.Queries {
		p.Queries = append(p.Queries, decisions.Query{SQL: a.SQL, Params: params(a.Params), Hash: a.Hash, Of: a.Of})
	}
	return p
}
