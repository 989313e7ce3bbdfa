package server

import (
	"context"
	"net/http"
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
	families := s.Measure(ctx)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	return meter.Write(w, families)
}
