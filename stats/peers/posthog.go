package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

const (
	phUnits   = 5000  // that its sequence is sharpest at
	phLeast   = 5     // units of an arm, and of its successes and failures
	phNothing = 1e-10 // a mean or variance below it counts as 0

	phMethod = "PostHog: Welch's t of the difference, of a relative one by the delta method, and a confidence sequence in units"

	phNoBaseline = "PostHog raises an error: a relative difference, its default, does not exist for a control mean of 0; counts of failures are judged by events"
	phFew        = "PostHog raises an error: an arm has fewer than five units"

	warnPHUnits    = "the always-valid interval is sharpest at a constant of 5,000 units: few units cannot decide, many pay for it in width"
	warnPHNegative = "the relative difference is divided by the control mean with its sign: below 0, an increase is told as a decrease"
	warnPHSlope    = "adjusted means are taken for observed ones: the standard error of the relative difference is neither that of the adjusted estimate nor that of the plain one"
)

// posthog answers as products/experiments/stats does: frequentist/tests.py,
// bayesian/tests.py and shared/cuped.py.
func posthog(q question) stats.Comparison {
	control, treatment, warnings := q.pooled()
	if r := q.phFault(control, treatment); r != nil {
		return refused(r, q.Options)
	}
	c, t := plainly(control), plainly(treatment)
	past, theta := covariate(control, treatment), 0.0
	if past {
		theta = slope(control, treatment)
		c, t = phAdjusted(control, theta), phAdjusted(treatment, theta)
		if q.Relative {
			warnings = append(warnings, warnPHSlope)
		}
	}
	d, r := q.phDifference(c, t)
	if r != nil {
		return refused(r, q.Options)
	}
	if past {
		d.cuped = d.explained(stats.Pooled, theta, theta*pastOf(control, treatment), [2]arm{plainly(control), plainly(treatment)})
	}
	return q.phAnswer(d, warnings)
}

func (q question) phFault(control, treatment stats.Sample) *stats.Refusal {
	switch {
	case two(control.Kind) && covariate(control, treatment):
		return bad("covariate", "PostHog does not adjust ratios")
	case control.Kind == stats.KindQuantile:
		return bad("control.type", "PostHog has no quantiles")
	case q.Side != stats.TwoSided:
		return bad("side", "PostHog has no one-sided tests")
	case min(control.N, treatment.N) < phLeast:
		return few("n", phFew)
	case q.Inference == stats.Bayes && control.Kind == stats.KindProportion && !covariate(control, treatment):
		return phRare(control, treatment)
	}
	return nil
}

// phRare refuses proportions that PostHog's Bayesian test calls too far from
// normal.
func phRare(control, treatment stats.Sample) *stats.Refusal {
	for _, s := range []stats.Sample{control, treatment} {
		if min(s.X, s.N-s.X) < phLeast {
			return few("sum", "PostHog raises an error: fewer than five units of an arm have, or have not, the outcome")
		}
	}
	return nil
}

// phAdjusted returns the arm whose values lose what the past explains; its
// variance is never 0. Co-moments are divided by n−1, also those of proportions.
func phAdjusted(s stats.Sample, theta float64) arm {
	a := plainly(s)
	n := float64(s.N - 1)
	a.mean -= theta * s.Joint.Means[1]
	a.variance += theta*theta*s.Joint.Of(1, 1)/n - 2*theta*s.Joint.Of(0, 1)/n
	a.variance = math.Max(a.variance, phNothing)
	return a
}

// phDifference returns the difference of two arms, of which a relative one is
// divided by the observed control mean while the variance takes the adjusted
// treatment mean.
func (q question) phDifference(control, treatment arm) (difference, *stats.Refusal) {
	d := absolute(control, treatment)
	d.df = d.welch()
	switch {
	case !(d.se > 0):
		return d, constant("sum", "PostHog raises an error: the variance is 0")
	case !q.Relative:
		return d, nil
	case math.Abs(control.plain) < phNothing || q.Inference == stats.Bayes && control.plain <= 0:
		return d, boundless("control", phNoBaseline)
	}
	c := control.plain
	d.estimate /= c
	d.se = math.Sqrt(treatment.noise()/(c*c) + control.noise()*treatment.mean*treatment.mean/(c*c*c*c))
	return d, nil
}

func (q question) phAnswer(d difference, warnings []string) stats.Comparison {
	c := d.comparison(q, phMethod)
	c.Warnings = warnings
	if q.Relative && d.control.plain < 0 {
		c.Warnings = append(c.Warnings, warnPHNegative)
	}
	if q.Units == 0 {
		c.Warnings = append(c.Warnings, warnPHUnits)
	}
	sequenceOf(d.units(), q.tuning(phUnits), q).band(&c, q)
	if q.Inference == stats.Bayes { // the prior is on the scale of the estimate, whatever that is
		believe(&c, q, q.Prior)
	}
	return c
}
