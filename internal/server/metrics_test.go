package server

import (
	"context"
	"net/http"
	"testing"

	"github.com/sluice-hq/sluice/internal/meter"
)

func TestMetrics(t *testing.T) {
	measure := func(h *House) {
		h.Measure = func(context.Context) []meter.Family {
			return []meter.Family{meter.One("sluice_events_unaccounted", "Events.", meter.Gauge, 0, "shard", "facts-0")}
		}
	}
	h := newHouseWith(t, measure)
	h.want("viewer", "GET", "/metrics", "", http.StatusOK, `sluice_events_unaccounted{shard="facts-0"} 0`)
	h.want("", "GET", "/metrics", "", http.StatusUnauthorized, "")
	h.want("sdk", "GET", "/metrics", "", http.StatusForbidden, "")
	open := newHouseWith(t, func(h *House) { measure(h); h.OpenMetrics = true })
	open.want("", "GET", "/metrics", "", http.StatusOK, "# TYPE sluice_events_unaccounted gauge")
	open.want("", "GET", "/api/v1/facts", "", http.StatusUnauthorized, "")
	newHouse(t).want("viewer", "GET", "/metrics", "", http.StatusNotFound, "")
}
