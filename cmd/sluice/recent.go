package main

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/internal/warehouse"
)

// recent remembers what came lately to an environment, whoever it is of. A pass
// looks at many rollouts, and nothing new is there before more is loaded: one
// query answers all that ask the same, until the watermark moves. The zero value
// is ready.
type recent[V any] struct {
	mu    sync.Mutex
	known map[string]recently[V] // by environment, and by what is asked
}

// recently is what the warehouse said, and what it was asked.
type recently[V any] struct {
	recent warehouse.Recent
	value  V
	asked  warehouse.Query
}

// of returns the answer to a question, or to one like it that looks further back.
// Of says what is asked of the environment, and ask asks it.
func (r *recent[V]) of(ctx context.Context, of string, q warehouse.Recent, ask func(context.Context, warehouse.Recent) (V, warehouse.Query, error)) (recently[V], error) {
	key := q.Environment + "\x00" + of
	r.mu.Lock()
	a := r.known[key]
	r.mu.Unlock()
	if a.answers(q) {
		return a, nil
	}
	var err error
	a.recent = a.widen(q)
	if a.value, a.asked, err = ask(ctx, a.recent); err != nil {
		return a, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[string]recently[V]{}
	}
	r.known[key] = a
	return a, nil
}

// answers reports whether the same facts were asked, from as early on or earlier.
func (a recently[V]) answers(q warehouse.Recent) bool {
	return maps.Equal(a.recent.Watermark, q.Watermark) && !a.recent.Since.IsZero() && !q.Since.Before(a.recent.Since) && !q.Until.Before(a.recent.Until)
}

// furthestBack bounds what one rollout's question costs the others: what stands
// for longer asks by itself.
const furthestBack = 30 * 24 * time.Hour

// widen asks for as far back as was asked before, so that rollouts whose stages
// began at other times share the answer.
func (a recently[V]) widen(q warehouse.Recent) warehouse.Recent {
	if since := a.recent.Since; !since.IsZero() && since.Before(q.Since) && q.Until.Sub(since) <= furthestBack {
		q.Since = since
	}
	return q
}
