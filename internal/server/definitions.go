package server

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
)

type flagKey struct {
	Key string `path:"key" example:"checkout.payments.express-pay"`
}

type flagOut struct {
	ETag string `header:"ETag" doc:"the flag's revision"`
	Body flags.Recorded
}

type flagIn struct {
	Key string `path:"key" example:"checkout.payments.express-pay"`
	At  string `query:"at" doc:"the flag as it was: revision or RFC 3339 time" example:"2027-01-31T09:00:00Z"`
}

func (s *server) readFlag(ctx context.Context, in *flagIn) (*flagOut, error) {
	if in.At == "" {
		return s.getFlag(ctx, &flagKey{Key: in.Key})
	}
	_, f, err := s.past(ctx, in.Key, in.At)
	return &flagOut{ETag: fmt.Sprintf("%q", fmt.Sprint(f.Revision)), Body: shown(ctx, f)}, err
}

func (s *server) getFlag(ctx context.Context, in *flagKey) (*flagOut, error) {
	out, ok := &flagOut{}, false
	s.Projection.View(func(uint64) { out.Body, ok = s.Flags.Flag(in.Key) })
	if !ok {
		return nil, fmt.Errorf("flag %s: %w", in.Key, errNoSuch)
	}
	out.Body = shown(ctx, out.Body)
	out.ETag = fmt.Sprintf("%q", fmt.Sprint(out.Body.Revision))
	return out, nil
}

type metricsIn struct{ Page }

type metricsOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Metrics []ingest.Declaration `json:"metrics" doc:"by key"`
		Next    string               `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

func (s *server) listMetrics(ctx context.Context, in *metricsIn) (*metricsOut, error) {
	var all []ingest.Declaration
	for _, key := range s.Metrics.Keys() {
		if d, ok := s.Metrics.Declaration(key); ok && defines(ctx, key) {
			all = append(all, d)
		}
	}
	out := &metricsOut{}
	page, next, err := cut(in.Page, rising("metrics", func(d ingest.Declaration) string { return d.Metric.Key }), all)
	out.Body.Metrics, out.Body.Next, out.Link = page, next.cursor, next.link
	return out, err
}
