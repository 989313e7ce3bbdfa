package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// difference is what a program estimates, before it says how sure it is.
type difference struct {
	estimate, se       float64
	df                 float64 // of Student's t; 0 means the normal
	control, treatment arm
	cuped              *stats.CUPED // what was known before did; nil: nothing
}

// absolute returns treatment minus control.
func absolute(control, treatment arm) difference {
	return difference{control: control, treatment: treatment,
		estimate: treatment.mean - control.mean, se: math.Sqrt(treatment.noise() + control.noise())}
}

// relative returns the difference as a share of the control mean, by the delta
// method: the variance of the ratio of two means without covariance [DKL,
// section 2].
func relative(control, treatment arm) difference {
	d := absolute(control, treatment)
	c := control.plain
	d.estimate /= math.Abs(c)
	d.se = math.Sqrt(treatment.noise()/(c*c) + control.noise()*treatment.plain*treatment.plain/(c*c*c*c))
	return d
}

// welch returns the degrees of freedom of the difference in the metric's unit
// (Satterthwaite 1946), which gbstats, PostHog and Statsig also use for the
// relative one.
func (d difference) welch() float64 {
	vc, vt := d.control.noise(), d.treatment.noise()
	c, t := vc/(vc+vt), vt/(vc+vt) // shares, because squares of variances leave the range of floats
	return 1 / (c*c/(d.control.n-1) + t*t/(d.treatment.n-1))
}

// units is how many units of both arms there are.
func (d difference) units() float64 { return d.control.n + d.treatment.n }

// normalFrom is from how many degrees of freedom on t is the normal to the last
// digit that matters.
const normalFrom = 1e7

// comparison returns the answer of one look.
func (d difference) comparison(q question, method string) stats.Comparison {
	c := refused(nil, q.Options)
	if d.df > normalFrom {
		d.df = 0
	}
	t := tail{d.df}
	c.Method = method
	c.Estimate, c.SE, c.DF, c.Statistic = d.estimate, d.se, d.df, d.estimate/d.se
	c.P = t.p(c.Statistic, q.Side)
	c.Fixed = around(d.estimate, t.critical(q.Alpha, q.Side)*d.se, q.Side)
	c.Control, c.Treatment = d.control.shown(), d.treatment.shown()
	c.CUPED = d.cuped
	return c
}

// explained tells what the past did: both means moved by a shift, so that they
// are those at the past of both arms.
func (d difference) explained(by stats.Covariate, theta, shift float64, raw [2]arm) *stats.CUPED {
	before := raw[0].noise() + raw[1].noise()
	e := &stats.CUPED{Covariate: by, Theta: theta, Control: d.control.mean + shift, Treatment: d.treatment.mean + shift}
	if before > 0 {
		e.Reduction = 1 - (d.control.noise()+d.treatment.noise())/before
	}
	return e
}

// pastOf returns the mean past of both arms.
func pastOf(control, treatment stats.Sample) float64 {
	both := control.Joint.Merge(*treatment.Joint)
	if !two(control.Kind) {
		return both.Means[1]
	}
	if both.Means[3] == 0 {
		return 0
	}
	return both.Means[2] / both.Means[3]
}

// believe adds the posterior. The prior is on the scale of the estimate, or nil.
func believe(c *stats.Comparison, q question, prior *stats.Prior) {
	b := prior.Update(c.Estimate, c.SE, q.Options)
	c.Posterior = &b
}

// scaled returns a prior in shares of the control mean, or in the metric's unit,
// on the other scale: unit is what a share of 1 is.
func scaled(p *stats.Prior, unit float64) *stats.Prior {
	return &stats.Prior{Mean: p.Mean * unit, SD: p.SD * unit, Relative: !p.Relative}
}
