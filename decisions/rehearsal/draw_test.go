package rehearsal

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// drawn is the mean and variance of many draws.
func drawn(n int, draw func() float64) (mean, variance float64) {
	var s running
	for range n {
		s.add(draw())
	}
	return s.mean, s.moments().Variance()
}

// TestCountsAreDrawnAsTheyShould compares each outcome's share with its chance,
// in both regions of each method.
func TestCountsAreDrawnAsTheyShould(t *testing.T) {
	const draws = 200_000
	for _, tt := range []struct {
		name  string
		draw  func(*rand.Rand) int64
		logOf func(k float64) float64
		most  int
	}{
		{"poisson 3", func(r *rand.Rand) int64 { return poisson(r, 3) }, logPoisson(3), 20},
		{"poisson 40", func(r *rand.Rand) int64 { return poisson(r, 40) }, logPoisson(40), 90},
		{"binomial 50, 2 %", func(r *rand.Rand) int64 { return binomial(r, 50, 0.02) }, logBinomial(50, 0.02), 20},
		{"binomial 200, 30 %", func(r *rand.Rand) int64 { return binomial(r, 200, 0.3) }, logBinomial(200, 0.3), 130},
		{"binomial 200, 95 %", func(r *rand.Rand) int64 { return binomial(r, 200, 0.95) }, logBinomial(200, 0.95), 200},
	} {
		r := rand.New(rand.NewPCG(7, 7))
		seen := make([]float64, tt.most+1)
		for range draws {
			if k := tt.draw(r); k >= 0 && k <= int64(tt.most) {
				seen[k]++
			}
		}
		chi, cells := 0.0, 0
		for k, n := range seen {
			if expected := draws * math.Exp(tt.logOf(float64(k))); expected >= 10 {
				chi += (n - expected) * (n - expected) / expected
				cells++
			}
		}
		if far := float64(cells) + 5*math.Sqrt(2*float64(cells)); chi > far {
			t.Errorf("%s: chi-square %.1f over %d outcomes", tt.name, chi, cells)
		}
	}
}

func logPoisson(mean float64) func(float64) float64 {
	return func(k float64) float64 { return k*math.Log(mean) - mean - logGamma(k+1) }
}

func logBinomial(n, p float64) func(float64) float64 {
	return func(k float64) float64 {
		return logGamma(n+1) - logGamma(k+1) - logGamma(n-k+1) + k*math.Log(p) + (n-k)*math.Log1p(-p)
	}
}

func TestEdgesOfDraws(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	if poisson(r, 0) != 0 || poisson(r, -1) != 0 || poisson(r, math.NaN()) != 0 {
		t.Error("a mean of nothing has counts")
	}
	if binomial(r, 10, 0) != 0 || binomial(r, 10, 1) != 10 || binomial(r, 0, 0.5) != 0 || binomial(r, 10, 1.5) != 10 {
		t.Error("chances of 0 and 1 are not certain")
	}
}

// TestSamplesHaveTheirMoments asks each shape for its mean and spread, and that
// a level moves the mean.
func TestSamplesHaveTheirMoments(t *testing.T) {
	sum, ratio := stats.Metric{Aggregate: stats.Sum}, stats.Metric{Aggregate: stats.Ratio}
	for _, tt := range []struct {
		name string
		Model
		sd float64
	}{
		{"normal", Model{Mean: 100, SD: 20, Shape: Normal}, 20},
		{"lognormal", Model{Mean: 200, SD: 150}, 300},
		{"poisson", Model{Mean: 4}, math.Sqrt(8)},
	} {
		r := rand.New(rand.NewPCG(3, 3))
		level := 2.0
		s := tt.sample(r, sum, 100_000, level)
		sd := math.Sqrt(s.Moments.Variance())
		if s.N != 100_000 || math.Abs(s.Moments.Mean/(2*tt.Mean)-1) > 0.02 || math.Abs(sd/tt.sd-1) > 0.05 {
			t.Errorf("%s: mean %g, sd %g, want %g and %g", tt.name, s.Moments.Mean, sd, 2*tt.Mean, tt.sd)
		}
	}
	r := rand.New(rand.NewPCG(3, 3))
	j := Model{Mean: 0.1, Size: 5}.sample(r, ratio, 100_000, 1.5).Joint
	if got := j.Means[0] / j.Means[1]; math.Abs(got/0.15-1) > 0.02 || math.Abs(j.Means[1]/5-1) > 0.02 {
		t.Errorf("a ratio of %g over %g", got, j.Means[1])
	}
	// Squared deviations of n normal values have n−1 degrees of freedom.
	mean, variance := drawn(20_000, func() float64 { return Model{SD: 1, Mean: 1, Shape: Normal}.sample(r, sum, 5, 1).Moments.M2 })
	if math.Abs(mean-4) > 0.1 || math.Abs(variance-8) > 0.5 {
		t.Errorf("squared deviations of 5 values: mean %g, variance %g, want 4 and 8", mean, variance)
	}
}

func TestModelsFollowThePast(t *testing.T) {
	m, ok := ModelOf(stats.Proportion(200, 50))
	if !ok || m.Mean != 0.25 {
		t.Errorf("%+v, %t", m, ok)
	}
	m, ok = ModelOf(stats.Mean(stats.Moments{N: 5, Mean: 3, M2: 16}))
	if !ok || m.Mean != 3 || m.SD != 2 {
		t.Errorf("%+v, %t", m, ok)
	}
	if _, ok := ModelOf(stats.Sample{Kind: stats.KindMean}); ok {
		t.Error("nothing is known of nobody")
	}
}
