package main

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// wentLive remembers what went live in each environment. A pass looks at every
// rollout, and nothing new goes live before more is loaded: one query answers
// all the rollouts of an environment, until the watermark moves. The zero value
// is ready.
type wentLive struct {
	mu    sync.Mutex
	known map[string]liveAnswer // by environment
}

// liveAnswer is what the warehouse said, and what it was asked.
type liveAnswer struct {
	recent warehouse.Recent
	all    []decisions.Deployment // the newest first
	asked  warehouse.Query
}

// since returns what went live since a rollout's stage began, and the query that
// said so, which may look further back for the sake of another rollout.
func (l *wentLive) since(ctx context.Context, w *warehouse.Warehouse, q warehouse.Recent) ([]decisions.Deployment, warehouse.Query, error) {
	a := l.of(q.Environment)
	if !a.answers(q) {
		var err error
		if a, err = ask(ctx, w, a.widen(q)); err != nil {
			return nil, a.asked, err
		}
		l.keep(a)
	}
	earlier := func(d decisions.Deployment) bool { return d.At.Before(q.Since) }
	return slices.DeleteFunc(slices.Clone(a.all), earlier), a.asked, nil
}

func (l *wentLive) of(environment string) liveAnswer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known[environment]
}

func (l *wentLive) keep(a liveAnswer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = map[string]liveAnswer{}
	}
	l.known[a.recent.Environment] = a
}

// answers reports whether the same facts were asked, from as early on or earlier.
func (a liveAnswer) answers(q warehouse.Recent) bool {
	return maps.Equal(a.recent.Watermark, q.Watermark) && !a.recent.Since.IsZero() && !q.Since.Before(a.recent.Since) && !q.Until.Before(a.recent.Until)
}

// furthestBack bounds what one rollout's question costs the others: what stands
// for longer asks by itself.
const furthestBack = 30 * 24 * time.Hour

// widen asks for as far back as was asked before, so that rollouts whose stages
// began at other times share the answer.
func (a liveAnswer) widen(q warehouse.Recent) warehouse.Recent {
	if since := a.recent.Since; !since.IsZero() && since.Before(q.Since) && q.Until.Sub(since) <= furthestBack {
		q.Since = since
	}
	return q
}

func ask(ctx context.Context, w *warehouse.Warehouse, q warehouse.Recent) (liveAnswer, error) {
	all, asked, err := w.Deployments(ctx, q)
	a := liveAnswer{recent: q, asked: asked}
	for _, d := range all {
		a.all = append(a.all, decisions.Deployment(d))
	}
	return a, err
}
