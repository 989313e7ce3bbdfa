package peers

import (
	"math"
	"slices"
	"testing"

	"github.com/sluice-hq/sluice/stats"
	"pgregory.net/rapid"
)

// samples draws an arm of a kind, often one that is at an edge: no units, one, no
// variance, all or none of an outcome, moments that are far apart.
func samples(kind stats.Kind) *rapid.Generator[stats.Sample] {
	return rapid.Custom(func(t *rapid.T) stats.Sample {
		n := rapid.SampledFrom([]int64{0, 1, 2, 3, 4, 5, 10, 100, 99_999, 1e9}).Draw(t, "n")
		size := rapid.SampledFrom([]float64{0, 1e-80, 1e-6, 1, 3, 1e9, 1e90})
		number := func(name string) float64 {
			return size.Draw(t, name) * rapid.SampledFrom([]float64{-1, 0.5, 1, 2}).Draw(t, name+" sign")
		}
		moments := func(values int) stats.Joint {
			j := stats.Joint{N: n}
			var sd []float64
			for range values {
				j.Means = append(j.Means, number("mean"))
				sd = append(sd, size.Draw(t, "sd"))
			}
			for a := range values {
				for b := a; b < values; b++ {
					r := 1.0
					if a != b {
						r = rapid.SampledFrom([]float64{-0.3, 0, 0.3, 1}).Draw(t, "correlation")
					}
					j.M = append(j.M, r*sd[a]*sd[b]*math.Max(float64(n-1), 0))
				}
			}
			return j
		}
		past := rapid.Bool().Draw(t, "past")
		switch kind {
		case stats.KindProportion:
			s := stats.Proportion(n, rapid.SampledFrom([]int64{0, n / 2, n, min(n, 3)}).Draw(t, "x"))
			if past {
				j := moments(2)
				j.Means[0], j.M[0] = s.Center(), float64(s.X)*(1-s.Center())
				j.M[1] = 0
				s = s.With(j)
			}
			return s
		case stats.KindMean:
			j := moments(2)
			s := stats.Mean(j.Moments(0))
			if past {
				s = s.With(j)
			}
			return s
		case stats.KindQuantile:
			return stats.QuantileEstimate(n, number("estimate"), size.Draw(t, "se"))
		}
		values := 2
		if past {
			values = 4
		}
		s := stats.RatioSample(moments(values))
		s.Kind = kind
		return s
	})
}

// drawn is a comparison that somebody might ask for.
type drawn struct {
	strata []stats.Stratum
	o      stats.Options
}

func questions() *rapid.Generator[drawn] {
	return rapid.Custom(func(t *rapid.T) (d drawn) {
		kind := rapid.SampledFrom([]stats.Kind{stats.KindProportion, stats.KindMean, stats.KindRatio, stats.KindCluster, stats.KindQuantile}).Draw(t, "kind")
		for range rapid.IntRange(1, 3).Draw(t, "strata") {
			d.strata = append(d.strata, stats.Stratum{Control: samples(kind).Draw(t, "control"), Treatment: samples(kind).Draw(t, "treatment")})
		}
		d.o = stats.Options{
			Alpha:     rapid.SampledFrom([]float64{0, 1e-6, 0.05, 0.4}).Draw(t, "alpha"),
			Side:      rapid.SampledFrom([]stats.Side{"", stats.TwoSided, stats.Greater, stats.Less}).Draw(t, "side"),
			Relative:  rapid.Bool().Draw(t, "relative"),
			Units:     rapid.SampledFrom([]float64{0, 0, 1, 1e12}).Draw(t, "units"),
			Inference: rapid.SampledFrom([]stats.Inference{"", stats.FixedHorizon, stats.AlwaysValid, stats.Bayes}).Draw(t, "inference"),
			Covariate: rapid.SampledFrom([]stats.Covariate{"", "", stats.Unadjusted, stats.Pooled}).Draw(t, "covariate"),
		}
		if rapid.Bool().Draw(t, "prior") {
			d.o.Prior = &stats.Prior{Mean: 0.1, SD: 0.2, Relative: rapid.Bool().Draw(t, "relative prior")}
		}
		return d
	})
}

// TestCompareSound: whatever the data and whoever is asked, no number is NaN, an
// interval holds its estimate, a p-value is a probability, and what is refused
// says nothing.
func TestCompareSound(t *testing.T) {
	answered := map[Name]int{}
	ask := questions()
	for seed := range 3000 {
		q := ask.Example(seed)
		for _, name := range Names() {
			c := Compare(name, q.strata, q.o)
			if why := unsound(c); why != "" {
				t.Fatalf("%s, seed %d: %s: %+v\nof %+v", name, seed, why, c, q)
			}
			if c.Refused == nil {
				answered[name]++
			}
		}
	}
	for _, name := range Names() {
		if answered[name] < 30 {
			t.Errorf("%s answered %d of 3,000: this test shows little", name, answered[name])
		}
	}
	t.Logf("answered of 3,000: %v", answered)
}

// unsound says what no answer may be.
func unsound(c stats.Comparison) string {
	if slices.ContainsFunc([]float64{c.Estimate, c.SE, c.Statistic, c.DF, c.P, c.BandP, c.LogE, c.Control.Mean, c.Treatment.Mean,
		c.Fixed.Low, c.Fixed.High, c.Band.Low, c.Band.High}, math.IsNaN) {
		return "not a number"
	}
	switch {
	case !(c.P >= 0 && c.P <= 1 && c.BandP >= 0 && c.BandP <= 1):
		return "a p-value that is no probability"
	case c.Refused != nil && (c.P != 1 || c.BandP != 1 || c.Fixed != stats.Open() || c.Band != stats.Open() || c.Posterior != nil):
		return "a refusal that says something"
	case c.Refused == nil && !(c.Fixed.Contains(c.Estimate) && c.Band.Contains(c.Estimate)):
		return "an interval without its estimate"
	case c.Posterior != nil && !(c.Posterior.Credible.Contains(c.Posterior.Expected) && c.Posterior.ChanceToWin >= 0 && c.Posterior.ChanceToWin <= 1):
		return "a posterior that is none"
	}
	return ""
}
