package stats

import "math"

// EventRate judges failures that have no control to compare with: a rate was
// declared that units may fail at. It is Events with that rate in the place of
// traffic, and may be asked at every failure.
type EventRate struct {
	Rate   float64 `json:"rate"`             // share of the units that may fail, above 0 and below 1
	Margin float64 `json:"margin,omitempty"` // tolerated multiple of the rate, at least 1; zero means 1
	Alpha  float64 `json:"alpha,omitempty"`  // one-sided; zero means DefaultAlpha
	K      float64 `json:"k,omitempty"`      // prior units; zero means EventConcentration
	Floor  int64   `json:"floor,omitempty"`  // failing units; zero means EventFloor
}

// RateJudgement is what failures without a control say so far.
type RateJudgement struct {
	State     State    `json:"state"`     // breached, safe or unknown
	LogE      float64  `json:"logE"`      // log e-value against "units fail at the tolerated rate at most"
	LogSafe   float64  `json:"logSafe"`   // against "at the tolerated rate at least"
	P         float64  `json:"p"`         // always valid: min(1, 1/e)
	Threshold float64  `json:"threshold"` // −log(alpha)
	Estimate  float64  `json:"estimate"`  // share of the units that failed
	Bounds    Interval `json:"bounds"`    // of that share, each side at alpha, always valid
	Failing   int64    `json:"failing"`
	Units     int64    `json:"units"`
	Doubt
}

const (
	methodRate     = "one-sided beta-binomial e-process of failing units against a declared rate"
	assumeDeclared = "the declared rate is what the units before the change fail at"
)

// Judge says whether more units fail than were declared.
func (e EventRate) Judge(failing, units int64) RateJudgement {
	e = e.defaults()
	j := RateJudgement{State: Unknown, P: 1, Bounds: Open(), Failing: failing, Units: units,
		Doubt: Doubt{Method: methodRate, Assumptions: []string{assumeFailing, assumeDeclared}}}
	if j.Refused = e.fault(failing, units); j.Refused != nil {
		return j
	}
	tolerated := e.Rate * e.Margin
	j.Threshold = -math.Log(e.Alpha)
	j.LogE, j.LogSafe = e.above(failing, units, tolerated), e.below(failing, units, tolerated)
	j.P = math.Min(1, math.Exp(-j.LogE))
	j.Estimate = float64(failing) / float64(units)
	j.Bounds = e.bounds(failing, units, j.Threshold)
	switch {
	case j.LogE >= j.Threshold && failing < e.Floor:
		j.warn(warnFloor)
	case j.LogE >= j.Threshold:
		j.State = Breached
	case j.LogSafe >= j.Threshold:
		j.State = Safe
	}
	return j
}

// above returns the log e-value against a rate of at most theta, below that
// against one of at least theta. The prior is about the declared rate.
func (e EventRate) above(failing, units int64, theta float64) float64 {
	x, y := float64(failing), float64(units-failing)
	return math.Max(logBeyond(x, y, theta, e.K*e.Rate, e.K*(1-e.Rate)), leastLog)
}

func (e EventRate) below(failing, units int64, theta float64) float64 {
	x, y := float64(failing), float64(units-failing)
	return math.Max(logBeyond(y, x, 1-theta, e.K*(1-e.Rate), e.K*e.Rate), leastLog)
}

// nearZero and nearOne bound the search for a rate.
const (
	nearZero = 1e-12
	nearOne  = 1 - 1e-12
)

// bounds returns the rates that neither side excludes.
func (e EventRate) bounds(failing, units int64, threshold float64) Interval {
	i := Interval{Low: 0, High: 1}
	if e.above(failing, units, nearZero) >= threshold {
		i.Low = bisect(nearZero, nearOne, func(p float64) bool { return e.above(failing, units, p) >= threshold })
	}
	if e.below(failing, units, nearOne) >= threshold {
		i.High = bisect(nearZero, nearOne, func(p float64) bool { return e.below(failing, units, p) < threshold })
	}
	return i
}

func (e EventRate) defaults() EventRate {
	e.Margin, e.Alpha, e.K = or(e.Margin, 1), or(e.Alpha, DefaultAlpha), or(e.K, EventConcentration)
	if e.Floor == 0 {
		e.Floor = EventFloor
	}
	return e
}

func (e EventRate) fault(failing, units int64) *Refusal {
	switch {
	case !(e.Rate >= nearZero && e.Rate < 1):
		return refuse(BadInput, "rate", "a rate of failures is above 0 and below 1")
	case !(e.Margin >= 1 && e.Rate*e.Margin <= nearOne):
		return refuse(BadInput, "margin", "a margin is a multiple of the rate, from 1 on, and what is tolerated is below 1")
	case !(e.Alpha > 0 && e.Alpha < 1):
		return refuse(BadInput, "alpha", "an error is above 0 and below 1")
	case !(e.K >= leastPrior && e.K <= mostPrior):
		return refuse(BadInput, "k", "a concentration is between 0.001 and 1e6")
	case units == 0:
		return refuse(TooFewUnits, "counts", "there are no units")
	case failing < 0 || failing > units || units > mostUnits:
		return refuse(BadInput, "counts", "failing units are counted from 0 to all, and units to 1e12")
	}
	return nil
}
