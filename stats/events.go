package stats

import "math"

// The defaults of Events, where a field is zero.
const (
	EventConcentration = 2 // prior failures: small, so that the first few count
	EventFloor         = 3 // distinct failing units below which nothing is breached
)

// EventCounts is how many units failed (at least once: repeats of one unit are
// not independent) within one allocation epoch, and the traffic of the arms.
type EventCounts struct {
	Epoch     int        `json:"epoch"`
	Control   int64      `json:"control"`   // failing units
	Treatment int64      `json:"treatment"` // failing units
	Traffic   [2]float64 `json:"traffic"`   // shares of control and treatment, as allocated; need not add up to 1
}

// Events judges failures: errors, crashes, timeouts. It compares how failures
// divide between the arms with how traffic does, so that it needs no baseline:
// a failure that never existed before is seen after a few units.
type Events struct {
	Margin float64 `json:"margin,omitempty"` // tolerated ratio of the failure rates, at least 1; zero means 1
	Alpha  float64 `json:"alpha,omitempty"`  // one-sided; zero means DefaultAlpha
	K      float64 `json:"k,omitempty"`      // prior failures; zero means EventConcentration
	Floor  int64   `json:"floor,omitempty"`  // failing treated units; zero means EventFloor
}

// EventJudgement is what failures say so far.
type EventJudgement struct {
	State     State    `json:"state"`     // breached, safe, harmed (a ratio above 1, beyond the margin not excluded), unknown
	LogE      float64  `json:"logE"`      // log e-value against "the ratio is at most the margin"
	P         float64  `json:"p"`         // always valid: min(1, 1/e)
	LogHarm   float64  `json:"logHarm"`   // log e-value against "the ratio is at most 1"
	LogSafe   float64  `json:"logSafe"`   // log e-value against "the ratio is at least the margin"; 0 for a margin of 1
	LogTwo    float64  `json:"logTwo"`    // two-sided log e-value against "the ratio is 1"
	Threshold float64  `json:"threshold"` // −log(alpha)
	LogRatio  Interval `json:"logRatio"`  // log of the ratio of the rates, two-sided at alpha, always valid
	Bounds    Interval `json:"bounds"`    // the same, each side at alpha: what State and Excludes rest on
	Control   int64    `json:"control"`   // failing units, of all epochs
	Treatment int64    `json:"treatment"`
	Doubt
}

const (
	methodEvents  = "one-sided Dirichlet-multinomial e-process of failing units, summed over allocation epochs"
	assumeFailing = "a unit counts once, by its first failure, and fails independently of others"
	warnEpochs    = "the epochs contradict each other: no one ratio of the rates fits all of them"
	warnFloor     = "the evidence suffices, but fewer distinct units failed than an action needs"
)

// Judge says whether treatment fails more than the margin allows. It may be
// asked at every failure.
func (e Events) Judge(epochs []EventCounts) EventJudgement {
	e = e.defaults()
	j := EventJudgement{State: Unknown, P: 1, LogRatio: Open(), Bounds: Open(),
		Doubt: Doubt{Method: methodEvents, Assumptions: []string{assumeFailing, assumeAssignment}}}
	if j.Refused = e.fault(epochs); j.Refused != nil {
		return j
	}
	j.Threshold = -math.Log(e.Alpha)
	j.LogE, j.LogHarm = e.logOne(epochs, e.Margin), e.logOne(epochs, 1)
	for _, c := range epochs {
		j.LogTwo += c.logTwo(0, e.K)
		j.Control, j.Treatment = j.Control+c.Control, j.Treatment+c.Treatment
	}
	j.P = math.Min(1, math.Exp(-j.LogE))
	j.LogRatio = e.ratio(epochs, j.Control, j.Treatment)
	j.Bounds = Interval{Low: e.least(epochs), High: -e.least(mirrored(epochs))}
	if j.Bounds.Low > j.Bounds.High { // epochs contradict each other: no single ratio fits
		best := e.middle(epochs)
		j.Bounds = Interval{Low: best, High: best}
		j.warn(warnEpochs)
	}
	if e.Margin > 1 {
		j.LogSafe = e.logOne(mirrored(epochs), 1/e.Margin)
	}
	e.state(&j)
	return j
}

// leastLog stands for an e-value of 0, which JSON cannot hold as a logarithm.
const leastLog = -1e6

func (e Events) state(j *EventJudgement) {
	established := max(j.LogE, j.LogHarm) >= j.Threshold
	switch {
	case established && j.Treatment < e.Floor:
		j.warn(warnFloor)
	case j.LogE >= j.Threshold:
		j.State = Breached
	case j.LogSafe >= j.Threshold:
		j.State = Safe
	case established:
		j.State = Harmed
	}
}

// share returns the probability that a failure is treatment's when its rate is
// ratio times that of control.
func (c EventCounts) share(ratio float64) float64 {
	t := c.Traffic[1] * ratio
	return t / (c.Traffic[0] + t)
}

// logOne returns the log e-value against a ratio of at most the margin, by the
// prior Beta(k rho_t, k rho_c) [LSS; LM, section 4].
func (c EventCounts) logOne(margin, k float64) float64 {
	return logBeyond(float64(c.Treatment), float64(c.Control), c.share(margin), k*c.share(1), k*(1-c.share(1)))
}

// logBeyond returns the log e-value against a chance of at most theta, from x
// hits and y misses: the prior Beta(a, b) is cut to the chances above theta, so
// that it is a supermartingale for every chance below.
func logBeyond(x, y, theta, a, b float64) float64 {
	return logBeta(a+x, b+y) - logBeta(a, b) +
		logBetaBelow(1-theta, b+y, a+x) - logBetaBelow(1-theta, b, a) -
		x*math.Log(theta) - y*math.Log1p(-theta)
}

// logTwo returns the two-sided log e-value against that log ratio.
func (c EventCounts) logTwo(logRatio, k float64) float64 {
	x, y := float64(c.Treatment), float64(c.Control)
	a, b := k*c.share(1), k*(1-c.share(1))
	logit := math.Log(c.Traffic[1]/c.Traffic[0]) + logRatio
	return logBeta(a+x, b+y) - logBeta(a, b) + x*softplus(-logit) + y*softplus(logit)
}

// softplus returns log(1+exp(x)): minus the log of a share, from its logit.
func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// ratio returns the log ratios that the counts do not exclude. The e-value is
// convex in the log ratio; without failures in an arm that side is open.
func (e Events) ratio(epochs []EventCounts, control, treatment int64) Interval {
	excluded := func(delta float64) bool {
		sum := 0.0
		for _, c := range epochs {
			sum += c.logTwo(delta, e.K)
		}
		return sum >= -math.Log(e.Alpha)
	}
	best, open := e.middle(epochs), Open()
	if excluded(best) { // epochs contradict each other: no single ratio fits
		return Interval{Low: best, High: best}
	}
	if treatment > 0 {
		open.Low = bisect(best-farLogRatio, best, excluded)
	}
	if control > 0 {
		open.High = bisect(best, best+farLogRatio, func(d float64) bool { return !excluded(d) })
	}
	return open
}

// farLogRatio is farther from the middle than any count of units excludes.
const farLogRatio = 200

// middle returns the log ratio at which the two-sided e-value is least.
func (e Events) middle(epochs []EventCounts) float64 {
	slope := func(delta float64) float64 {
		sum := 0.0
		for _, c := range epochs {
			share := c.share(math.Exp(delta))
			sum += float64(c.Control)*share - float64(c.Treatment)*(1-share)
		}
		return sum
	}
	return bisect(-50, 50, func(d float64) bool { return slope(d) < 0 })
}

// least returns the log ratio that the failures establish: every smaller one is
// excluded by its one-sided test.
func (e Events) least(epochs []EventCounts) float64 {
	excluded := func(delta float64) bool { return e.logOne(epochs, math.Exp(delta)) >= -math.Log(e.Alpha) }
	if !excluded(-farLogRatio) {
		return math.Inf(-1)
	}
	return bisect(-farLogRatio, farLogRatio, excluded)
}

func (e Events) logOne(epochs []EventCounts, margin float64) float64 {
	sum := 0.0
	for _, c := range epochs {
		sum += c.logOne(margin, e.K)
	}
	return math.Max(sum, leastLog)
}

// Excludes reports whether the failures exclude that the ratio of the rates is
// size or more, and the log e-value against that. It needs failures of control:
// without any, no ratio is excluded.
func (e Events) Excludes(size float64, epochs []EventCounts) (excluded bool, logE float64) {
	e = e.defaults()
	if e.fault(epochs) != nil || !(size > 1) || size > 1e6 {
		return false, 0
	}
	logE = e.logOne(mirrored(epochs), 1/size)
	return logE >= -math.Log(e.Alpha), logE
}

// First returns how many treated units must fail, where none of control does,
// until the margin is breached at that traffic; 0 for a rule that is none.
func (e Events) First(traffic [2]float64) int64 {
	e, c := e.defaults(), EventCounts{Traffic: traffic}
	if e.fault([]EventCounts{c}) != nil {
		return 0
	}
	for c.Treatment = e.Floor; c.Treatment <= mostFailures; c.Treatment++ {
		if e.logOne([]EventCounts{c}, e.Margin) >= -math.Log(e.Alpha) {
			return c.Treatment
		}
	}
	return 0
}

// mirrored returns the counts with the arms exchanged.
func mirrored(epochs []EventCounts) []EventCounts {
	m := make([]EventCounts, len(epochs))
	for i, c := range epochs {
		m[i] = EventCounts{Epoch: c.Epoch, Control: c.Treatment, Treatment: c.Control, Traffic: [2]float64{c.Traffic[1], c.Traffic[0]}}
	}
	return m
}

func (e Events) defaults() Events {
	e.Margin, e.Alpha, e.K = or(e.Margin, 1), or(e.Alpha, DefaultAlpha), or(e.K, EventConcentration)
	if e.Floor == 0 {
		e.Floor = EventFloor
	}
	return e
}

func (e Events) fault(epochs []EventCounts) *Refusal {
	switch {
	case !(e.Margin >= 1) || e.Margin > 1e6:
		return refuse(BadInput, "margin", "a margin is a ratio of rates, from 1 to 1e6")
	case !(e.Alpha > 0 && e.Alpha < 1):
		return refuse(BadInput, "alpha", "an error is above 0 and below 1")
	case !(e.K >= leastPrior && e.K <= mostPrior):
		return refuse(BadInput, "k", "a concentration is between 0.001 and 1e6")
	case len(epochs) == 0:
		return refuse(TooFewUnits, "counts", "there are no counts")
	}
	for _, c := range epochs {
		if min(c.Control, c.Treatment) < 0 || max(c.Control, c.Treatment) > mostUnits {
			return refuse(BadInput, "counts", "failing units are counted from 0, and to 1e12")
		}
		for _, w := range c.Traffic {
			if !(w >= 1/mostWeight && w <= mostWeight) {
				return refuse(BadInput, "traffic", "the traffic of an arm is a number between 1e-6 and 1e6")
			}
		}
	}
	return nil
}
