package stats

import "math"

// Success is a metric that the change is made for. It is judged by a two-sided
// always-valid test, so that a look at every batch costs nothing, and a loss
// is seen as soon as a win.
type Success struct {
	Direction Direction `json:"direction"` // which way is better; empty means Increase
	MDE       float64   `json:"mde"`       // effect to be sharpest for, above 0: a share of the control mean, or in the metric's unit when Absolute
	Absolute  bool      `json:"absolute,omitempty"`
	Alpha     float64   `json:"alpha,omitempty"` // two-sided, already split over success metrics and arms; zero means DefaultAlpha
	Power     float64   `json:"power,omitempty"` // zero means DefaultPower
}

// Verdict is the answer of a success metric.
type Verdict string

// The answers of a success metric.
const (
	Superior     Verdict = "superior"     // better, established
	Inferior     Verdict = "inferior"     // worse, established
	Inconclusive Verdict = "inconclusive" // neither
)

// Outcome is what a success metric says of the data so far.
type Outcome struct {
	Verdict   Verdict `json:"verdict"`
	LogE      float64 `json:"logE"`      // log e-value against "there is no effect"
	P         float64 `json:"p"`         // always-valid p-value of this look: min(1, 1/e)
	Threshold float64 `json:"threshold"` // −log(alpha)
	Reading           // Bounds are two-sided at alpha
}

const methodSuccess = "two-sided mixture e-process in information time over strata"

// Judge says whether the change is better, worse or neither yet.
func (s Success) Judge(strata []Stratum, f Frozen) Outcome {
	g := Guardrail{Margin: s.MDE, Absolute: s.Absolute, Direction: s.Direction, Alpha: s.Alpha, Power: s.Power}.defaults()
	o := Outcome{Verdict: Inconclusive, P: 1, Reading: nothing(methodSuccess, nil)}
	if o.Refused = first(g.fault(), fault(strata), f.ready()); o.Refused != nil {
		return o
	}
	y := measured(tallied(strata, f), g.Absolute, f)
	t := y.against(0)
	if t.V == 0 {
		o.Refused = noVariance
		return o
	}
	at := g.sharpest(unit(g.Absolute, f), f)
	p := tuned(at, g.Alpha)
	o.LogE, o.Threshold = p.two(t), -math.Log(g.Alpha)
	o.P = math.Min(1, math.Exp(-o.LogE))
	o.Reading = y.shown(f).read(p, g.Alpha)
	o.Bounds, o.Needed = y.shown(f).interval(p.band(g.Alpha)), g.finding(y, p, f)
	o.Doubt = Doubt{Method: methodSuccess, Assumptions: []string{assumeUnits, assumeNormal, assumeFrozen}}
	o.weigh(strata, f)
	o.Verdict = o.verdict(g.Direction.harm() * t.S)
	return o
}

// finding returns the information at which the two-sided test sees the effect
// with the power, 0 when the effect has no size yet.
func (g Guardrail) finding(y yardstick, p process, f Frozen) float64 {
	size := unit(g.Absolute, f)
	if size == 0 {
		return 0
	}
	return y.course(0, -g.Direction.harm()*g.Margin, size, f).mixed(g.Alpha/2, g.Power, p.twoSided(g.Alpha))
}

func (o Outcome) verdict(harm float64) Verdict {
	switch {
	case o.LogE < o.Threshold:
		return Inconclusive
	case harm > 0:
		return Inferior
	}
	return Superior
}
