package stats

import "math"

// bandAlpha is the error of the intervals that people look at: 95 %.
const bandAlpha = 0.05

// tuneUnits is what a test is tuned for when nothing says which effect matters:
// as many units as the band of common practice assumes.
const tuneUnits = 5000

// Reading is what every test of a gate says of the effect beside its answer:
// the estimate, how well it is known, and how much information there is.
// Estimate and intervals are shares of control's mean when Relative, else in
// the metric's own unit.
type Reading struct {
	Estimate    float64  `json:"estimate"`     // treatment minus control: positive where treatment has more
	Relative    bool     `json:"relative"`     // as a share of control's mean, each stratum weighted as the estimate weighs it
	SE          float64  `json:"se"`           // standard error of Estimate
	Bounds      Interval `json:"bounds"`       // what the test's own answer rests on: each side at its alpha, always valid
	Band        Interval `json:"band"`         // two-sided 95 %, always valid
	Fixed       Interval `json:"fixed"`        // two-sided 95 %, valid at one look only; for contrast
	Score       float64  `json:"score"`        // S of the strata against zero
	Clock       float64  `json:"clock"`        // V: what the test takes for time
	Information float64  `json:"information"`  // collected, in 1/(metric's unit)²; the clock
	DF          float64  `json:"df,omitempty"` // degrees of freedom of the t version, which few units take; zero: normal
	Needed      float64  `json:"needed"`       // until the test answers with the power: that harm of the margin is excluded, or harm of detect or the effect worth finding is seen; 0 when unknown
	Doubt
}

// nothing is the reading of no data: every effect is possible.
func nothing(method string, why *Refusal) Reading {
	return Reading{Bounds: Open(), Band: Open(), Fixed: Open(),
		Doubt: Doubt{Method: method, Refused: why}}
}

// read returns the reading of an effect. Bounds are at alpha each.
func (y yardstick) read(p process, alpha float64) Reading {
	zero, z := y.against(0), upper(bandAlpha/2)
	return Reading{
		Estimate:    y.estimate(),
		Relative:    y.sign != 0,
		SE:          y.error(),
		Bounds:      y.interval(func(t score) float64 { return p.one(t) + math.Log(alpha) }),
		Band:        y.interval(p.band(bandAlpha)),
		Fixed:       y.interval(func(t score) float64 { return t.z() - z }),
		Score:       zero.S,
		Clock:       zero.V,
		Information: zero.V,
		DF:          zero.DF,
	}
}

// band excludes by the two-sided test at alpha.
func (p process) band(alpha float64) rejects {
	return func(t score) float64 { return p.two(t) + math.Log(alpha) }
}

// sensible says why a test at these levels would be no test, or returns nil.
func sensible(alpha, power float64) *Refusal {
	switch {
	case !(alpha > 0 && alpha < 0.5):
		return refuse(BadInput, "alpha", "a one-sided error is above 0 and below 0.5")
	case !(power > 0.5 && power < 1):
		return refuse(BadInput, "power", "power is above 0.5 and below 1")
	}
	return nil
}

// ready says why a frozen value cannot be used, or returns nil.
func (f Frozen) ready() *Refusal {
	switch {
	case f.Variance == 0:
		return refuse(TooFewUnits, "n", "nothing is frozen before each arm has 100 units and their variance is known")
	case !(f.Variance > 0) || !finite(f.Variance) || !finite(f.ControlMean):
		return refuse(BadInput, "frozen", "a frozen variance is a positive number and a frozen mean a finite one")
	}
	return nil
}

// first returns the first refusal that is one.
func first(refusals ...*Refusal) *Refusal {
	for _, r := range refusals {
		if r != nil {
			return r
		}
	}
	return nil
}

func or(x, otherwise float64) float64 {
	if x == 0 {
		return otherwise
	}
	return x
}
