package stats

import (
	"math"
	"strings"
)

// Prior is what is believed of an effect before the data: a normal
// distribution of effects. No prior (nil) takes every effect for equally likely.
type Prior struct {
	Mean     float64 `json:"mean"`               // the effect that is expected, positive where treatment has more
	SD       float64 `json:"sd"`                 // how far from Mean effects usually are, above 0
	Relative bool    `json:"relative,omitempty"` // Mean and SD are shares of the control mean, else in the metric's unit
}

// Posterior is what is to be believed of an effect after the data. It promises
// no rate of false alarms, least of all to who looks until it says something:
// gates never ask it.
type Posterior struct {
	Expected      float64  `json:"expected"`      // mean of the effect, on the scale of the estimate
	SD            float64  `json:"sd"`            // standard deviation of the effect
	ChanceToWin   float64  `json:"chanceToWin"`   // probability that treatment is better: has more, or less where the side is Less
	RiskControl   float64  `json:"riskControl"`   // what control loses on average, counting 0 where treatment is worse
	RiskTreatment float64  `json:"riskTreatment"` // what treatment loses on average, counting 0 where it is better
	Credible      Interval `json:"credible"`      // holds the effect with probability 1−alpha
}

const (
	methodFlat     = "normal posterior without a prior; "
	methodPrior    = "normal posterior with a normal prior; "
	assumePrior    = "the prior was chosen without these data"
	assumeBelief   = "chances and risks are beliefs after one look: no error rate holds for who looks often"
	warnPosterior  = "the control mean is known to worse than about 5 %: the posterior of the relative change rests on the delta method"
	warnPriorP     = "the p-value and the statistic are of the data alone: the prior is not in them, so that they may disagree with the credible interval"
	warnPriorScale = "the control mean is 0 or as good as, so that a prior in shares of it has no meaning: there is no posterior"

	certain = 37 // standard deviations from 0 beyond which a float knows the sign of a normal
)

// Update returns the posterior of an effect with this estimate and standard
// error, the prior being on the same scale. The formulae are those of every
// textbook on the normal with known variance; weights are formed from ratios so
// that neither a tiny error nor a wide prior overflows.
func (p *Prior) Update(estimate, se float64, o Options) Posterior {
	o = o.defaults()
	b := Posterior{Expected: estimate, SD: se}
	if p != nil {
		both := math.Hypot(se, p.SD)
		data, prior := p.SD/both, se/both
		b.Expected, b.SD = data*data*estimate+prior*prior*p.Mean, se*data
	}
	gain := b.Expected
	if o.Side == Less {
		gain = -gain
	}
	b.ChanceToWin = normal(gain / b.SD)
	b.RiskControl, b.RiskTreatment = gained(gain, b.SD), gained(-gain, b.SD)
	b.Credible = o.Side.around(b.Expected, quantiles{alpha: o.Alpha, side: o.Side}.critical()*b.SD)
	return b
}

// gained returns E[max(X, 0)] of a normal X.
func gained(mean, sd float64) float64 {
	x := mean / sd
	if math.Abs(x) > certain {
		return math.Max(mean, 0)
	}
	return sd*density(x) + mean*normal(x)
}

// around returns the effects within a radius, with the side left open that the
// comparison does not look at.
func (s Side) around(center, radius float64) Interval {
	i := Interval{Low: center - radius, High: center + radius}
	switch s {
	case Greater:
		i.High = math.Inf(1)
	case Less:
		i.Low = math.Inf(-1)
	}
	return i
}

// on returns the prior on the scale of an estimate, which is relative to the
// control mean or in the metric's unit.
func (p *Prior) on(relative bool, control float64) *Prior {
	if p == nil || p.Relative == relative {
		return p
	}
	unit := math.Abs(control)
	if relative {
		unit = 1 / unit
	}
	return &Prior{Mean: p.Mean * unit, SD: p.SD * unit, Relative: relative}
}

func (p *Prior) fault() *Refusal {
	switch {
	case p == nil:
		return nil
	case !finite(p.Mean):
		return refuse(BadInput, "prior.mean", "an effect that is expected is a finite number")
	case !(p.SD > 0) || !finite(p.SD):
		return refuse(BadInput, "prior.sd", "a standard deviation is a finite number above 0")
	}
	return nil
}

// believe adds the posterior of what was compared.
func (k contrast) believe(c *Comparison, o Options) {
	prior := o.Prior.on(o.Relative, k.yc)
	if prior.fault() != nil {
		c.warn(warnPriorScale)
		return
	}
	b := prior.Update(c.Estimate, c.SE, o)
	c.Posterior = &b
	c.Method = methodFlat + c.Method
	c.Assumptions = append(c.Assumptions, assumeBelief)
	switch {
	case prior != nil:
		c.Method = methodPrior + strings.TrimPrefix(c.Method, methodFlat)
		c.Assumptions = append(c.Assumptions, assumePrior)
		c.warn(warnPriorP)
	case (c.P < o.Alpha) == b.Credible.Contains(0):
		c.warn(warnBorderline)
	}
	if o.Relative && k.poor(quantiles{alpha: o.Alpha, side: o.Side}.critical()) {
		c.warn(warnPosterior)
	}
}
