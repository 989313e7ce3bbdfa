package main

import (
	"math"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/stats"
)

// population is where the units of a rollout come from. More draws n units of
// one arm; level is what their mean is, as a multiple of the population's own.
type population struct {
	name   string
	mean   float64
	better stats.Direction
	more   func(r *rand.Rand, n int64, level float64) stats.Sample
}

// conversion is units that have an outcome with that chance, or not.
func conversion(name string, chance float64) population {
	return population{name, chance, stats.Increase, func(r *rand.Rand, n int64, level float64) stats.Sample {
		return stats.Proportion(n, binomial(r, n, chance*level))
	}}
}

// revenue is nothing from 95 of 100 units, and from the others amounts of
// which one in a hundred exceeds 30 times the median: a skewness of 131.
var revenue = population{"revenue, skewed", 0.05 * math.Exp(1.5*1.5/2), stats.Increase, func(r *rand.Rand, n int64, level float64) stats.Sample {
	values := make([]float64, n)
	for i := range binomial(r, n, 0.05) {
		values[i] = level * math.Exp(1.5*r.NormFloat64())
	}
	return stats.Mean(moments(values))
}}

// ties is ratings of which seven in ten are equal.
var ties = population{"ratings, heavy ties", 0.3 * 3.75, stats.Decrease, func(r *rand.Rand, n int64, level float64) stats.Sample {
	values := make([]float64, n)
	rated := binomial(r, n, 0.3*level)
	for i := range rated {
		values[i] = [...]float64{1, 2, 2, 10}[r.IntN(4)]
	}
	return stats.Mean(moments(values))
}}

// clicks is clicks a page view: units see 1 page and more, and each has a
// liking of its own, so that page views are not independent.
var clicks = population{"clicks a page view, ratio", 0.12, stats.Increase, func(r *rand.Rand, n int64, level float64) stats.Sample {
	both := make([]float64, 0, 2*n)
	for range n {
		views := 1 + poisson(r, 3)
		liking := [...]float64{0.02, 0.06, 0.28}[r.IntN(3)]
		both = append(both, float64(binomial(r, int64(views), liking*level)), views)
	}
	return stats.RatioSample(joint(2, both))
}}

// worse returns the effect of harm of a size: a share of the control mean.
func (p population) worse(size float64) float64 {
	if p.better == stats.Decrease {
		return size
	}
	return -size
}
