package decisions

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// TestPastEffects: a metric has the first role that its plan gives it, and an
// effect when it can be compared.
func TestPastEffects(t *testing.T) {
	r := Rollout{Standing: Standing{ID: "production/gate/1", Status: RolledBack}, Plan: Plan{Arms: Arms{Control: "off", Treatment: "on"}, Metrics: Metrics{
		Success: []Success{{Metric: "signups"}}, Guardrails: []Guardrail{{Metric: "errors"}, {Metric: "errors", Limit: "1%"}}, Diagnostics: []Diagnostic{{Metric: "visits"}}}}}
	strata := []stats.Stratum{{Control: stats.Proportion(1000, 100), Treatment: stats.Proportion(1000, 150)}}
	got := r.PastEffects(Evidence{Metrics: []Measured{{Metric: "signups", Strata: strata}, {Metric: "errors"}, {Metric: "dropped", Strata: strata}}})
	want := MetricUse{Rollout: "production/gate/1", Role: "success", Status: RolledBack, Treatment: "on"}
	if diff := cmp.Diff(want, got["signups"].MetricUse); diff != "" || len(got) != 1 || got["signups"].Comparison.Estimate < 0.49 {
		t.Errorf("%d effects, -want +got:\n%s", len(got), diff)
	}
	if uses := r.Uses(); len(uses) != 3 || uses["errors"].Role != "guardrail" || uses["visits"].Role != "diagnostic" {
		t.Errorf("uses are %+v", uses)
	}
}

func TestLastInput(t *testing.T) {
	old, newer := event.Blob{Size: 1}, event.Blob{Size: 2}
	r := Rollout{Decisions: []Decision{{Input: old}, {Input: newer}, {By: "person:ana"}}}
	if in, ok := r.LastInput(); !ok || in != newer {
		t.Errorf("the newest is %v, %v", in, ok)
	}
	if _, ok := (Rollout{Decisions: []Decision{{}}}).LastInput(); ok {
		t.Error("a person's decision has evidence")
	}
}
