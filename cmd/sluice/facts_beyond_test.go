package main

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/warehouse"
	"github.com/sluice-hq/sluice/stats"
)

// TestBeyond counts on the engine what gates ask beside the units that are
// compared: an audience, the values of an attribute, signs of life, and what
// else went live.
func TestBeyond(t *testing.T) {
	w, err := warehouse.Open(t.Context(), warehouse.Config{Dial: enginetest.StartSupervisor(t).Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	v := &visits{}
	for unit := range uint64(4) {
		v.see(unit+1, []string{"off", "on"}[unit%2])
		v.rows.Exposures[unit].Attributes = map[string]string{"region": []string{"eu", "us"}[unit/2]}
	}
	v.send(1, "error", 1)
	for unit := range uint64(3) {
		v.see(100+unit, "on")
		e := &v.rows.Exposures[len(v.rows.Exposures)-1]
		e.Enrolled, e.Rollout, e.Arm, e.Stage, e.Epoch, e.Revision = false, "", "", "", 0, 7
		v.send(100+unit, "latency", float64(150+unit))
	}
	p, id := v.place()
	v.rows.Deployments = []ingest.DeploymentRow{{Place: p, ID: id, Day: ingest.DayOf(id), Environment: "production", Service: "cart", Version: "2", At: judgedAt, Received: judgedAt}}
	if err := w.Insert(t.Context(), ingest.Block{Shard: "facts-0", From: 1, To: 1, Token: "beyond", Rows: v.rows}); err != nil {
		t.Fatal(err)
	}
	e := beyondOf(t, w, beyondRollout(1))
	want := []decisions.Part{
		{Value: "eu", Strata: []stats.Stratum{{Epoch: 1, Stage: "canary", Control: stats.Proportion(1, 1), Treatment: stats.Proportion(1, 0)}}},
		{Value: "us", Strata: []stats.Stratum{{Epoch: 1, Stage: "canary", Control: stats.Proportion(1, 0), Treatment: stats.Proportion(1, 0)}}},
	}
	if diff := cmp.Diff(want, e.Metrics[0].Parts); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	if !e.Metrics[0].Alive.Equal(judgedAt.Add(time.Minute)) || e.Metrics[1].Served != nil {
		t.Errorf("alive at %v, served %v", e.Metrics[0].Alive, e.Metrics[1].Served)
	}
	if diff := cmp.Diff([]decisions.Deployment{{Service: "cart", Version: "2", At: judgedAt}}, e.Deployments); diff != "" {
		t.Errorf("deployments (-want +got):\n%s", diff)
	}
	if len(e.Queries) == 0 || e.Asked() == (event.Hash{}) {
		t.Error("nothing says what was asked")
	}

	e = beyondOf(t, w, beyondRollout(0))
	latency := e.Metrics[1].Served
	if len(latency) != 1 || latency[0].Stage != "staff" || latency[0].Treatment.N != 3 || math.Abs(latency[0].Treatment.Center()-151) > 1e-9 {
		t.Errorf("served %+v", latency)
	}
	if e.Exposures != 3 || !e.Newest.Equal(judgedAt) || e.Metrics[0].Parts != nil {
		t.Errorf("%d exposures up to %v, parts %v", e.Exposures, e.Newest, e.Metrics[0].Parts)
	}
	for stage := range 2 {
		countedAgain(t, w, beyondRollout(stage))
	}
}

// countedAgain counts what a gate counts, and again from that alone.
func countedAgain(t *testing.T, w *warehouse.Warehouse, r decisions.Rollout) {
	t.Helper()
	q := question(r)
	q.Until, q.Watermark = judgedAt.Add(5*time.Minute), map[string]uint64{"facts-0": 1}
	a, err := w.Readout(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	e, err := beyondFacts(t.Context(), w, &wentLive{}, &signs{}, r, q, fill(decisions.Evidence{At: q.Until}, q.Metrics, a))
	if err != nil {
		t.Fatal(err)
	}
	again, err := countAgain(t.Context(), w, r, e, q.Watermark)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, again); diff != "" {
		t.Errorf("stage %d, counted again (-want +got):\n%s", r.Stage, diff)
	}
}

// beyondOf is the evidence five minutes after the units came.
func beyondOf(t *testing.T, w *warehouse.Warehouse, r decisions.Rollout) decisions.Evidence {
	t.Helper()
	q := question(r)
	q.Until, q.Watermark = judgedAt.Add(5*time.Minute), map[string]uint64{"facts-0": 1}
	e := fill(decisions.Evidence{At: q.Until}, q.Metrics, warehouse.Answer{})
	e, err := beyondFacts(t.Context(), w, &wentLive{}, &signs{}, r, q, e)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// beyondRollout is in one of its stages: an audience, or a canary.
func beyondRollout(stage int) decisions.Rollout {
	none := decisions.Percent(0)
	plan := decisions.Plan{
		Flag: "checkout", Environment: "production", Unit: "user", Arms: decisions.Arms{Control: "off", Treatment: "on"},
		Metrics: decisions.Metrics{Guardrails: []decisions.Guardrail{{Metric: "errors", Margin: &none, Within: "region"}, {Metric: "latency", Limit: "200ms"}}},
		Stages:  []decisions.Stage{{Name: "staff", Serve: "treatment", To: "staff"}, {Name: "canary", Treatment: 5000}},
	}
	return decisions.Rollout{
		Standing: decisions.Standing{ID: "production/checkout/1", Status: decisions.Running, Stage: stage, Since: judgedAt.Add(-time.Minute)}, Plan: plan.Filled(),
		Metrics: map[string]stats.Metric{
			"errors":  {Key: "errors", Event: "error", Aggregate: stats.Failures, Direction: stats.Decrease, Rate: 0.01},
			"latency": {Key: "latency", Event: "latency", Aggregate: stats.Average, Direction: stats.Decrease, GateWindow: 2 * time.Minute},
		},
		Decisions: []decisions.Decision{{Effect: 7}},
	}
}

// TestWentLive asks once for all the rollouts of an environment, and again when
// more is loaded, or when a stage began earlier.
func TestWentLive(t *testing.T) {
	w, err := warehouse.Open(t.Context(), warehouse.Config{Dial: enginetest.StartSupervisor(t).Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	v := &visits{}
	deploy := func(seq uint64, at time.Time) {
		t.Helper()
		p, id := v.place()
		row := ingest.DeploymentRow{Place: p, ID: id, Day: ingest.DayOf(id), Environment: "production", Service: "cart", Version: "2", At: at, Received: at}
		if err := w.Insert(t.Context(), ingest.Block{Shard: "facts-0", From: seq, To: seq, Token: fmt.Sprint("live", seq), Rows: ingest.Rows{Deployments: []ingest.DeploymentRow{row}}}); err != nil {
			t.Fatal(err)
		}
	}
	deploy(1, judgedAt)
	var live wentLive
	since := func(since time.Time, upTo uint64, until time.Time) (int, event.Hash) {
		t.Helper()
		all, asked, err := live.since(t.Context(), w, warehouse.Recent{Environment: "production", Since: since, Until: until, Watermark: map[string]uint64{"facts-0": upTo}})
		if err != nil {
			t.Fatal(err)
		}
		return len(all), asked.Hash
	}
	before, behind, now := judgedAt.Add(-time.Hour), judgedAt.Add(time.Minute), judgedAt.Add(time.Hour)
	late, first := since(behind, 1, now)
	early, second := since(before, 1, now)
	if late != 0 || early != 1 || first == second {
		t.Errorf("%d since after it and %d since before it, by one query: %v", late, early, first == second)
	}
	if n, again := since(behind, 1, now.Add(time.Minute)); n != 0 || again != second {
		t.Errorf("%d since after it, and another rollout's answer is used: %v", n, again == second)
	}
	deploy(2, now)
	if n, anew := since(behind, 2, now.Add(2*time.Minute)); n != 1 || anew == second {
		t.Errorf("%d are known after one more, asked anew: %v", n, anew != second)
	}
	if n, kept := since(before, 2, now.Add(3*time.Minute)); n != 2 || kept == second {
		t.Errorf("%d since the earlier stage, want both", n)
	}
}
