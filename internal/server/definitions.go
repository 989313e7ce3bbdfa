package server

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
)

type flagsOut struct {
	Body struct {
		Flags []flags.Recorded `json:"flags"`
	}
}

func (s *server) listFlags(context.Context, *struct{}) (*flagsOut, error) {
	out := &flagsOut{}
	s.Projection.View(func(uint64) {
		for _, key := range s.Flags.Keys() {
			if f, ok := s.Flags.Flag(key); ok {
				out.Body.Flags = append(out.Body.Flags, f)
			}
		}
	})
	return out, nil
}

type flagKey struct {
	Key string `path:"key" example:"checkout.payments.express-pay"`
}

type flagOut struct {
	ETag string `header:"ETag" doc:"the flag's revision"`
	Body flags.Recorded
}

func (s *server) getFlag(_ context.Context, in *flagKey) (*flagOut, error) {
	out, ok := &flagOut{}, false
	s.Projection.View(func(uint64) { out.Body, ok = s.Flags.Flag(in.Key) })
	if !ok {
		return nil, fmt.Errorf("flag %s: %w", in.Key, errNoSuch)
	}
	out.ETag = fmt.Sprintf("%q", fmt.Sprint(out.Body.Revision))
	return out, nil
}

type metricsOut struct {
	Body struct {
		Metrics []ingest.Declaration `json:"metrics"`
	}
}

func (s *server) listMetrics(context.Context, *struct{}) (*metricsOut, error) {
	out := &metricsOut{}
	for _, key := range s.Metrics.Keys() {
		if d, ok := s.Metrics.Declaration(key); ok {
			out.Body.Metrics = append(out.Body.Metrics, d)
		}
	}
	return out, nil
}
