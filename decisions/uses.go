package decisions

import (
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// MetricUse is a rollout whose plan has a metric.
type MetricUse struct {
	Rollout   string `json:"rollout"`
	Role      string `json:"role"` // success, guardrail or diagnostic
	Status    Status `json:"status"`
	Treatment string `json:"treatment"`
}

// Uses returns what the plan asks each of its metrics for.
func (r Rollout) Uses() map[string]MetricUse {
	all := map[string]MetricUse{}
	note := func(metric, role string) {
		if _, known := all[metric]; !known {
			all[metric] = MetricUse{Rollout: r.ID, Role: role, Status: r.Status, Treatment: r.Plan.Arms.Treatment}
		}
	}
	for _, m := range r.Plan.Metrics.Success {
		note(m.Metric, "success")
	}
	for _, m := range r.Plan.Metrics.Guardrails {
		note(m.Metric, "guardrail")
	}
	for _, m := range r.Plan.Metrics.Diagnostics {
		note(m.Metric, "diagnostic")
	}
	return all
}

// PastEffect is what a rollout did to a metric.
type PastEffect struct {
	MetricUse
	At         time.Time        `json:"at"` // of the evidence
	Comparison stats.Comparison `json:"comparison"`
}

// PastEffects compares every metric of the evidence that can be compared, as
// readouts do: by one method, so that effects of many rollouts stand side by
// side.
func (r Rollout) PastEffects(e Evidence) map[string]PastEffect {
	all := map[string]PastEffect{}
	uses := r.Uses()
	for _, m := range e.Metrics {
		use, asked := uses[m.Metric]
		if c := stats.Compare(m.Strata, stats.Options{Relative: true}); asked && c.Refused == nil {
			all[m.Metric] = PastEffect{MetricUse: use, At: e.At, Comparison: c}
		}
	}
	return all
}

// LastInput names the newest evidence that a decision about the rollout rests
// on; false: none does.
func (r Rollout) LastInput() (event.Blob, bool) {
	for i := len(r.Decisions) - 1; i >= 0; i-- {
		if in := r.Decisions[i].Input; in != (event.Blob{}) {
			return in, true
		}
	}
	return event.Blob{}, false
}
