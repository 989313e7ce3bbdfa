package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

const (
	statsigFew = 100 // degrees of freedom below which its test is Welch's t

	statsigMethod = "Statsig: z, or Welch's t below 100 degrees of freedom; a relative difference by the delta method; mSPRT"

	warnMSPRT     = "the mixing variance of the always-valid interval shrinks with the data, so that its bound is a constant number of standard errors: it is no mixture, and decides later than one that is"
	warnHalfAlpha = "the always-valid bound takes half of the error in a formula that is two-sided already: it is wider than it need be"
	warnFieller   = "Statsig's default for relative differences is Fieller's interval, whose published formula does not give one: this is its other choice"
	warnUnknown   = "the control mean cannot be told from 0: its own doubt is left out of the relative difference, as the program does"
)

// statsig answers as statsig-io/docs says: snippets/stats-methods for the fixed
// test, experiments/advanced-setup/sequential-testing.mdx for the sequential
// one, …/bayesian.mdx for the posterior.
func statsig(q question) stats.Comparison {
	control, treatment, warnings := q.pooled()
	if r := q.statsigFault(control, treatment); r != nil {
		return refused(r, q.Options)
	}
	c, t := sampleArm(control), sampleArm(treatment)
	var cuped *stats.CUPED
	if covariate(control, treatment) {
		raw, theta := [2]arm{c, t}, slope(control, treatment)
		c, t = adjusted(control, theta), adjusted(treatment, theta)
		c.mean, t.mean = c.plain, t.mean+c.plain-c.mean // control stays as observed
		t.plain = t.mean
		cuped = absolute(c, t).explained(stats.Pooled, theta, 0, raw)
	}
	switch {
	case c.variance <= 0 && t.variance <= 0:
		return refused(constant("sum", "neither arm has a variance"), q.Options)
	case q.Relative && c.plain == 0:
		return refused(boundless("control", "a difference relative to a control mean of 0 does not exist"), q.Options)
	}
	answer := q.statsigAnswer(c, t, warnings)
	answer.CUPED = cuped
	return answer
}

func (q question) statsigFault(control, treatment stats.Sample) *stats.Refusal {
	switch {
	case two(control.Kind) && covariate(control, treatment):
		return bad("covariate", "an adjusted ratio of Statsig is not carried out here")
	case control.Kind == stats.KindQuantile:
		return bad("control.type", "how Statsig compares quantiles is not published")
	}
	return nil
}

func (q question) statsigAnswer(control, treatment arm, warnings []string) stats.Comparison {
	whole := absolute(control, treatment)
	d := whole
	if q.Relative {
		d, warnings = q.statsigRelative(control, treatment, append(warnings, warnFieller))
	}
	if df := whole.welch(); df < statsigFew {
		d.df = df
	}
	c := d.comparison(q, statsigMethod)
	c.Statistic = whole.estimate / whole.se // tests are of the difference in the metric's unit
	c.P = tail{d.df}.p(c.Statistic, q.Side)
	c.Warnings = append(warnings, warnMSPRT)
	if q.Side == stats.TwoSided {
		c.Warnings = append(c.Warnings, warnHalfAlpha)
	}
	q.msprt(&c, whole)
	if q.Inference == stats.Bayes {
		believe(&c, q, q.statsigPrior(control))
	}
	return c
}

// statsigRelative returns the relative difference. Where control is not
// significantly away from 0, its doubt is left out.
func (q question) statsigRelative(control, treatment arm, warnings []string) (difference, []string) {
	d := relative(control, treatment)
	if known := math.Abs(control.plain) / math.Sqrt(control.noise()); known < (tail{}).critical(q.Alpha, q.Side) {
		d.se = absolute(control, treatment).se / math.Abs(control.plain)
		warnings = append(warnings, warnUnknown)
	}
	return d, warnings
}

// msprt adds the sequential test: the bound of Zhao et al. 2019 (arXiv
// 1905.10493), τ = z² (v_t + v_c)/(N_t + N_c), and the p-value of a normal whose
// spread makes the bound its critical value.
func (q question) msprt(c *stats.Comparison, whole difference) {
	alpha := q.Alpha
	if q.Side == stats.TwoSided {
		alpha /= 2
	}
	z, v := (tail{}).upper(alpha), whole.se*whole.se
	tau := z * z * (whole.control.variance + whole.treatment.variance) / whole.units()
	bound := math.Sqrt((v + tau) / tau * (-2*math.Log(alpha) - math.Log(v/(v+tau))))
	c.Band = around(c.Estimate, bound*c.SE, q.Side)
	c.BandP = tail{}.p(c.Statistic*z/bound, q.Side)
}

// statsigPrior returns the prior, which is of relative effects, on the scale of
// the estimate.
func (q question) statsigPrior(control arm) *stats.Prior {
	switch {
	case q.Prior == nil || q.Prior.Relative == q.Relative:
		return q.Prior
	case q.Relative:
		return scaled(q.Prior, 1/math.Abs(control.plain))
	}
	return scaled(q.Prior, math.Abs(control.plain))
}
