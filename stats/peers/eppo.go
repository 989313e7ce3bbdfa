package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

const (
	eppoUnits = 10_000 // that its sequence is sharpest at
	eppoPrior = 0.05   // standard deviation of lifts, of its default prior

	eppoMethod = "Eppo: normal interval of the lift by the delta method, and a confidence sequence in units"

	warnEppoUnits = "the always-valid interval is sharpest at a constant of 10,000 units: few units cannot decide, many pay for it in width"
	warnEppoRidge = "Eppo fits the past by a ridge regression whose penalty is not published: here it has none"
	assumeEppo    = "Eppo tells lifts; the absolute difference is the same formulae without the division"
)

// eppo answers as docs/statistics of Eppo-exp/eppo-docs says: the lift by the
// delta method, a normal interval, the sequence of Howard et al. 2021 (eq. 14)
// tuned to 10,000 units, and a normal prior of lifts.
func eppo(q question) stats.Comparison {
	control, treatment, warnings := q.pooled()
	if r := q.eppoFault(control, treatment); r != nil {
		return refused(r, q.Options)
	}
	c, t := sampleArm(control), sampleArm(treatment)
	var cuped *stats.CUPED
	if covariate(control, treatment) {
		raw := [2]arm{c, t}
		c, t = eppoAdjusted(control, treatment)
		cuped = absolute(c, t).explained(stats.ArmSpecific, eppoSlope(control, treatment), 0, raw)
		warnings = append(warnings, warnEppoRidge)
	}
	switch {
	case c.variance <= 0 && t.variance <= 0:
		return refused(constant("sum", "neither arm has a variance"), q.Options)
	case q.Relative && c.mean == 0:
		return refused(boundless("control", "the lift over a control mean of 0 does not exist"), q.Options)
	}
	return q.eppoAnswer(c, t, cuped, warnings)
}

func (q question) eppoFault(control, treatment stats.Sample) *stats.Refusal {
	switch {
	case two(control.Kind) && covariate(control, treatment):
		return bad("covariate", "how Eppo adjusts ratios is not published")
	case control.Kind == stats.KindQuantile:
		return bad("control.type", "how Eppo compares quantiles is not published")
	case q.Side != stats.TwoSided:
		return bad("side", "how Eppo tests one side is not published")
	}
	return nil
}

// sampleArm returns the arm with the sample variance, which Eppo takes of
// proportions too.
func sampleArm(s stats.Sample) arm {
	a := plainly(s)
	if s.Kind == stats.KindProportion {
		a.variance *= float64(s.N) / float64(s.N-1)
	}
	return a
}

// eppoAdjusted returns the arms as predicted at the mean past of all units, by a
// regression of each arm (Lin 2013); what is left is the variance.
func eppoAdjusted(control, treatment stats.Sample) (c, t arm) {
	past := control.Joint.Merge(*treatment.Joint).Means[1]
	predicted := func(s stats.Sample) arm {
		a := sampleArm(s)
		theta := ownSlope(s)
		a.mean -= theta * (s.Joint.Means[1] - past)
		a.variance = math.Max(0, a.variance-theta*s.Joint.Of(0, 1)/float64(s.N-1))
		a.plain = a.mean
		return a
	}
	return predicted(control), predicted(treatment)
}

// ownSlope returns the slope of the value on the one before, of one arm.
func ownSlope(s stats.Sample) float64 {
	if s.Joint.Of(1, 1) <= 0 {
		return 0
	}
	return s.Joint.Of(0, 1) / s.Joint.Of(1, 1)
}

// eppoSlope returns what the difference of the arms before is multiplied by: at
// the mean past of all units, each slope weighs as the other arm does.
func eppoSlope(control, treatment stats.Sample) float64 {
	nc, nt := float64(control.N), float64(treatment.N)
	return (ownSlope(control)*nt + ownSlope(treatment)*nc) / (nc + nt)
}

func (q question) eppoAnswer(control, treatment arm, cuped *stats.CUPED, warnings []string) stats.Comparison {
	d := absolute(control, treatment)
	if q.Relative {
		d = relative(control, treatment)
	}
	d.cuped = cuped
	c := d.comparison(q, eppoMethod)
	c.Warnings = warnings
	if !q.Relative {
		c.Assumptions = append(c.Assumptions, assumeEppo)
	}
	if q.Units == 0 {
		c.Warnings = append(c.Warnings, warnEppoUnits)
	}
	sequenceOf(d.units(), q.tuning(eppoUnits), q).band(&c, q)
	if q.Inference == stats.Bayes {
		believe(&c, q, q.eppoPrior(control))
	}
	return c
}

// eppoPrior returns the prior on the scale of the estimate: that of lifts has
// mean 0 and standard deviation 0.05 unless another is given.
func (q question) eppoPrior(control arm) *stats.Prior {
	p := q.Prior
	if p == nil {
		p = &stats.Prior{SD: eppoPrior, Relative: true}
	}
	unit := math.Abs(control.plain)
	switch {
	case p.Relative == q.Relative:
		return p
	case q.Relative:
		unit = 1 / unit
	}
	return scaled(p, unit)
}
