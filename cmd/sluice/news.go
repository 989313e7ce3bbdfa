package main

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// news knows of what something has come since the house was opened, so that a
// pass of the controller asks for the evidence of those rollouts alone that
// something came of. It asks the warehouse once a pass, what new messages are
// about. The zero value is ready.
type news struct {
	mu      sync.Mutex
	pass    time.Time                     // that it was brought up to date for
	began   time.Time                     // the first
	seen    warehouse.Kept                // what the totals had then
	extent  extent                        // how far facts were countable then
	turn    uint64                        // counts the passes
	all     uint64                        // turn at which everything may have changed
	turns   map[warehouse.Topic]uint64    // at which something came, by what it is about
	latest  map[warehouse.Topic]time.Time // that exposures say, by their flag
	untils  map[string]time.Time          // of rollouts, the time of the question that was asked last
	passes  map[string]time.Time          // of rollouts, the newest pass that was about them
	unknown error                         // why the pass knows nothing; nil: it does
}

// extent is how far facts are countable.
type extent struct {
	until       time.Time
	unaccounted int64
	behind      bool // a shard has more to load and stands still
}

// counted notes the time of the question that the evidence of a rollout was
// counted by.
func (n *news) counted(rollout string, until time.Time, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.untils == nil {
		n.untils = map[string]time.Time{}
	}
	if n.untils[rollout] = until; err != nil {
		delete(n.untils, rollout)
	}
}

// passed returns the time of the newest pass, and of the newest that was about a
// rollout.
func (n *news) passed(rollout string) (newest, about time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.pass, n.passes[rollout]
}

// mark implements decisions.Marks.
func (f *facts) mark(ctx context.Context, r decisions.Rollout, now time.Time) (string, bool) {
	c, err := f.house.counting.get()
	if err != nil {
		return "", false // whoever asks for evidence is told
	}
	if pass, _ := f.news.passed(r.ID); !now.Equal(pass) {
		f.news.renew(ctx, f, c, now)
	}
	door := server.Door{Projection: f.house.projection, Folds: f.house.folds}
	return f.news.mark(r, door.Window(r.Plan.Environment).Tolerance())
}

// renew brings the news up to date for a pass. After an error the next pass
// begins from where this one did, and this one knows nothing.
func (n *news) renew(ctx context.Context, f *facts, c *counting, now time.Time) {
	kept, err := c.totals.Kept(ctx)
	e := decisions.Evidence{At: now}
	var to extent
	if err == nil {
		to.until, err = f.watermark(ctx, c, &e, kept)
	}
	to.unaccounted = e.Unaccounted
	for _, p := range e.Watermark {
		to.behind = to.behind || p.Behind > 0
	}
	var came map[warehouse.Topic]time.Time
	if err == nil {
		came, err = n.ask(ctx, c.totals.Warehouse, kept)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err == nil {
		n.hear(came, kept, now)
	}
	n.pass, n.extent, n.unknown = now, to, err
}

// ask asks what the messages are about that the totals hold since it was asked
// last. Pages wait for nothing of it.
func (n *news) ask(ctx context.Context, w *warehouse.Warehouse, kept warehouse.Kept) (map[warehouse.Topic]time.Time, error) {
	n.mu.Lock()
	seen := n.seen.Watermark
	n.mu.Unlock()
	all := map[warehouse.Topic]time.Time{}
	if seen == nil {
		return all, nil // the first time everything may have changed, whatever came
	}
	for shard, upTo := range kept.Watermark {
		behind := seen[shard]
		if upTo <= behind {
			continue
		}
		came, err := w.Came(ctx, shard, behind, upTo)
		if err != nil {
			return nil, err
		}
		for topic, at := range came {
			if had, ok := all[topic]; !ok || at.After(had) {
				all[topic] = at
			}
		}
	}
	return all, nil
}

// hear takes what has come. The first time, after totals were made anew, and where
// they hold less than they did, everything may have changed. Call it under the
// lock.
func (n *news) hear(came map[warehouse.Topic]time.Time, kept warehouse.Kept, now time.Time) {
	n.turn++
	if n.turns == nil || !maps.Equal(n.seen.Rebuilt, kept.Rebuilt) || fewer(n.seen.Watermark, kept.Watermark) {
		n.all = n.turn
	}
	if n.turns == nil || fewer(n.seen.Watermark, kept.Watermark) {
		n.began, n.turns, n.latest, n.passes = now, map[warehouse.Topic]uint64{}, map[warehouse.Topic]time.Time{}, map[string]time.Time{}
	}
	for topic, at := range came {
		n.turns[topic] = n.turn
		if at.After(n.latest[topic]) {
			n.latest[topic] = at
		}
	}
	n.seen = kept
}

// fewer reports whether a shard holds less than it did, or is gone.
func fewer(was, is map[string]uint64) bool {
	for shard, seq := range was {
		if is[shard] < seq {
			return true
		}
	}
	return false
}

// mark says when something came last of what a rollout asks. It is not known
// while a shard stands still, and while units may grow old enough to count: then
// time alone changes what is counted. Ahead is by how much exposures may be ahead
// of the clock.
func (n *news) mark(r decisions.Rollout, ahead time.Duration) (string, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.unknown == nil {
		n.passes[r.ID] = n.pass
	}
	last, asked := n.untils[r.ID]
	if n.unknown != nil || n.extent.behind || !asked {
		return "", false
	}
	exposed := warehouse.Topic{Kind: warehouse.TopicExposures, Environment: r.Plan.Environment, Name: r.Plan.Flag}
	grown := n.began.Add(ahead) // of units that were there before anybody listened
	if at := n.latest[exposed]; at.After(grown) {
		grown = at
	}
	if grown = grown.Add(r.Ripening()); grown.After(last) || grown.After(n.extent.until) {
		return "", false
	}
	turn := n.all
	for _, t := range append(topics(r), exposed) {
		turn = max(turn, n.turns[t])
	}
	return fmt.Sprint(turn, n.extent.unaccounted), true
}

// topics are what a rollout asks besides the exposures of its flag.
func topics(r decisions.Rollout) []warehouse.Topic {
	in := r.Plan.Environment
	out := []warehouse.Topic{{Kind: warehouse.TopicDeployments, Environment: in}}
	add := func(event string) {
		out = append(out, warehouse.Topic{Kind: warehouse.TopicEvents, Environment: in, Name: event})
	}
	for _, key := range r.Plan.Measured() {
		m := r.Metrics[key]
		add(m.Source().Event)
		if m.Denominator != nil {
			add(m.Denominator.Event)
		}
		if m.SignOfLife != "" {
			add(m.SignOfLife)
		}
	}
	return out
}
