package main

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/warehouse"
	"github.com/sluice-hq/sluice/stats"
)

// TestNewFailuresRollBack counts on the engine a canary of 5 % in which nobody
// of control ever failed, and a handful of treated units did, minutes after they
// came: the gate goes back at the first look, long before the means of so few
// could be compared.
func TestNewFailuresRollBack(t *testing.T) {
	w, err := warehouse.Open(t.Context(), warehouse.Config{Dial: enginetest.StartSupervisor(t).Dial})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r := failingRollout()
	for seq, tt := range []struct {
		failing int
		action  decisions.Action
		reason  string
	}{{0, decisions.Hold, "window open"}, {6, decisions.Hold, "window open"}, {1, decisions.Rollback, "guardrail checkout_errors breached"}} {
		v := &visits{r: rand.New(rand.NewPCG(5, uint64(seq))), n: uint64(1000 * seq)}
		for unit := range uint64(10) { // of each arm
			v.see(100*uint64(seq)+2*unit+1, "off")
			v.see(100*uint64(seq)+2*unit+2, "on")
		}
		for i := range uint64(tt.failing) {
			v.send(100*uint64(seq)+2*i+2, "error", 1)
			v.send(100*uint64(seq)+2*i+2, "error", 1) // again: a unit fails once
		}
		place := uint64(1 + seq)
		if err := w.Insert(t.Context(), ingest.Block{Shard: "facts-0", From: place, To: place, Token: string(rune('a' + seq)), Rows: v.rows}); err != nil {
			t.Fatal(err)
		}
		e := failuresSeen(t, w, r, place)
		verdict, err := decisions.Evaluate(decisions.Input{Rules: decisions.Rules, Plan: r.Plan, State: r.Standing, Evidence: e, Now: e.At})
		if err != nil || verdict.Action != tt.action || verdict.Reason != tt.reason {
			t.Fatalf("%d more failures: %s (%s: %s), %v", tt.failing, verdict.Action, verdict.Reason, verdict.Text, err)
		}
		if tt.action == decisions.Rollback {
			shownFailures(t, r, e, verdict.Text)
		}
	}
}

// shownFailures asks that the verdict and the readout tell the same.
func shownFailures(t *testing.T, r decisions.Rollout, e decisions.Evidence, text string) {
	t.Helper()
	const want = "checkout_errors: 7 treated and 0 control units failed, at least 1.2x as often"
	var table bytes.Buffer
	readoutTable(&table, r, server.ReadoutView{Rollout: r.ID, Evidence: e})
	if !strings.HasPrefix(text, want) || !strings.Contains(table.String(), want+".") || !strings.Contains(table.String(), "checkout_errors\t\t\t\t\t\tbreached") {
		t.Errorf("the verdict says %q, the readout\n%s", text, &table)
	}
}

// failuresSeen is what the engine counts five minutes after the units came.
func failuresSeen(t *testing.T, w *warehouse.Warehouse, r decisions.Rollout, place uint64) decisions.Evidence {
	t.Helper()
	q := question(r)
	q.Until, q.Watermark = judgedAt.Add(5*time.Minute), map[string]uint64{"facts-0": place}
	a, err := w.Readout(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	e := fill(decisions.Evidence{At: q.Until}, q.Metrics, a)
	return decisions.Read(r, e)
}

// see is one exposure in the canary.
func (v *visits) see(unit uint64, arm string) {
	p, id := v.place()
	v.rows.Exposures = append(v.rows.Exposures, ingest.ExposureRow{Place: p, ID: id, Day: ingest.DayOf(id), Environment: "production", Flag: "checkout",
		Variant: arm, UnitKind: "user", Unit: unit, Revision: 1, Rollout: "production/checkout/1", Stage: "canary", Epoch: 1, Arm: arm, Enrolled: true,
		At: judgedAt, Received: judgedAt})
}

// failingRollout guards failures, of which nobody is known to have any.
func failingRollout() decisions.Rollout {
	none := decisions.Percent(0)
	plan := decisions.Plan{
		Flag: "checkout", Environment: "production", Owner: "shop", Hypothesis: "nothing new breaks", Unit: "user",
		Arms:    decisions.Arms{Control: "off", Treatment: "on"},
		Metrics: decisions.Metrics{Guardrails: []decisions.Guardrail{{Metric: "checkout_errors", Margin: &none}}},
		Stages:  []decisions.Stage{{Name: "canary", Treatment: 5000, MinWindow: decisions.Window(24 * time.Hour)}},
	}
	return decisions.Rollout{
		Standing: decisions.Standing{ID: "production/checkout/1", Status: decisions.Running, Since: judgedAt, Started: judgedAt}, Number: 1, Plan: plan.Filled(),
		Metrics: map[string]stats.Metric{"checkout_errors": {Key: "checkout_errors", Event: "error", Aggregate: stats.Failures,
			Direction: stats.Decrease, Window: 7 * 24 * time.Hour}},
	}
}
