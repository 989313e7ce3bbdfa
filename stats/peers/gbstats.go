package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// What gbstats takes and is known for.
const (
	gbUnits = 5000 // that its sequence is sharpest at

	gbMethod = "gbstats: Welch's t of the difference, of a relative one by the delta method, and a confidence sequence in units"

	gbNoVariance = "gbstats answers ZERO_NEGATIVE_VARIANCE (p 1, interval [0, 0]): an arm without variance, such as a control without a single failure, is never evidence; counts of failures are judged by events"
	gbNoBaseline = "gbstats answers BASELINE_VARIATION_ZERO (p 1, interval [0, 0]): it compares nothing with a control mean of 0, not even absolutely"

	warnGBUnits   = "the always-valid interval is sharpest at a constant of 5,000 units: few units cannot decide, many pay for it in width"
	warnGBOneSide = "the one-sided always-valid p-value lies between 0.00001 and 0.4999, whatever the data"
	warnGBPrior   = "a prior in the metric's unit is taken as it is for a relative effect: gbstats never rescales it"
	warnGBSlope   = "the standard error of the relative difference leaves out that the adjusted control is not the one that is divided by"
)

// gbstats answers as packages/stats/gbstats does: frequentist/tests.py for the
// fixed and the sequential test, bayesian/tests.py for the posterior,
// models/tests.py for estimate and standard error.
func gbstats(q question) stats.Comparison {
	if r := q.gbFault(); r != nil {
		return refused(r, q.Options)
	}
	d, warnings, r := q.gbDifference()
	if r != nil {
		c := refused(r, q.Options)
		c.Warnings = warnings
		return c
	}
	d.df = d.welch()
	c := d.comparison(q, gbMethod)
	c.Warnings = append(c.Warnings, warnings...)
	q.gbBand(&c, d)
	if q.Inference == stats.Bayes {
		q.gbBelieve(&c, d)
	}
	return c
}

func (q question) gbFault() *stats.Refusal {
	if len(q.strata) > 1 && q.strata[0].Control.Kind == stats.KindQuantile {
		return bad("strata", "gbstats cannot add up quantiles of strata")
	}
	return nil
}

// gbDifference returns what gbstats calls the moments of the effect:
// post-stratified over more than one stratum, else of the two arms.
func (q question) gbDifference() (difference, []string, *stats.Refusal) {
	if len(q.strata) > 1 {
		return q.gbStratified()
	}
	return q.gbPlain(q.strata[0].Control, q.strata[0].Treatment)
}

// gbPlain returns the difference of two arms, in one of its forms.
func (q question) gbPlain(control, treatment stats.Sample) (d difference, warnings []string, r *stats.Refusal) {
	switch {
	case control.Kind == stats.KindQuantile:
		d, warnings, r = q.gbQuantile(control, treatment)
	case !covariate(control, treatment):
		d, r = q.gbArms(plainly(control), plainly(treatment))
	case two(control.Kind):
		d, r = q.gbCupedRatio(control, treatment)
	default:
		d, warnings, r = q.gbCuped(control, treatment)
	}
	return d, warnings, r
}

// gbArms returns the difference of two arms whose relative form is that of two
// independent means.
func (q question) gbArms(control, treatment arm) (difference, *stats.Refusal) {
	if r := gbRefuses(control, treatment); r != nil {
		return difference{}, r
	}
	if q.Relative {
		return relative(control, treatment), nil
	}
	return absolute(control, treatment), nil
}

func gbRefuses(control, treatment arm) *stats.Refusal {
	switch {
	case control.n < 2 || control.variance <= 0:
		return constant("control", gbNoVariance)
	case treatment.n < 2 || treatment.variance <= 0:
		return constant("treatment", gbNoVariance)
	case control.mean == 0 || control.plain == 0:
		return boundless("control", gbNoBaseline)
	}
	return nil
}

// gbBand adds the sequential test.
func (q question) gbBand(c *stats.Comparison, d difference) {
	s := sequenceOf(d.units(), q.tuning(gbUnits), q)
	if q.Units == 0 {
		c.Warnings = append(c.Warnings, warnGBUnits)
	}
	if q.Side == stats.TwoSided {
		s.band(c, q)
		return
	}
	s.oneSided(c, q)
	c.Warnings = append(c.Warnings, warnGBOneSide)
}

// gbBelieve adds the posterior. A prior in shares of the control mean is
// rescaled for an absolute effect; the reverse is a comparison that is never
// true (self.config == "absolute"), so that it is not.
func (q question) gbBelieve(c *stats.Comparison, d difference) {
	prior := q.Prior
	switch {
	case prior == nil:
	case prior.Relative && !q.Relative:
		prior = scaled(prior, math.Abs(d.control.plain))
	case !prior.Relative && q.Relative:
		c.Warnings = append(c.Warnings, warnGBPrior)
	}
	believe(c, q, prior)
}
