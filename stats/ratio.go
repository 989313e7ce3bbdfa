package stats

import "math"

// MinClusters is how many clusters each arm needs before they are compared:
// below, the variance between clusters is a guess (Cameron & Miller 2015,
// "A Practitioner's Guide to Cluster-Robust Inference", section VI).
const MinClusters = 10

const fewClusters = 30

const (
	warnClusters    = "fewer than 30 clusters in an arm: the variance between clusters is known poorly"
	warnDenominator = "the mean denominator is known to worse than 10 %: the ratio is biased, and its variance coarse"
)

// quotient reports whether the center is a ratio of two means. Without a
// denominator there is none yet.
func (s Sample) quotient() bool {
	return (s.Kind == KindRatio || s.Kind == KindCluster) && s.Joint != nil && s.Joint.Means[1] != 0
}

// ratio returns the mean numerator over the mean denominator.
func (s Sample) ratio() float64 { return s.Joint.Means[0] / s.Joint.Means[1] }

// linearised returns the variance of (m − R d)/d̄, whose mean moves as the ratio
// does [DKL, section 3]: units may have many events each, of which those of one
// unit are alike. Of clusters it is the sandwich with K/(K−1).
func (s Sample) linearised() float64 {
	j, r := s.Joint, s.ratio()
	squares := j.Of(0, 0) - 2*r*j.Of(0, 1) + r*r*j.Of(1, 1)
	d := j.Means[1]
	return math.Max(0, squares) / float64(s.N-1) / (d * d)
}

// vague reports whether the mean denominator is known so poorly that the
// linearisation is coarse.
func (s Sample) vague() bool {
	if !s.quotient() || s.N < 2 {
		return false
	}
	return s.Joint.known(1) > 0.01
}

// told reports whether the mean of a value can be told from 0. Where units with
// a denominator are so few that it cannot, they agree with the ratio they make.
func (j Joint) told(i int) bool { return j.known(i) <= 0.25 }

// known returns the variance of the mean of a value, as a share of its square.
func (j Joint) known(i int) float64 {
	m := j.Moments(i)
	return m.Variance() / float64(m.N) / (m.Mean * m.Mean)
}
