package stats

// Center returns the mean of the units' values, 0 without units. Of a ratio it
// is the ratio of the means, of a quantile the estimate.
func (s Sample) Center() float64 {
	switch {
	case s.Kind == KindMean, s.Kind == KindQuantile && s.Distribution == nil:
		return s.Moments.Mean
	case s.Kind == KindQuantile:
		return s.Distribution.Estimate
	case s.quotient():
		return s.ratio()
	case s.Kind != KindProportion || s.N == 0:
		return 0
	}
	return float64(s.X) / float64(s.N)
}

// Variance returns the variance of the values of the units (divisor N−1), so
// that the center's is 1/N of it; 0 below two units. Of a ratio the values are
// the linearised ones, of a quantile what its own variance makes them.
func (s Sample) Variance() float64 {
	switch {
	case s.Kind == KindMean, s.Kind == KindQuantile && s.Distribution == nil:
		return s.Moments.Variance()
	case s.Kind == KindQuantile && s.locatable():
		return s.located()
	case s.N < 2:
		return 0
	case s.quotient():
		return s.linearised()
	case s.Kind == KindProportion:
		return float64(s.X) * (float64(s.N-s.X) / float64(s.N)) / float64(s.N-1)
	}
	return 0
}

// estimable reports whether the sample has a center whose variance can be
// known. A sample that has not waits for more units.
func (s Sample) estimable() bool {
	switch s.Kind {
	case KindRatio, KindCluster:
		return s.N >= 2 && s.quotient() && s.Joint.told(1)
	case KindQuantile:
		return s.locatable()
	}
	return s.N >= 2
}
