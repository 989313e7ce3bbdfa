package server

import (
	"context"
	"errors"
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

// TestMetrics_ready: what takes a replica out of readiness is measured by name,
// what flags are served from as well as what they are served without.
func TestMetrics_ready(t *testing.T) {
	h := newHouseWith(t, func(h *House) {
		h.Measure = func(context.Context) []meter.Family { return nil }
		h.Ready = func(context.Context) map[string]error {
			return map[string]error{"warehouse": errors.New("gone"), "streams": nil}
		}
	})
	const want = "# HELP sluice_ready 1 for each dependency that is well.\n# TYPE sluice_ready gauge\n" + `sluice_ready{dependency="lists of units"} 1
sluice_ready{dependency="log"} 1
sluice_ready{dependency="streams"} 1
sluice_ready{dependency="warehouse"} 0`
	if _, got, _ := h.ask("viewer", "GET", "/metrics", ""); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
