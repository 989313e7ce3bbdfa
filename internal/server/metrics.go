package server

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/internal/meter"
)

const metricsPath = "/metrics"

// measureTime bounds a scrape: what does not answer in time is left out, and
// says so by being absent.
const measureTime = 5 * time.Second

// metrics answers with what is measured of this replica, in Prometheus's text
// format.
func (s *server) metrics(w http.ResponseWriter, r *http.Request) error {
	if s.Measure == nil {
		return errNoSuch
	}
	ctx, stop := context.WithTimeout(r.Context(), measureTime)
	defer stop()
	families := append(s.Measure(ctx), s.measureReady(ctx))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	return meter.Write(w, families)
}

// measureReady measures what /readyz says: each dependency by its name, without
// the entry that stands for several.
func (s *server) measureReady(ctx context.Context) meter.Family {
	f := meter.Family{Name: "sluice_ready", Help: "1 for each dependency that is well.", Kind: meter.Gauge}
	all := s.allReady(ctx)
	delete(all, flagPlane)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		well := 0.0
		if all[name] == nil {
			well = 1
		}
		f.Add(well, "dependency", name)
	}
	return f
}
