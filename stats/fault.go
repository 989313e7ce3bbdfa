package stats

import (
	"math"
	"slices"
)

// fault says why no units can have s, or returns nil. field names the sample.
func (s Sample) fault(field string) *Refusal {
	if s.N < 0 {
		return refuse(BadInput, field+".n", "units are counted from 0")
	}
	if r := s.kindFault(field); r != nil {
		return r
	}
	return s.rangeFault(field)
}

func (s Sample) kindFault(field string) *Refusal {
	switch s.Kind {
	case KindProportion:
		return s.proportionFault(field)
	case KindMean:
		return s.meanFault(field)
	case KindRatio, KindCluster:
		return s.ratioFault(field)
	case KindQuantile:
		return s.quantileFault(field)
	}
	return refuse(BadInput, field+".type", "a sample is a proportion, a mean, a ratio, clusters or a quantile")
}

// The sizes of what can be compared. Beyond them the squares of ratios of two
// means would leave the range of a float, and nothing that is measured is there.
const (
	largestMean     = 1e50
	largestVariance = 1e100

	tooLarge = "the values are too large or too small to be compared: means are 0 or between 1e-50 and 1e50"
)

func (s Sample) rangeFault(field string) *Refusal {
	if !s.estimable() {
		return nil
	}
	if within(s.Center(), largestMean) && within(s.Variance(), largestVariance) {
		return nil
	}
	return refuse(BadInput, field+".sum", tooLarge)
}

// within reports whether a number is 0 or its size no further from 1 than limit.
func within(x, limit float64) bool {
	size := math.Abs(x)
	return size == 0 || size <= limit && size >= 1/limit
}

func (s Sample) proportionFault(field string) *Refusal {
	if s.X < 0 || s.X > s.N {
		return refuse(BadInput, field+".sum", "the units that had the outcome are 0 to n")
	}
	return s.jointFault(field)
}

func (s Sample) meanFault(field string) *Refusal {
	switch {
	case s.N != s.Moments.N:
		return refuse(BadInput, field+".n", "the sample and its moments count different units")
	case !finite(s.Moments.Mean) || !finite(s.Moments.M2):
		return refuse(BadInput, field+".sum", "the values are not finite numbers")
	case s.Moments.M2 < 0:
		return refuse(BadInput, field+".sum_squares", "a sum of squared deviations is never negative")
	}
	return s.jointFault(field)
}

// jointFault looks at the moments of a value together with what was known
// before, which must be those of the same values.
func (s Sample) jointFault(field string) *Refusal {
	j := s.Joint
	switch {
	case j == nil:
		return nil
	case j.N != s.N || len(j.Means) == 0:
		return refuse(BadInput, field+".n", "the sample and its moments count different units")
	}
	if r := j.fault(field); r != nil {
		return r
	}
	spread := s.Variance() * float64(s.N-1)
	if s.N > 0 && (!alike(j.Means[0], s.Center()) || !alike(j.Of(0, 0), spread)) {
		return refuse(BadInput, field+".post_sum", "the value and its moments together with what was known before differ")
	}
	return nil
}

func infinite(x float64) bool { return !finite(x) }

// alike reports whether two numbers are one, rounded on two ways.
func alike(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Max(math.Abs(a), math.Abs(b)) }

// ratioFault looks at the joint moments, which a sample without units lacks.
func (s Sample) ratioFault(field string) *Refusal {
	switch {
	case s.Joint == nil && s.N == 0:
		return nil
	case s.Joint == nil || len(s.Joint.Means) < 2:
		return refuse(BadInput, field+".num_sum", "a ratio has moments of its numerator and denominator")
	case s.N != s.Joint.N:
		return refuse(BadInput, field+".n", "the sample and its moments count different units")
	}
	return s.Joint.fault(field)
}

// quantileFault looks at the distribution, or at the estimate where there is
// none.
func (s Sample) quantileFault(field string) *Refusal {
	if s.Distribution == nil {
		if s.N == 0 {
			return nil
		}
		return s.meanFault(field)
	}
	if r := s.ratioFault(field); r != nil {
		return r
	}
	return s.Distribution.fault(field)
}

// fault says why no events are distributed like that, or returns nil.
func (d Distribution) fault(field string) *Refusal {
	checked, err := NewDistribution(d.Nu, d.Scale, d.Units, d.Buckets)
	switch {
	case err != nil:
		return refuse(BadInput, field+".buckets", err.Error())
	case checked.Events != d.Events:
		return refuse(BadInput, field+".events", "the events of all buckets are the events")
	case !(d.Scale > 0) || !finite(d.Estimate):
		return refuse(BadInput, field+".scale", "the value of 1 in the fixed point is a number above 0")
	}
	return nil
}

// fault says why no values have these moments, or returns nil.
func (j Joint) fault(field string) *Refusal {
	k := len(j.Means)
	if len(j.M) != k*(k+1)/2 {
		return refuse(BadInput, field, errShape.Error())
	}
	if slices.ContainsFunc(j.Means, infinite) || slices.ContainsFunc(j.M, infinite) {
		return refuse(BadInput, field+".sum", "the values are not finite numbers")
	}
	for a := range k {
		if j.Of(a, a) < 0 {
			return refuse(BadInput, field+".sum_squares", "a sum of squared deviations is never negative")
		}
	}
	for a := range k {
		if !within(j.Means[a], largestMean) || !within(j.Moments(a).Variance(), largestVariance) {
			return refuse(BadInput, field+".sum", tooLarge)
		}
	}
	if !j.possible() {
		return refuse(BadInput, field+".sum_product", "no values vary together like that: their products exceed what their squares allow")
	}
	return nil
}

// possible reports whether the co-moments are positive semidefinite, as those
// of any values are, by elimination on their correlations. The tolerance is that
// of sums which were rounded on their way here.
func (j Joint) possible() bool {
	const tolerance = 1e-6
	k := len(j.Means)
	left := make([]float64, k*k)
	for a := range k {
		for b := range k {
			if both := math.Sqrt(j.Of(a, a)) * math.Sqrt(j.Of(b, b)); both > 0 {
				left[a*k+b] = j.Of(a, b) / both
			} else if j.Of(a, b) != 0 {
				return false
			}
		}
	}
	for p := range k {
		pivot := left[p*k+p]
		if pivot < -tolerance {
			return false
		}
		for a := p + 1; a < k && pivot > tolerance; a++ {
			by := left[a*k+p] / pivot
			for b := p + 1; b < k; b++ {
				left[a*k+b] -= by * left[p*k+b]
			}
		}
	}
	return true
}

// fault says what is wrong with the strata, or returns nil.
func fault(strata []Stratum) *Refusal {
	if len(strata) == 0 {
		return refuse(TooFewUnits, "strata", "there are no data")
	}
	kind, nu, values := strata[0].Control.Kind, strata[0].Control.nu(), 0
	for _, s := range strata {
		if r := first(s.Control.fault("control"), s.Treatment.fault("treatment")); r != nil {
			return r
		}
		if s.Control.Kind != kind || s.Treatment.Kind != kind {
			return refuse(BadInput, "treatment.type", "all samples of a comparison are of one kind")
		}
		for _, sample := range [...]Sample{s.Control, s.Treatment} {
			if k := sample.values(); k != 0 && values != 0 && k != values {
				return refuse(BadInput, "strata", "all samples of a comparison have the same covariates")
			}
			values = max(values, sample.values())
		}
		for _, other := range [...]float64{s.Control.nu(), s.Treatment.nu()} {
			if other != 0 && nu != 0 && other != nu {
				return refuse(BadInput, "treatment.nu", "all samples of a comparison are of one quantile")
			}
			nu = or(nu, other)
		}
	}
	return nil
}

// values returns how many values of a unit the sample has joint moments of, 0
// where it has none.
func (s Sample) values() int {
	if s.Joint == nil || s.N == 0 {
		return 0
	}
	return len(s.Joint.Means)
}

// nu returns which quantile the sample is of, 0 for none or an unnamed one.
func (s Sample) nu() float64 {
	if s.Distribution == nil {
		return 0
	}
	return s.Distribution.Nu
}
