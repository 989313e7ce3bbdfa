package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// The defaults of the sample-ratio test, where an argument is zero.
const (
	RatioAlpha         = 0.001 // alarm at an e-value of 1,000
	RatioConcentration = 100   // prior units: larger is sharper for small mismatches
)

// Limits of counts, weights and priors: beyond them the logarithms of gamma
// functions lose the digits that an e-value is made of.
const (
	mostUnits  = 1e12
	mostWeight = 1e6
	leastPrior = 1e-3
	mostPrior  = 1e6
)

// Counts is how many units each arm got within one allocation epoch, and the
// weights that the allocation gave the arms. Whole numbers are a ratio;
// fractions that do not add up to 1, or to 100, may lack an arm.
type Counts struct {
	Epoch    int       `json:"epoch"`
	Observed []int64   `json:"observed"`
	Weights  []float64 `json:"weights"`
}

// SRM is the sample-ratio check: whether the arms got the units that their
// weights promise. A mismatch means that the data are not those of the
// experiment, so that nothing else may be read.
type SRM struct {
	Alarm     bool    `json:"alarm"` // LogE reached −log(alpha), or a unit leaked
	LogE      float64 `json:"logE"`  // log e-value against the weights, summed over epochs
	P         float64 `json:"p"`     // always-valid: min(1, 1/e)
	Leaked    int64   `json:"leaked"`
	Statistic float64 `json:"statistic"` // chi-square, summed over epochs; valid at one look only
	DF        int     `json:"df"`
	FixedP    float64 `json:"fixedP"` // of Statistic
	Doubt
}

const (
	methodRatio      = "Dirichlet-multinomial e-process, summed over allocation epochs"
	assumeAssignment = "each unit is assigned once, independently, with the weights of its epoch"
	warnExpected     = "fewer than five units are expected in an arm: chi-square is coarse"
)

// SampleRatio checks the arms of every epoch. It may be asked at every batch:
// the alarm rests on the e-process, chi-square is for contrast. alpha and k may
// be zero for their defaults.
func SampleRatio(epochs []Counts, alpha, k float64) SRM {
	alpha, k = or(alpha, RatioAlpha), or(k, RatioConcentration)
	m := SRM{P: 1, FixedP: 1, Doubt: Doubt{Method: methodRatio, Assumptions: []string{assumeAssignment}}}
	if m.Refused = ratioFault(epochs, alpha, k); m.Refused != nil {
		return m
	}
	for _, c := range epochs {
		m.add(c, k)
		m.unweighted(c.Weights)
	}
	m.P = math.Min(1, math.Exp(-m.LogE))
	if m.DF > 0 {
		m.FixedP = mathext.GammaIncRegComp(float64(m.DF)/2, m.Statistic/2)
	}
	m.leaky(m.Leaked)
	m.Alarm = m.Leaked > 0 || m.LogE >= -math.Log(alpha)
	return m
}

// add adds an epoch [LM, eq. 6]. Units in an arm of weight 0 are a leak, and no
// part of either statistic: as a cell they would hide in n.
func (m *SRM) add(c Counts, k float64) {
	total, n := 0.0, 0.0
	for i, w := range c.Weights {
		total += w
		if w > 0 {
			n += float64(c.Observed[i])
		}
	}
	arms := 0
	m.LogE += logGamma(k) - logGamma(k+n)
	for i, w := range c.Weights {
		if w == 0 {
			m.Leaked += c.Observed[i]
			continue
		}
		arms++
		m.cell(float64(c.Observed[i]), w/total, n, k)
	}
	m.DF += arms - 1
}

// cell adds one arm with x of n units and the share that it was promised.
func (m *SRM) cell(x, share, n, k float64) {
	m.LogE += logGamma(k*share+x) - logGamma(k*share) - x*math.Log(share)
	expected := n * share
	if expected < 5 {
		m.warn(warnExpected)
	}
	if expected > 0 {
		m.Statistic += (x - expected) * (x - expected) / expected
	}
}

// unweighted warns of weights that are meant as shares and are not: what is
// missing from their sum may be an arm that nobody counted.
func (d *Doubt) unweighted(weights []float64) {
	sum, whole := 0.0, true
	for _, w := range weights {
		sum += w
		whole = whole && w == math.Trunc(w)
	}
	if !whole && !alike(sum, 1) && !alike(sum, 100) {
		d.warn(fmt.Sprintf("the weights add up to %.6g, neither to 1 nor to 100: each counts as its part of their sum", sum))
	}
}

// leaky warns of units that no arm should have.
func (d *Doubt) leaky(units int64) {
	if units > 0 {
		d.warn(fmt.Sprintf("%d units are in an arm of weight 0", units))
	}
}

func ratioFault(epochs []Counts, alpha, k float64) *Refusal {
	switch {
	case len(epochs) == 0:
		return refuse(TooFewUnits, "observed", "there are no counts")
	case !(alpha > 0 && alpha < 1):
		return refuse(BadInput, "alpha", "an error is above 0 and below 1")
	case !(k >= leastPrior && k <= mostPrior):
		return refuse(BadInput, "k", "a concentration is between 0.001 and 1e6")
	}
	for _, c := range epochs {
		if r := c.fault(); r != nil {
			return r
		}
	}
	return nil
}

func (c Counts) fault() *Refusal {
	if len(c.Observed) != len(c.Weights) {
		return refuse(BadInput, "weights", "there is one weight for each arm")
	}
	arms := 0
	for i, w := range c.Weights {
		switch {
		case w != 0 && !(w >= 1/mostWeight && w <= mostWeight):
			return refuse(BadInput, "weights", "a weight is 0, or a number between 1e-6 and 1e6")
		case c.Observed[i] < 0 || c.Observed[i] > mostUnits:
			return refuse(BadInput, "observed", "units are counted from 0, and to 1e12")
		case w > 0:
			arms++
		}
	}
	if arms < 2 {
		return refuse(BadInput, "weights", "two arms or more have a weight above 0")
	}
	return nil
}

// Shares returns, for each arm of one epoch, the shares of the units that the
// counts do not exclude at any look, at level 1−alpha [LM, section 4]; an arm of
// weight 0 has [0,0]. It is nil for counts that SampleRatio refuses.
func (c Counts) Shares(alpha, k float64) []Interval {
	alpha, k = or(alpha, bandAlpha), or(k, RatioConcentration)
	if ratioFault([]Counts{c}, alpha, k) != nil {
		return nil
	}
	var total float64
	for _, w := range c.Weights {
		total += w
	}
	least := logGamma(k) - logGamma(k+c.units()) + math.Log(alpha)
	for i, w := range c.Weights {
		if w > 0 {
			least += logGamma(k*w/total+float64(c.Observed[i])) - logGamma(k*w/total)
		}
	}
	return c.region(least)
}

// units is how many the arms have that must get some.
func (c Counts) units() (n float64) {
	for i, w := range c.Weights {
		if w > 0 {
			n += float64(c.Observed[i])
		}
	}
	return n
}

// region returns the shares of every arm at which the likelihood, the other arms
// at their best, is at least exp(least).
func (c Counts) region(least float64) []Interval {
	n := c.units()
	shares := make([]Interval, len(c.Weights))
	for i, w := range c.Weights {
		if w > 0 {
			shares[i] = c.share(i, n, least)
		}
	}
	return shares
}

// share returns the shares t of arm i at which the likelihood, the other arms
// at their best, is at least exp(least).
func (c Counts) share(i int, n, least float64) Interval {
	x := float64(c.Observed[i])
	rest := 0.0 // Σ n_j log(n_j/(n−n_i)) over the others
	for j, w := range c.Weights {
		if j != i && w > 0 {
			rest += xlog(float64(c.Observed[j]), float64(c.Observed[j])/(n-x))
		}
	}
	excluded := func(t float64) bool { return xlog(x, t)+xlog(n-x, 1-t)+rest < least }
	best := 0.5
	if n > 0 {
		best = x / n
	}
	return Interval{
		Low:  bisect(0, best, excluded),
		High: bisect(best, 1, func(t float64) bool { return !excluded(t) }),
	}
}

// xlog returns x log y, 0 for x = 0.
func xlog(x, y float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(y)
}
