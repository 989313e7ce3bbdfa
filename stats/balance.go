package stats

import "math"

// Balance says whether the units of both arms were alike before their first
// exposure. What differs then is no effect: chance, which a covariate takes
// out, or an assignment that looks at the units, which nothing does.
type Balance struct {
	Alarm      bool        `json:"alarm"`         // LogE reached −log(alpha)
	LogE       float64     `json:"logE"`          // log e-value against "there is no difference", of both comparisons together
	P          float64     `json:"p"`             // always valid: min(1, 1/e)
	Difference float64     `json:"difference"`    // of the values before first exposure, in their standard deviations
	Before     Comparison  `json:"before"`        // of those values, absolute
	New        *Comparison `json:"new,omitempty"` // of the shares of units without events then; nil for a ratio
	Doubt
}

const (
	methodBalance = "the mean of the mixture e-values of the values before first exposure and of the share of units that had none"
	warnUnlike    = "the arms differ before the first exposure by a tenth of a standard deviation or more"
)

// unlike is a standardised difference that is worth a warning however little
// evidence there is (Austin 2009: 0.1).
const unlike = 0.1

// PrePeriod compares the arms before the first exposure of their units: of a
// metric with a baseline. It may be asked at every look. alpha may be zero for
// that of the sample ratio, which is a check of the same kind.
func PrePeriod(strata []Stratum, alpha float64) Balance {
	b := Balance{P: 1, Doubt: Doubt{Method: methodBalance, Assumptions: []string{assumeUnits}}}
	b.Before = Comparison{P: 1, BandP: 1, Fixed: Open(), Band: Open()}
	alpha = or(alpha, RatioAlpha)
	if b.Refused = first(errorFault(alpha), fault(strata), baselineFault(strata)); b.Refused != nil {
		return b
	}
	if b.Before = Compare(each(strata, before), Options{Inference: AlwaysValid}); b.Before.Refused != nil {
		b.Refused = b.Before.Refused
		return b
	}
	b.LogE = b.Before.LogE
	b.Difference = b.Before.Estimate / deviation(each(strata, before))
	if known(strata) {
		c := Compare(each(strata, unknown), Options{Inference: AlwaysValid})
		b.New = &c
		b.LogE = logMean(b.LogE, c.LogE) // a comparison that is refused has an e-value of 1
	}
	b.P = math.Min(1, math.Exp(-b.LogE))
	b.Alarm = b.LogE >= -math.Log(alpha)
	if math.Abs(b.Difference) >= unlike {
		b.warn(warnUnlike)
	}
	return b
}

// known reports whether the samples say which units had no events before.
func known(strata []Stratum) bool {
	for _, s := range strata {
		for _, a := range []Sample{s.Control, s.Treatment} {
			if a.N > 0 && (a.quotient() || len(a.Joint.Means) < 3) {
				return false
			}
		}
	}
	return true
}

// baselineFault says why samples say nothing of the time before, or returns nil.
func baselineFault(strata []Stratum) *Refusal {
	for _, s := range strata {
		if r := first(s.Control.baselineFault("control"), s.Treatment.baselineFault("treatment")); r != nil {
			return r
		}
	}
	return nil
}

func (s Sample) baselineFault(field string) *Refusal {
	needs := 2 // the value and that before
	if s.Kind == KindRatio || s.Kind == KindCluster {
		needs = 4 // numerator and denominator, and both before
	}
	switch {
	case s.Kind == KindQuantile:
		return refuse(BadInput, field+".type", "a quantile is not counted before first exposure")
	case s.N > 0 && (s.Joint == nil || len(s.Joint.Means) < needs):
		return refuse(BadInput, field+".baseline", "the metric is not counted before first exposure")
	case s.N == 0:
		return nil
	case s.Joint.N != s.N:
		return refuse(BadInput, field+".n", "the sample and its moments count different units")
	}
	return s.Joint.fault(field)
}

// each makes other samples of the same units.
func each(strata []Stratum, of func(Sample) Sample) []Stratum {
	out := make([]Stratum, len(strata))
	for i, s := range strata {
		out[i] = Stratum{Epoch: s.Epoch, Stage: s.Stage, Control: of(s.Control), Treatment: of(s.Treatment)}
	}
	return out
}

// before is what the units did before their first exposure.
func before(s Sample) Sample {
	switch ratio := s.Kind == KindRatio || s.Kind == KindCluster; {
	case ratio && s.Joint != nil:
		return Sample{Kind: s.Kind, N: s.N, Joint: s.Joint.pick(2, 3)}
	case ratio:
		return Sample{Kind: s.Kind}
	case s.Joint == nil:
		return Mean(Moments{})
	}
	return Mean(s.Joint.Moments(1))
}

// unknown is which of the units did nothing before their first exposure.
func unknown(s Sample) Sample {
	if s.Joint == nil {
		return Proportion(0, 0)
	}
	return Proportion(s.N, int64(math.Round(s.Joint.Means[2]*float64(s.N))))
}

// pick returns the moments of some of the values.
func (j Joint) pick(values ...int) *Joint {
	out := &Joint{N: j.N}
	for i, a := range values {
		out.Means = append(out.Means, j.Means[a])
		for _, b := range values[i:] {
			out.M = append(out.M, j.Of(a, b))
		}
	}
	return out
}

// deviation returns the standard deviation of the units' values within arms and
// strata. Of a ratio it is that of the linearised values.
func deviation(strata []Stratum) float64 {
	var squares, free float64
	for _, s := range strata {
		for _, a := range []Sample{s.Control, s.Treatment} {
			if a.N > 1 {
				squares += float64(a.N-1) * a.Variance()
				free += float64(a.N - 1)
			}
		}
	}
	return math.Sqrt(squares / free)
}

// logMean returns the log of the mean of two e-values, which is one.
func logMean(a, b float64) float64 {
	most := math.Max(a, b)
	return most + math.Log((math.Exp(a-most)+math.Exp(b-most))/2)
}
