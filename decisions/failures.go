package decisions

import (
	"math"
	"slices"

	"github.com/sluice-hq/sluice/stats"
)

// FailuresExcluded is one test that failures of the treatment are not so many
// times those of control.
type FailuresExcluded struct {
	Size      float64 `json:"size"` // ratio of the rates
	Excluded  bool    `json:"excluded"`
	LogE      float64 `json:"logE"`      // log e-value against "the ratio is Size or more"
	Threshold float64 `json:"threshold"` // −log(alpha)
}

// guardFailures judges a guardrail on failures by how they divide between the
// arms. It needs no variance and no least number of units: a failure that never
// existed before is seen after a few.
func (r Rollout) guardFailures(m Measured, g Guardrail) Measured {
	margin, alpha := 1+g.Margin.Fraction(), alphaHarm/float64(r.stops())
	counts := r.failing(m.Strata)
	j := stats.Events{Margin: margin, Alpha: alpha}.Judge(counts)
	m.Failures = &j
	stage, _ := r.Now()
	if size, ok := stage.Exclude[m.Metric]; ok {
		m.FailuresExcluded = excludeFailures(1+size.Relative(), counts)
	}
	if stage.Kind() == Decide && *g.Margin > 0 {
		m.FailuresAtMargin = excludeFailures(margin, counts)
	}
	if rate := r.Metrics[m.Metric].Rate; rate > 0 && (stage.Kind() == Full || stage.Kind() == Serve) {
		failing, units := r.ungoverned(m)
		j := stats.EventRate{Rate: rate, Margin: margin, Alpha: alpha}.Judge(failing, units)
		m.FailureRate = &j
	}
	return m
}

// excludeFailures asks, with the whole error of a test that lets a rollout go
// on, whether a ratio is excluded.
func excludeFailures(size float64, counts []stats.EventCounts) *FailuresExcluded {
	x := FailuresExcluded{Size: size, Threshold: -math.Log(stats.ExcludeAlpha)}
	x.Excluded, x.LogE = stats.Events{Alpha: stats.ExcludeAlpha}.Excludes(size, counts)
	return &x
}

// failing counts the units that failed, by epoch, beside the traffic of the arms
// as it was allocated. Strata of one epoch and traffic are one count: the prior
// begins once, not with every stage of a ramp. Units of a full stage are left
// out: they count in the epoch before it too, and no unit is two.
func (r Rollout) failing(strata []stats.Stratum) []stats.EventCounts {
	var out []stats.EventCounts
	for _, s := range strata {
		stage, known := r.Plan.stage(s.Stage)
		if !known || !stage.Compares() {
			continue
		}
		t, c := stage.shares()
		traffic := [2]float64{c.Fraction(), t.Fraction()}
		i := slices.IndexFunc(out, func(n stats.EventCounts) bool { return n.Epoch == s.Epoch && n.Traffic == traffic })
		if i < 0 {
			i = len(out)
			out = append(out, stats.EventCounts{Epoch: s.Epoch, Traffic: traffic})
		}
		out[i].Control += s.Control.X
		out[i].Treatment += s.Treatment.X
	}
	return out
}

// uncompared counts the treated units of full stages, and those that failed.
// That they had unequal time makes them look better, never worse.
func (r Rollout) uncompared(strata []stats.Stratum) (failing, units int64) {
	for _, s := range strata {
		if stage, known := r.Plan.stage(s.Stage); known && stage.Kind() == Full {
			failing, units = failing+s.Treatment.X, units+s.Treatment.N
		}
	}
	return failing, units
}

// stops counts the tests that share the error of harm: one for each guardrail,
// one more for failures that are held against a declared rate, and one for all
// the values of an attribute that a guardrail is asked within.
func (r Rollout) stops() int {
	n := len(r.Plan.Metrics.Guardrails)
	for _, g := range r.Plan.Metrics.Guardrails {
		if m := r.Metrics[g.Metric]; m.Aggregate == stats.Failures && m.Rate > 0 {
			n++
		}
		if g.Within != "" && g.Margin != nil {
			n++
		}
	}
	return n
}

// stage returns the stage of that name.
func (p Plan) stage(name string) (Stage, bool) {
	i := slices.IndexFunc(p.Stages, func(s Stage) bool { return s.Name == name })
	if i < 0 {
		return Stage{}, false
	}
	return p.Stages[i], true
}

// State returns what the guardrail on a metric says, "" for a metric that has
// none with a margin.
func (m Measured) State() stats.State {
	switch {
	case m.Failures != nil:
		return m.Failures.State
	case m.Judgement != nil:
		return m.Judgement.State
	}
	return ""
}
