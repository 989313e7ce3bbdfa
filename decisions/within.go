package decisions

import (
	"slices"

	"github.com/sluice-hq/sluice/stats"
)

// MostValues is how many values of an attribute a guardrail is asked within.
// Each has an equal part of the error from the start, whether it ever comes or
// not: who shares it later would otherwise change what was decided before.
const MostValues = 20

// Part is a metric for the units of one value of an attribute, as they had it at
// their first exposure.
type Part struct {
	Value     string                `json:"value"`               // empty: those without the attribute
	Strata    []stats.Stratum       `json:"strata,omitempty"`    //
	Judgement *stats.Judgement      `json:"judgement,omitempty"` // by Read; nil: it is not asked
	Failures  *stats.EventJudgement `json:"failures,omitempty"`  // of failures, in the place of Judgement
}

// units returns the units of the smaller arm.
func (p Part) units() int64 {
	var control, treatment int64
	for _, s := range p.Strata {
		control, treatment = control+s.Control.N, treatment+s.Treatment.N
	}
	return min(control, treatment)
}

// within returns the guardrail on a metric that is asked within an attribute.
func (p Plan) within(metric string) (Guardrail, bool) {
	i := slices.IndexFunc(p.Metrics.Guardrails, func(g Guardrail) bool {
		return g.Metric == metric && g.Within != "" && g.Margin != nil
	})
	if i < 0 {
		return Guardrail{}, false
	}
	return p.Metrics.Guardrails[i], true
}

// Values returns the values that guardrails are asked within from this look on,
// by metric: each as soon as both arms have enough units of it, and in the order
// in which they come, so that nobody chooses them by their outcome.
func Values(r Rollout, e Evidence) map[string][]string {
	out := map[string][]string{}
	for _, m := range e.Metrics {
		if _, ok := r.Plan.within(m.Metric); !ok {
			continue
		}
		asked := r.Values[m.Metric]
		for _, p := range m.Parts {
			if p.Value == "" || slices.Contains(asked, p.Value) || p.units() < stats.FreezeUnits || len(asked)+len(out[m.Metric]) >= MostValues {
				continue
			}
			out[m.Metric] = append(out[m.Metric], p.Value)
		}
	}
	return out
}

// partBaselines returns the variances that this look freezes for the values that
// are asked.
func partBaselines(r Rollout, e Evidence, values map[string][]string) map[string]stats.Frozen {
	out := map[string]stats.Frozen{}
	for _, m := range e.Metrics {
		for _, p := range m.Parts {
			key := partKey(m.Metric, p.Value)
			_, had := r.Frozen[key]
			if had || !slices.Contains(slices.Concat(r.Values[m.Metric], values[m.Metric]), p.Value) {
				continue
			}
			if f, ok := stats.Freeze(p.Strata); ok {
				out[key] = f
			}
		}
	}
	return out
}

// partKey names the baseline of a value. No metric is called like it: a key has
// no slash.
func partKey(metric, value string) string { return "within/" + metric + "/" + value }

// parts judges the values that are asked. All of them together have the error of
// one guardrail.
func (r Rollout) parts(m Measured, g Guardrail) []Part {
	var out []Part
	tests := r.stops() * MostValues
	for _, p := range m.Parts {
		switch {
		case !slices.Contains(r.Values[m.Metric], p.Value):
		case r.Metrics[m.Metric].Aggregate == stats.Failures:
			j := stats.Events{Margin: 1 + g.Margin.Fraction(), Alpha: alphaHarm / float64(tests)}.Judge(r.failing(p.Strata))
			p.Failures = &j
		default:
			test := stats.Guardrail{Margin: g.Margin.Fraction(), Detect: g.Detect.Relative(), Direction: m.Direction, Alpha: alphaHarm, Tests: tests}
			j := test.Judge(p.Strata, r.Frozen[partKey(m.Metric, p.Value)])
			p.Judgement = &j
		}
		out = append(out, p)
	}
	return out
}

// pinned adds the values that are asked from now on.
func pinned(old, add map[string][]string) map[string][]string {
	out := old
	for metric, values := range add {
		list := slices.Clip(out[metric])
		for _, v := range values {
			if !slices.Contains(list, v) && len(list) < MostValues {
				list = append(list, v)
			}
		}
		out = keeping(out, metric, list)
	}
	return out
}
