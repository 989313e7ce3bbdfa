package decisions

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// Curve is the smallest effect that the test of a metric shows with a power of
// 80 %, as units come.
type Curve struct {
	Metric string         `json:"metric"`
	Role   string         `json:"role"`             // success or guardrail
	Wanted float64        `json:"wanted,omitempty"` // effect worth finding, or harm that the plan wants to detect
	Points []SmallestSeen `json:"points"`
}

// SmallestSeen is that effect, relative to control, on a day of the rollout.
type SmallestSeen struct {
	Day    float64 `json:"day"`
	Effect float64 `json:"effect"`
}

// The days that curves go to, and the points that they have.
const (
	leastCurve  = 7
	mostCurve   = 90
	curvePoints = 20
)

// curves foresees what the tests that establish something show: of success
// metrics a change for the better, of guardrails harm.
func (f *foresight) curves(o Outlook) (all []Curve) {
	until := f.horizon(o)
	for _, m := range f.Plan.Metrics.Success {
		all = f.curve(all, Curve{Metric: m.Metric, Role: "success", Wanted: m.MDE.Fraction()}, f.improving(m), until)
	}
	for _, g := range f.Plan.Metrics.Guardrails {
		if g.Margin != nil && !f.fails(g.Metric) {
			wanted := g.Margin.Fraction()
			if !g.Detect.IsZero() {
				wanted = g.Detect.Relative()
			}
			all = f.curve(all, Curve{Metric: g.Metric, Role: "guardrail", Wanted: wanted}, f.stopping(g), until)
		}
	}
	return all
}

// horizon is the day that curves end on: when the stage that decides ends, or
// the last one that is reached.
func (f *foresight) horizon(o Outlook) float64 {
	until := 0.0
	for _, s := range o.Stages {
		if s.Begins != nil && s.Days != nil && s.Units > 0 {
			until = max(until, *s.Begins+*s.Days)
		}
	}
	return min(max(math.Ceil(until), leastCurve), mostCurve)
}

// curve adds a curve, if any day has units enough for one.
func (f *foresight) curve(all []Curve, c Curve, d stats.Design, until float64) []Curve {
	if f.metrics[c.Metric].refused != "" {
		return all
	}
	for i := range curvePoints {
		day := until * float64(i+1) / curvePoints
		if d.Units = math.Floor(f.units(day, f.age(c.Metric))); d.Units < stats.FreezeUnits {
			continue
		}
		effect := d.Solve().MDE
		if d.Absolute {
			effect /= math.Abs(d.Metric.Level)
		}
		if effect > 0 {
			c.Points = append(c.Points, SmallestSeen{Day: day, Effect: effect})
		}
	}
	if len(c.Points) > 0 {
		all = append(all, c)
	}
	return all
}

// stopping is the design of the stop test of a guardrail, of any size of harm.
func (f *foresight) stopping(g Guardrail) stats.Design {
	d := stats.Design{Metric: f.metrics[g.Metric].Expected, Side: stats.Greater, Inference: stats.AlwaysValid, Alpha: alphaHarm / float64(f.stops())}
	if f.better(g.Metric) > 0 {
		d.Side = stats.Less
	}
	return d
}
