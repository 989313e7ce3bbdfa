package stats

// Kind says what a sample is made of.
type Kind string

// The kinds of samples.
const (
	KindProportion Kind = "proportion" // units that had something, of units
	KindMean       Kind = "mean"       // moments of one value per unit
	KindRatio      Kind = "ratio"      // joint moments of a numerator and a denominator per unit
	KindCluster    Kind = "cluster"    // joint moments of a sum and a size per cluster of units
	KindQuantile   Kind = "quantile"   // a distribution of events, clustered in units
)

// Sample is one arm of one stratum. Use Proportion, Mean, RatioSample,
// ClusterSample and QuantileSample to make one.
type Sample struct {
	Kind    Kind    `json:"kind"`
	N       int64   `json:"n"`           // units
	X       int64   `json:"x,omitempty"` // of a proportion: the units that had it, 0 to N
	Moments Moments `json:"moments,omitzero"`

	// Joint is, of a ratio, the moments of numerator and denominator, and with
	// a baseline of those two before first exposure; of clusters likewise the
	// sum and the size; of a quantile, of how many
	// of a unit's events do not exceed the estimate's bucket and how many there
	// are. A proportion and a mean have it with a baseline alone: the value,
	// the value before first exposure, and 1 for a unit without events then.
	Joint        *Joint        `json:"joint,omitempty"`
	Distribution *Distribution `json:"distribution,omitempty"` // of a quantile
}

// ClusterSample returns the sample of clusters that were randomised whole, each
// with the sum of its units' values and how many units it has. Its mean is that
// of the units; N counts clusters, because clusters are what is independent.
func ClusterSample(j Joint) Sample { return Sample{Kind: KindCluster, N: j.N, Joint: &j} }

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

// Stratum is a part of the data within which the mixture of arms was constant:
// one stage of one allocation epoch. Only units of one stratum are compared.
type Stratum struct {
	Epoch     int    `json:"epoch"`
	Stage     string `json:"stage,omitempty"`
	Control   Sample `json:"control"`
	Treatment Sample `json:"treatment"`
}
