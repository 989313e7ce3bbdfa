package stats

// Kind says what a sample is made of.
type Kind string

// The kinds of samples.
const (
	KindProportion Kind = "proportion" // units that had something, of units
	KindMean       Kind = "mean"       // moments of one value per unit
)

// Sample is one arm of one stratum. Use Proportion and Mean to make one.
type Sample struct {
	Kind    Kind    `json:"kind"`
	N       int64   `json:"n"`           // units
	X       int64   `json:"x,omitempty"` // of a proportion: the units that had it, 0 to N
	Moments Moments `json:"moments,omitzero"`
}

// Proportion returns the sample of n units, x of which had the outcome.
func Proportion(n, x int64) Sample { return Sample{Kind: KindProportion, N: n, X: x} }

// Mean returns the sample of units with one value each.
func Mean(m Moments) Sample { return Sample{Kind: KindMean, N: m.N, Moments: m} }

// Center returns the mean of the units' values, 0 without units.
func (s Sample) Center() float64 {
	switch {
	case s.Kind == KindMean:
		return s.Moments.Mean
	case s.N == 0:
		return 0
	}
	return float64(s.X) / float64(s.N)
}

// Variance returns the sample variance of the units' values (divisor N−1), 0
// below two units.
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
// of one mixture of arms: units of different strata are never merged.
func (s Sample) Merge(o Sample) Sample {
	if s.N == 0 {
		return o
	}
	return Sample{Kind: s.Kind, N: s.N + o.N, X: s.X + o.X, Moments: s.Moments.Merge(o.Moments)}
}

// fault says why no units can have s, or returns nil. field names the sample.
func (s Sample) fault(field string) *Refusal {
	switch {
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
