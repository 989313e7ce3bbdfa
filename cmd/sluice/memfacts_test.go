package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/stats"
)

// memMetrics stand beside the conversion of the gate's documents: a sum and
// failures.
const memMetrics = `apiVersion: sluice/v1
kind: Metric
key: spent
description: What units spent
owner: game-team
aggregate: sum
direction: increase
gateWindow: 1ms
---
apiVersion: sluice/v1
kind: Metric
key: crashes
description: Units that crashed
owner: game-team
aggregate: events
direction: decrease
---
`

// TestMemFactsCountAsTheWarehouse sends the same events to the engine and to the
// facts in memory that rehearsals and stories count by, some of them twice and
// some of units that see both arms, and compares what gates are told.
func TestMemFactsCountAsTheWarehouse(t *testing.T) {
	h := stand(t, config{Data: t.TempDir(), Lib: enginetest.Library(t)})
	documents := memMetrics + strings.Replace(gateDocuments, "onInconclusive: review}]", "onInconclusive: review}]\n  diagnostics: [{metric: spent}, {metric: crashes}]", 1)
	if answer, body := h.ask("POST", "/api/v1/apply?start=true&comment=x", documents); answer.StatusCode != http.StatusOK {
		t.Fatal(body)
	}
	revision := revisionOf(t, h)
	var r decisions.Rollout
	h.projection.View(func(uint64) { r, _ = h.folds.Rollouts.Rollout("production/gate/1") })
	rng, mem := rand.New(rand.NewPCG(8, 8)), &decisions.MemFacts{}
	at := now().Add(-2 * time.Second).Truncate(time.Millisecond)
	var lines []string
	send := func(line string) {
		lines = append(lines, line)
		if rng.IntN(10) == 0 {
			lines = append(lines, line) // a repeat
		}
	}
	exposures := 0
	expose := func(unit, arm string, at time.Time) {
		exposures++
		mem.Expose(r.ID, "experiment", 1, arm, unit, at)
		send(fmt.Sprintf(`{"kind":"exposure","id":%q,"flag":"gate","unit":{"kind":"user","id":%q},"revision":%d,"variant":%q,"reason":"SPLIT","at":%q}`,
			event.New(), unit, revision, arm, at.Format(time.RFC3339Nano)))
	}
	for i := range 400 {
		unit, arm := fmt.Sprint("u-", i), []string{"on", "off"}[rng.IntN(2)]
		expose(unit, arm, at)
		if i%50 == 0 {
			expose(unit, map[string]string{"on": "off", "off": "on"}[arm], at.Add(time.Millisecond))
		}
		for _, m := range []struct {
			metric, name string
			chance       float64
			value        float64
		}{{"wins", "win", 0.3, 1}, {"spent", "spent", 0.5, float64(rng.IntN(1000)) / 8}, {"crashes", "crashes", 0.05, 1}} {
			if rng.Float64() < m.chance {
				mem.Record(r.ID, m.metric, 1, unit, m.value, at)
				send(fmt.Sprintf(`{"kind":"metric","id":%q,"name":%q,"value":%g,"units":{"user":%q},"at":%q}`, event.New(), m.name, m.value, unit, at.Format(time.RFC3339Nano)))
			}
		}
	}
	if answer, body := h.ask("POST", "/v1/events?environment=production", strings.Join(lines, "\n")); answer.StatusCode != http.StatusAccepted {
		t.Fatalf("%s %s", answer.Status, body)
	}
	h.awaits("/api/v1/readouts/production/gate/1", func(body string) bool { return strings.Contains(body, fmt.Sprintf(`"exposures":%d,`, exposures)) })
	told, err := h.facts.Evidence(t.Context(), r, now())
	if err != nil {
		t.Fatal(err)
	}
	want, err := mem.Evidence(t.Context(), r, now())
	if err != nil {
		t.Fatal(err)
	}
	near := cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) <= 1e-9*max(1, math.Abs(x)) })
	if diff := cmp.Diff(gateTold(want), gateTold(told), near, cmpopts.IgnoreFields(stats.Moments{}, "Low"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-in memory +in the warehouse:\n%s", diff)
	}
}

// gateTold is what gates are told, in one order.
func gateTold(e decisions.Evidence) any {
	byArm := func(a, b decisions.Count) int { return strings.Compare(a.Arm, b.Arm) }
	slices.SortFunc(e.Units, byArm)
	slices.SortFunc(e.Quarantined, byArm)
	strata := map[string][]stats.Stratum{}
	for _, m := range e.Metrics {
		strata[m.Metric] = m.Strata
	}
	return map[string]any{"exposures": e.Exposures, "units": e.Units, "two arms": e.TwoArms, "quarantined": e.Quarantined, "newest": e.Newest, "strata": strata}
}
