package stats

import "math"

// The defaults of tests, where a field is zero.
const (
	DefaultAlpha = 0.05 // one-sided error of a test
	DefaultPower = 0.8
)

// State is the answer of a guardrail.
type State string

// The states of a guardrail, by precedence.
const (
	Breached State = "breached" // worse beyond the margin, established
	Safe     State = "safe"     // worse beyond the margin excluded; Judgement.Harmed tells whether it is worse at all
	Harmed   State = "harmed"   // worse than zero established, beyond the margin not excluded
	Unknown  State = "unknown"  // neither: it never lets anything pass
)

// Guardrail is a metric that must not get worse by more than a margin. Its
// tests are one-sided e-processes in information time, tuned from the effect
// that matters: they may be asked at every batch and need no other setting.
//
// A margin of 0 can only stop, never prove, and needs Detect.
type Guardrail struct {
	Margin    float64   `json:"margin"` // harm that is tolerated, at least 0: a share of the control mean, or in the metric's unit when Absolute
	Absolute  bool      `json:"absolute,omitempty"`
	Direction Direction `json:"direction"`        // which way is better; empty means Increase
	Alpha     float64   `json:"alpha,omitempty"`  // one-sided error of breach and harm together, and of safe; zero means DefaultAlpha
	Tests     int       `json:"tests,omitempty"`  // guardrails that share Alpha in equal parts; zero means 1
	Power     float64   `json:"power,omitempty"`  // that information is planned for; zero means DefaultPower
	Detect    float64   `json:"detect,omitempty"` // harm to be sharpest for, as Margin is; zero means Margin
}

// Judgement is what a guardrail says of the data so far. A log e-value at or
// above −log(alpha) establishes its claim.
type Judgement struct {
	State     State   `json:"state"`
	Breached  bool    `json:"breached"`
	Harmed    bool    `json:"harmed"`
	Safe      bool    `json:"safe"`
	LogBreach float64 `json:"logBreach"`        // log e-value against "harm is at most the margin"
	LogHarm   float64 `json:"logHarm"`          // against "there is no harm"
	LogSafe   float64 `json:"logSafe"`          // against "harm is at least the margin"; 0 for a margin of 0
	Threshold float64 `json:"threshold"`        // −log(alpha)
	Budget    *Budget `json:"budget,omitempty"` // of error, that alpha is a part of; nil: no other test shares it
	Reading
}

// Budget is an error that tests share in equal parts: that any of them is wrong
// is at most as likely as Alpha (Bonferroni).
type Budget struct {
	Alpha float64 `json:"alpha"`
	Tests int     `json:"tests"`
}

// Each returns the error of one of the tests.
func (b Budget) Each() float64 { return b.Alpha / float64(b.Tests) }

// shared returns the budget of an error and the error of one test; a test that
// shares with none has no budget.
func shared(alpha float64, tests int) (*Budget, float64) {
	if tests <= 1 {
		return nil, alpha
	}
	b := Budget{Alpha: alpha, Tests: tests}
	return &b, b.Each()
}

const (
	methodProcess   = "one-sided mixture e-process in information time over strata"
	assumeUnits     = "units are independent, and are the units that were randomised"
	assumeNormal    = "a stratum's difference of means is about normal (at least 100 units per arm in all)"
	assumeFrozen    = "the variance of the first look weighs the strata, and its control mean tells how much information is planned for"
	warnSmall       = "fewer than 200 units in an arm: the normal approximation is coarse"
	warnDoubt       = "the control mean that the information is planned from was known to worse than 10 %"
	warnZeroControl = "the control mean was 0 when it was frozen: margins are taken of the control mean so far, and effects are absolute"
)

// Judge says what the data establish. It may be called at every batch; f is
// what Freeze returned at the first look.
func (g Guardrail) Judge(strata []Stratum, f Frozen) Judgement {
	g = g.defaults()
	j := Judgement{State: Unknown, Reading: nothing(methodProcess, nil)}
	if j.Refused = first(g.fault(), fault(strata), f.ready()); j.Refused != nil {
		return j
	}
	t := tallied(strata, f)
	if t.against(0).V == 0 {
		j.Refused = noVariance
		return j
	}
	budget, alpha := shared(g.Alpha, g.Tests)
	g.Alpha = alpha
	j = g.judge(measured(t, g.Absolute, f), f).doubt(strata, f)
	j.Budget = budget
	return j
}

// judge tests the score of the effect, and its excess over the margin.
func (g Guardrail) judge(y yardstick, f Frozen) Judgement {
	harm := g.Direction.harm()
	p := g.process(y, f)
	effect, excess := y.beyond(0, harm), y.beyond(g.Margin, harm)
	j := Judgement{
		LogBreach: p.one(excess),
		LogHarm:   p.one(effect),
		Threshold: -math.Log(g.Alpha),
		Reading:   y.shown(f).read(p, g.Alpha),
	}
	j.Information, j.Needed = excess.V, g.answering(y, p, f)
	if g.Margin > 0 {
		j.LogSafe = p.one(excess.mirrored())
	}
	j.Breached = j.LogBreach >= j.Threshold
	j.Harmed = j.Breached || j.LogHarm >= j.Threshold // what is beyond the margin is beyond zero
	j.Safe = j.LogSafe >= j.Threshold
	j.State = j.state()
	return j
}

// answering returns the information at which the test excludes the margin where
// there is no harm, or sees the harm of Detect where the margin is 0: with the
// power, and 0 when sizes have no meaning yet.
func (g Guardrail) answering(y yardstick, p process, f Frozen) float64 {
	size, harm, truth := unit(g.Absolute, f), g.Direction.harm(), 0.0
	if size == 0 {
		return 0
	}
	if g.Margin == 0 {
		truth = harm * g.Detect
	}
	return y.course(harm*g.Margin, truth, size, f).mixed(g.Alpha, g.Power, p.oneSided(g.Alpha))
}

// process is tuned for the contrast with the margin.
func (g Guardrail) process(y yardstick, f Frozen) process {
	at := g.sharpest(unit(g.Absolute, f), f) * y.spread(g.Direction.harm()*g.Margin)
	return tuned(at, 2*g.Alpha)
}

func (j Judgement) state() State {
	switch {
	case j.Breached:
		return Breached
	case j.Safe:
		return Safe
	case j.Harmed:
		return Harmed
	}
	return Unknown
}

// doubt says what weakens the judgement.
func (j Judgement) doubt(strata []Stratum, f Frozen) Judgement {
	j.Doubt = Doubt{Method: methodProcess, Assumptions: []string{assumeUnits, assumeNormal, assumeFrozen}}
	j.weigh(strata, f)
	return j
}

// weigh adds the warnings that every test of a gate shares.
func (r *Reading) weigh(strata []Stratum, f Frozen) {
	var nc, nt int64
	for _, s := range strata {
		nc, nt = nc+s.Control.N, nt+s.Treatment.N
		if s.Control.vague() || s.Treatment.vague() {
			r.warn(warnDenominator)
		}
	}
	if covered(strata) {
		r.Assumptions = append(r.Assumptions, assumeBefore)
		if min(nc, nt) < smallArm {
			r.warn(warnOneSlope)
		}
	}
	r.few(min(nc, nt))
	if f.Doubt > 0.1 {
		r.warn(warnDoubt)
	}
	if f.ControlMean == 0 {
		r.warn(warnZeroControl)
	}
}

// few warns of an arm of few units, whose noise the t version has estimated or
// the hypothesis tells.
func (r *Reading) few(units int64) {
	switch {
	case r.DF > 0:
		r.warn(warnStudent)
	case units < smallArm:
		r.warn(warnSmall)
	}
}

var noVariance = refuse(ZeroVariance, "sum", "all values are equal, so that there is no noise to measure an effect against")

// unit returns what a size of 1 means in the metric's unit: the frozen control
// mean, or 1 when sizes are absolute. It is 0 for a control mean of 0.
func unit(absolute bool, f Frozen) float64 {
	if absolute {
		return 1
	}
	return math.Abs(f.ControlMean)
}

// sharpest returns the information to tune for. A control mean of 0 leaves no
// size to derive it from; then it is that of tuneUnits.
func (g Guardrail) sharpest(unit float64, f Frozen) float64 {
	size := or(g.Detect, g.Margin) * unit
	if size == 0 {
		return tuneUnits / (4 * f.Variance)
	}
	return needed(size, g.Alpha, g.Power)
}

func (g Guardrail) defaults() Guardrail {
	g.Alpha, g.Power = or(g.Alpha, DefaultAlpha), or(g.Power, DefaultPower)
	if g.Direction == "" {
		g.Direction = Increase
	}
	return g
}

func (g Guardrail) fault() *Refusal {
	switch {
	case !(g.Margin >= 0) || !finite(g.Margin):
		return refuse(BadInput, "margin", "a margin is a number from 0")
	case !(g.Detect >= 0) || !finite(g.Detect):
		return refuse(BadInput, "detect", "a size to detect is a number above 0")
	case g.Margin == 0 && g.Detect == 0:
		return refuse(BadInput, "detect", "a margin of 0 needs the harm to be sharpest for")
	case g.Direction != Increase && g.Direction != Decrease:
		return refuse(BadInput, "direction", "a direction is increase or decrease")
	}
	return sensible(g.Alpha, g.Power)
}
