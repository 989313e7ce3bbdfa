package stats

// Kind says what a sample is made of.
type Kind string

// The kinds of samples.
const (
	KindProportion Kind = "proportion" // units that had something, of units
	KindMean       Kind = "mean"       // moments of one value per unit
	KindRatio      Kind = "ratio"      // joint moments of a numerator and a denominator per unit
	KindQuantile   Kind = "quantile"   // a distribution of events, clustered in units
)

// Sample is one arm of one stratum. Use Proportion, Mean, RatioSample and
// QuantileSample to make one.
type Sample struct {
	Kind    Kind    `json:"kind"`
	N       int64   `json:"n"`           // units
	X       int64   `json:"x,omitempty"` // of a proportion: the units that had it, 0 to N
	Moments Moments `json:"moments,omitzero"`

	// Joint is, of a ratio, the moments of numerator and denominator, and with
	// a baseline of those two before first exposure; of a quantile, of how many
	// of a unit's events do not exceed the estimate's bucket and how many there
	// are. A proportion and a mean have it with a baseline alone: the value,
	// the value before first exposure, and 1 for a unit without events then.
	Joint        *Joint        `json:"joint,omitempty"`
	Distribution *Distribution `json:"distribution,omitempty"` // of a quantile
}

// Proportion returns the sample of n units, x of which had the outcome.
func Proportion(n, x int64) Sample { return Sample{Kind: KindProportion, N: n, X: x} }

// Mean returns the sample of units with one value each.
func Mean(m Moments) Sample { return Sample{Kind: KindMean, N: m.N, Moments: m} }

// RatioSample returns the sample of units with a numerator and a denominator,
// and perhaps both before first exposure.
func RatioSample(j Joint) Sample { return Sample{Kind: KindRatio, N: j.N, Joint: &j} }

// QuantileSample returns the sample of units with events: below are the moments
// of how many of a unit's events do not exceed the bucket of the estimate, and
// of how many it has.
func QuantileSample(d Distribution, below Joint) Sample {
	return Sample{Kind: KindQuantile, N: below.N, Joint: &below, Distribution: &d}
}

// With returns the sample of a proportion or a mean with the moments of what
// was known before.
func (s Sample) With(j Joint) Sample {
	s.Joint = &j
	return s
}

// Center returns the mean of the units' values, 0 without units. Of a ratio it
// is the ratio of the means, of a quantile the estimate.
func (s Sample) Center() float64 {
	switch {
	case s.Kind == KindMean:
		return s.Moments.Mean
	case s.Kind == KindQuantile && s.Distribution != nil:
		return s.Distribution.Estimate
	case s.Kind == KindRatio && s.Joint != nil && s.Joint.Means[1] != 0:
		return s.Joint.Means[0] / s.Joint.Means[1]
	case s.Kind != KindProportion || s.N == 0:
		return 0
	}
	return float64(s.X) / float64(s.N)
}

// Variance returns the sample variance of the values of the units of a
// proportion or a mean (divisor N−1), 0 below two units.
func (s Sample) Variance() float64 {
	if s.Kind == KindMean {
		return s.Moments.Variance()
	}
	if s.N < 2 {
		return 0
	}
	return float64(s.X) * (float64(s.N-s.X) / float64(s.N)) / float64(s.N-1)
}

// Merge returns the sample of the units of both, which must be of one kind and
// of one mixture of arms: units of different strata are never merged. The
// estimate of a quantile moves, so that what was counted below it is dropped.
func (s Sample) Merge(o Sample) Sample {
	switch {
	case s.N == 0:
		return o
	case o.N == 0: // an empty sample has no joint moments and no distribution
		return s
	}
	out := Sample{Kind: s.Kind, N: s.N + o.N, X: s.X + o.X, Moments: s.Moments.Merge(o.Moments)}
	if s.Distribution != nil && o.Distribution != nil {
		d := s.Distribution.Merge(*o.Distribution)
		out.Distribution = &d
		return out
	}
	if s.Joint != nil && o.Joint != nil {
		j := s.Joint.Merge(*o.Joint)
		out.Joint = &j
	}
	return out
}

// fault says why no units can have s, or returns nil. field names the sample.
func (s Sample) fault(field string) *Refusal {
	switch {
	case s.Kind == KindRatio || s.Kind == KindQuantile:
		return refuse(BadInput, field+".type", "a "+string(s.Kind)+" is counted and cannot be compared by this version")
	case s.Kind != KindProportion && s.Kind != KindMean:
		return refuse(BadInput, field+".type", "a sample is a proportion or a mean")
	case s.N < 0:
		return refuse(BadInput, field+".n", "units are counted from 0")
	case s.Kind == KindProportion && (s.X < 0 || s.X > s.N):
		return refuse(BadInput, field+".sum", "the units that had the outcome are 0 to n")
	case s.Kind == KindMean && s.N != s.Moments.N:
		return refuse(BadInput, field+".n", "the sample and its moments count different units")
	case !finite(s.Moments.Mean) || !finite(s.Moments.M2):
		return refuse(BadInput, field+".sum", "the values are not finite numbers")
	case s.Moments.M2 < 0:
		return refuse(BadInput, field+".sum_squares", "a sum of squared deviations is never negative")
	}
	return nil
}

// Stratum is a part of the data within which the mixture of arms was constant:
// one stage of one allocation epoch. Only units of one stratum are compared.
type Stratum struct {
	Epoch     int    `json:"epoch"`
	Stage     string `json:"stage,omitempty"`
	Control   Sample `json:"control"`
	Treatment Sample `json:"treatment"`
}

// fault says what is wrong with the strata, or returns nil.
func fault(strata []Stratum) *Refusal {
	if len(strata) == 0 {
		return refuse(TooFewUnits, "strata", "there are no data")
	}
	kind := strata[0].Control.Kind
	for _, s := range strata {
		if r := s.Control.fault("control"); r != nil {
			return r
		}
		if r := s.Treatment.fault("treatment"); r != nil {
			return r
		}
		if s.Control.Kind != kind || s.Treatment.Kind != kind {
			return refuse(BadInput, "treatment.type", "all samples of a comparison are of one kind")
		}
	}
	return nil
}
