package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/warehouse"
	"github.com/sluice-hq/sluice/stats"
)

// facts is the warehouse as the decisions see it, and the looks that were
// taken.
type facts struct {
	house  *house
	mu     sync.Mutex
	looks  map[string]decisions.Look // by rollout, the newest
	newest time.Time                 // of all looks
	stuck  map[string]standstill     // by shard
	live   wentLive
	signs  signs
	news   news
}

// standstill is since when a shard that has more to load is where it is.
type standstill struct {
	done  uint64
	since time.Time
}

var (
	_ decisions.Facts = (*facts)(nil)
	_ server.Readouts = (*facts)(nil)
)

// openController makes the controller and what it reads from.
func (h *house) openController(context.Context) error {
	h.facts = &facts{house: h, looks: map[string]decisions.Look{}, stuck: map[string]standstill{}}
	h.reach.house = h
	h.controller = &decisions.Controller{
		Log: h.streams.Log, Blobs: h.streams.Blobs, House: h.projection, Flags: h.folds.Flags, State: h.folds.Rollouts,
		Seals: h.folds.Seals, Facts: h.facts, Past: h.facts.before, Witness: &h.reach, Looks: h.facts.keep, Marks: h.facts.mark, Every: h.Every, Logger: h.lg,
		Build: thisBuild(h.snapshots.code),
	}
	return nil
}

// Evidence implements decisions.Facts: every unit had the same time for its
// events.
func (f *facts) Evidence(ctx context.Context, r decisions.Rollout, now time.Time) (decisions.Evidence, error) {
	c, err := f.house.counting.get()
	if err != nil {
		return decisions.Evidence{At: now}, err
	}
	e, q, err := f.count(ctx, c, r, now)
	f.news.counted(r.ID, q.Until, err)
	return e, f.house.counting.blame(ctx, err)
}

// count returns the evidence, and the question about just what is counted in
// it.
func (f *facts) count(ctx context.Context, c *counting, r decisions.Rollout, now time.Time) (decisions.Evidence, warehouse.Question, error) {
	e, q := decisions.Evidence{At: now}, question(r)
	kept, err := c.totals.Kept(ctx)
	if err != nil {
		return e, q, err
	}
	if q.Until, err = f.watermark(ctx, c, &e, kept); err != nil {
		return e, q, err
	}
	a, err := c.totals.Readout(ctx, q, kept)
	if err != nil {
		return e, q, err
	}
	linkBlocks(ctx, kept)
	q.Watermark, q.Caps = kept.Watermark, a.Caps
	e, err = beyondFacts(ctx, c.totals.Warehouse, &f.live, &f.signs, r, q, fill(e, q.Metrics, a))
	return e, q, err
}

// question is what a gate asks of a rollout.
func question(r decisions.Rollout) warehouse.Question {
	arms := r.Arms()
	q := warehouse.Question{
		Environment: r.Plan.Environment, Flag: r.Plan.Flag, Rollout: r.ID, UnitKind: r.Plan.Unit, Gate: true, Since: r.Fresh, Dark: r.Plan.Dark(), Circuit: warehouse.Circuit(r.Circuit()),
		Control: arms.Control, Treatments: []string{arms.Treatment},
	}
	for _, key := range r.Plan.Measured() {
		q.Metrics = append(q.Metrics, r.Metrics[key])
	}
	q.Caps = frozenCaps(r)
	return q
}

// watermark notes how far each shard is added up and returns the time up to
// which everything that was acknowledged is countable: that of the evidence,
// where the totals have all that the stream had a moment ago, else that of the
// newest event in them.
func (f *facts) watermark(ctx context.Context, c *counting, e *decisions.Evidence, kept warehouse.Kept) (time.Time, error) {
	until := e.At
	e.Watermark = map[string]decisions.Place{}
	for _, l := range c.loaders {
		if l.Shard == ingest.ControlShard {
			continue
		}
		last, err := l.Stream.Last(ctx)
		if err != nil {
			return until, fmt.Errorf("asking for the end of %s: %w", l.Shard, err)
		}
		p := kept.Progress[l.Shard]
		e.Watermark[l.Shard] = decisions.Place{Seq: p.Done, Newest: p.Newest, Behind: f.behind(p, last, e.At)}
		if p.Done < last && p.Newest.Before(until) {
			until = p.Newest
		}
		b, err := c.balance(ctx, l, p.Done)
		if err != nil {
			return until, err
		}
		e.Unaccounted += int64(b.Unaccounted)
	}
	return until, nil
}

// behind returns for how long a shard has had more to load and has not moved.
func (f *facts) behind(p ingest.Progress, last uint64, now time.Time) event.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, known := f.stuck[p.Shard]
	if p.Done >= last || !known || s.done != p.Done {
		f.stuck[p.Shard] = standstill{done: p.Done, since: now}
		return 0
	}
	return event.Duration(now.Sub(s.since))
}

// fill writes the warehouse's answer into the evidence, in the plan's order.
func fill(e decisions.Evidence, metrics []stats.Metric, a warehouse.Answer) decisions.Evidence {
	e.Exposures, e.Newest, e.TwoArms = a.Exposures, a.NewestExposure, a.TwoArms
	e.Units, e.Metrics = []decisions.Count{}, []decisions.Measured{}
	for _, c := range a.Units {
		e.Units = append(e.Units, decisions.Count(c))
	}
	for _, c := range a.Quarantined {
		e.Quarantined = append(e.Quarantined, decisions.Count(c))
	}
	for _, s := range a.Strays {
		e.Strays = append(e.Strays, decisions.Stray(s))
	}
	for _, m := range metrics {
		e.Metrics = append(e.Metrics, decisions.Measured{Metric: m.Key, Strata: a.Strata[m.Key], Newest: a.NewestEvent[m.Key], Cap: capOf(m, a)})
	}
	e.Queries = append(e.Queries, queriesOf(a.Queries)...)
	return e
}

// queriesOf returns queries as evidence keeps them. More words say of what they are
// beside what they were asked of.
func queriesOf(queries []warehouse.Query, of ...string) []decisions.Query {
	out := make([]decisions.Query, len(queries))
	for i, q := range queries {
		out[i] = decisions.Query{SQL: q.SQL, Params: params(q.Params), Hash: q.Hash, Of: slices.Concat(q.Of, of)}
	}
	return out
}

// params returns what the query's hash is made over beside its text.
func params(p warehouse.Params) json.RawMessage {
	b, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("unreachable unless a query was asked with values that it could not be hashed with: %v", err))
	}
	return b
}

// keep takes every look of the controller: the newest for the pages, all of
// them for pictures over time.
func (f *facts) keep(ctx context.Context, l decisions.Look) error {
	f.mu.Lock()
	f.looks[l.Rollout], f.newest = l, l.At
	f.mu.Unlock()
	kept, err := storedLook(l)
	if err != nil {
		return err
	}
	c, err := f.house.counting.get()
	if err != nil {
		return err
	}
	return c.store.InsertLook(ctx, kept)
}

// looked returns when any rollout was looked at last, or it was seen that nothing
// has come of it.
func (f *facts) looked() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if pass, _ := f.news.passed(""); pass.After(f.newest) {
		return pass
	}
	return f.newest
}

// look returns the newest look at a rollout.
func (f *facts) look(rollout string) (decisions.Look, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, ok := f.looks[rollout]
	if l.Verdict.Next.IsZero() {
		return l, ok
	}
	if _, about := f.news.passed(rollout); about.Add(f.house.Every).After(l.Verdict.Next) {
		l.Verdict.Next = about.Add(f.house.Every) // looks since were spared: they would have found the same
	}
	return l, ok
}
