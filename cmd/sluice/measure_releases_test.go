package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/meter"
)

// TestReleases_measured: open rollouts are measured by name, up to a bound; those
// that are over count in the decisions alone.
func TestReleases_measured(t *testing.T) {
	plan := decisions.Plan{Environment: "production", Flag: "shop.checkout", Arms: decisions.Arms{Treatment: "on", Control: "off"}, Stages: []decisions.Stage{{Name: "canary", Treatment: 5000}}}
	made := []decisions.Decision{{By: decisions.Controlling, Verdict: decisions.Verdict{Action: decisions.Expand}}, {By: "person:ana", Verdict: decisions.Verdict{Action: decisions.Rollback}}}
	running := decisions.Rollout{Plan: plan, Decisions: made, Standing: decisions.Standing{ID: "production/shop.checkout/2", Status: decisions.Running}}
	over := decisions.Rollout{Plan: plan, Decisions: made, Standing: decisions.Standing{ID: "production/shop.checkout/1", Status: decisions.RolledBack}}
	look := decisions.Look{Verdict: decisions.Verdict{Checks: []decisions.Check{{State: decisions.Pass}, {State: decisions.Wait}, {State: decisions.Wait}}},
		Evidence: decisions.Evidence{Units: []decisions.Count{{Stage: "canary", Arm: "on", N: 12}}}}
	var b strings.Builder
	if err := meter.Write(&b, releases([]decisions.Rollout{running, over}, func(string) (decisions.Look, bool) { return look, true })); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`sluice_rollout_state{environment="production",flag="shop.checkout",state="running"} 1`, `sluice_rollout_stage{environment="production",flag="shop.checkout"} 1`,
		`sluice_rollout_exposure_ratio{environment="production",flag="shop.checkout"} 0.05`, `sluice_rollout_checks{environment="production",flag="shop.checkout",state="wait"} 2`,
		`sluice_rollout_units{environment="production",flag="shop.checkout",variant="on"} 12`,
		`sluice_decisions_total{action="expand",by="controller"} 2`, `sluice_decisions_total{action="rollback",by="person"} 2`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "rolledBack") {
		t.Error("a rollout that is over is measured by name")
	}
	var many []decisions.Rollout
	for i := range 3 * mostMeasured {
		r := running
		r.Plan.Flag, r.PlannedAt = fmt.Sprintf("f%03d", i), time.Unix(int64(i), 0)
		many = append(many, r)
	}
	state := releases(many, func(string) (decisions.Look, bool) { return look, false })[0]
	if len(state.Samples) != mostMeasured || state.Samples[0].Labels[3] != "f599" {
		t.Errorf("%d rollouts are measured, the first of %v", len(state.Samples), state.Samples[0].Labels)
	}
}
