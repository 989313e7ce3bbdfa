package peers

import "github.com/sluice-hq/sluice/stats"

// arm is what a difference is made of: the mean of one arm, and how well it is
// known.
type arm struct {
	n        float64
	mean     float64 // adjusted, where a covariate is used
	plain    float64 // what a relative change is a share of
	counted  float64 // as counted
	variance float64 // of one unit: that of the mean is variance/n
}

func (a arm) noise() float64 { return a.variance / a.n }

func (a arm) shown() stats.Arm { return stats.Arm{N: int64(a.n), Mean: a.counted} }

// plainly returns the arm of a sample without its covariate, as all of the
// programs see it: p(1−p) of a proportion, the sample variance of a mean, the
// delta method of a ratio [DKL, section 3].
func plainly(s stats.Sample) arm {
	a := arm{n: float64(s.N)}
	switch {
	case s.N == 0: // no moments either
	case s.Kind == stats.KindProportion:
		a.mean = s.Center()
		a.variance = a.mean * (1 - a.mean)
	case two(s.Kind):
		a.mean, a.variance = ratio(*s.Joint, [2]int{0, 1})
	default:
		a.mean, a.variance = s.Center(), s.Variance()
	}
	a.plain, a.counted = a.mean, a.mean
	return a
}

// ratio returns the ratio of the means of two of the values, and the variance
// of one unit that it has by the delta method. A ratio over nothing has none.
func ratio(j stats.Joint, of [2]int) (mean, variance float64) {
	m, d := j.Means[of[0]], j.Means[of[1]]
	if d == 0 || j.N < 2 {
		return 0, 0
	}
	r := m / d
	v := j.Of(of[0], of[0]) - 2*r*j.Of(of[0], of[1]) + r*r*j.Of(of[1], of[1])
	return r, v / float64(j.N-1) / (d * d)
}

// covariate says whether both samples have one value from before first exposure.
func covariate(control, treatment stats.Sample) bool {
	has := func(s stats.Sample) bool { return s.Joint != nil && len(s.Joint.Means) >= width(s.Kind) }
	return has(control) && has(treatment)
}

// width is how many values of a unit there are when it has a covariate: its
// value and the one before, of a ratio both twice. A column that marks units
// without a past may follow; the programs know none, and take 0 for their past.
func width(k stats.Kind) int {
	if two(k) {
		return 4
	}
	return 2
}

// two reports whether a unit has two values, a numerator and a denominator: that
// of clusters is their size.
func two(k stats.Kind) bool { return k == stats.KindRatio || k == stats.KindCluster }

// withoutPast returns the stratum without what was known before.
func withoutPast(s stats.Stratum) stats.Stratum {
	return keeping(s, width(s.Control.Kind)/2)
}

// keeping returns the stratum with as many of the values of a unit as are to be
// kept. A quantile's are no values of its own.
func keeping(s stats.Stratum, values int) stats.Stratum {
	if s.Control.Kind != stats.KindQuantile {
		s.Control.Joint, s.Treatment.Joint = kept(s.Control.Joint, values), kept(s.Treatment.Joint, values)
	}
	return s
}

// kept returns the moments of the first values alone; one alone has moments
// without them.
func kept(j *stats.Joint, values int) *stats.Joint {
	if j == nil || values < 2 {
		return nil
	}
	k := &stats.Joint{N: j.N, Means: j.Means[:values]}
	for a := range values {
		for b := a; b < values; b++ {
			k.M = append(k.M, j.Of(a, b))
		}
	}
	return k
}

// divisor is what co-moments are divided by: gbstats and PostHog take n for
// proportions and n−1 otherwise.
func divisor(s stats.Sample) float64 {
	if s.Kind == stats.KindProportion {
		return float64(s.N)
	}
	return float64(s.N - 1)
}

// pooled returns the one sample that the programs make of strata: they add them
// up.
func (q question) pooled() (control, treatment stats.Sample, warnings []string) {
	control, treatment = q.strata[0].Control, q.strata[0].Treatment
	for _, s := range q.strata[1:] {
		control, treatment = control.Merge(s.Control), treatment.Merge(s.Treatment)
	}
	if len(q.strata) > 1 {
		warnings = []string{warnPooled}
	}
	return control, treatment, warnings
}

const warnPooled = "strata are added up, as the program does: over strata of different mixtures of arms a drifting baseline looks like an effect"
