package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/warehouse"
	"github.com/sluice-hq/sluice/stats"
)

// wentLive remembers what went live in each environment. The zero value is ready.
type wentLive struct {
	recent[[]decisions.Deployment] // the newest first
}

// since returns what went live since a rollout's stage began, and the query that
// said so, which may look further back for the sake of another rollout.
func (l *wentLive) since(ctx context.Context, w *warehouse.Warehouse, q warehouse.Recent) ([]decisions.Deployment, warehouse.Query, error) {
	a, err := l.of(ctx, "", q, func(ctx context.Context, q warehouse.Recent) (all []decisions.Deployment, asked warehouse.Query, err error) {
		found, asked, err := w.Deployments(ctx, q)
		for _, d := range found {
			all = append(all, decisions.Deployment(d))
		}
		return all, asked, err
	})
	earlier := func(d decisions.Deployment) bool { return d.At.Before(q.Since) }
	return slices.DeleteFunc(slices.Clone(a.value), earlier), a.asked, err
}

// signs remember the newest sign of life of each source in each environment. The
// zero value is ready.
type signs struct {
	recent[time.Time]
}

// newest returns when the newest event of a source came, zero when none did since
// the time that is asked for, and the query that said so.
func (s *signs) newest(ctx context.Context, w *warehouse.Warehouse, q warehouse.Recent, of stats.Source) (time.Time, warehouse.Query, error) {
	a, err := s.of(ctx, sourceKey(of), q, func(ctx context.Context, q warehouse.Recent) (time.Time, warehouse.Query, error) {
		return w.Arrival(ctx, q, of)
	})
	if a.value.Before(q.Since) {
		a.value = time.Time{}
	}
	return a.value, a.asked, err
}

// sourceKey is equal for sources that are the same events.
func sourceKey(of stats.Source) string {
	b, err := json.Marshal(of)
	if err != nil {
		panic(fmt.Sprintf("unreachable unless a source has a field that JSON cannot hold: %v", err))
	}
	return string(b)
}
