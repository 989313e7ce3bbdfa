package rehearsal

import (
	"math"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/stats"
)

// sample draws the sample of n units whose mean is level times the model's. Of
// normal values it draws mean and squared deviations as n values have them; of
// others every value.
func (m Model) sample(r *rand.Rand, def stats.Metric, n int64, level float64) stats.Sample {
	m = m.fill()
	switch def.Aggregate.Kind() {
	case stats.KindProportion:
		return stats.Proportion(n, binomial(r, n, m.Mean*level))
	case stats.KindRatio:
		return m.ratio(r, n, level)
	}
	if m.Shape == Normal {
		return stats.Mean(m.normal(r, n, level))
	}
	draw := m.value(r, level)
	var s running
	for range n {
		s.add(draw())
	}
	return stats.Mean(s.moments())
}

// normal draws the moments of n normal values: their mean, and independently
// of it their squared deviations.
func (m Model) normal(r *rand.Rand, n int64, level float64) stats.Moments {
	if n == 0 {
		return stats.Moments{}
	}
	return stats.Moments{
		N:    n,
		Mean: m.Mean*level + m.SD/math.Sqrt(float64(n))*r.NormFloat64(),
		M2:   m.SD * m.SD * chiSquare(r, n-1),
	}
}

// value returns what draws the value of one unit. A change moves what is skewed
// as a whole: the spread grows with the mean.
func (m Model) value(r *rand.Rand, level float64) func() float64 {
	if m.Shape == Poisson {
		return func() float64 { return float64(poisson(r, m.Mean*level)) }
	}
	spread := math.Sqrt(math.Log1p(m.SD * m.SD / (m.Mean * m.Mean)))
	at := math.Log(m.Mean*level) - spread*spread/2
	return func() float64 { return math.Exp(at + spread*r.NormFloat64()) }
}

// ratio draws units with a denominator from 1 on and a numerator that is a count
// of it, with a liking of each unit's own: half or one and a half times as much.
func (m Model) ratio(r *rand.Rand, n int64, level float64) stats.Sample {
	if n == 0 {
		return stats.Sample{Kind: stats.KindRatio}
	}
	var s pairs
	for range n {
		size := 1 + float64(poisson(r, m.Size-1))
		liking := 0.5 + float64(r.IntN(2))
		s.add(float64(poisson(r, size*m.Mean*level*liking)), size)
	}
	return stats.RatioSample(s.joint())
}

// nothing is the sample of n units of which no event is there yet.
func nothing(def stats.Metric, n int64) stats.Sample {
	switch def.Aggregate.Kind() {
	case stats.KindProportion:
		return stats.Proportion(n, 0)
	case stats.KindRatio:
		if n == 0 {
			return stats.Sample{Kind: stats.KindRatio}
		}
		return stats.RatioSample(stats.Joint{N: n, Means: make([]float64, 2), M: make([]float64, 3)})
	}
	if def.Aggregate == stats.Average {
		return stats.Mean(stats.Moments{}) // who has no events is not among its units
	}
	return stats.Mean(stats.Moments{N: n})
}

// running are moments that grow by one value (Welford 1962).
type running struct {
	n        int64
	mean, m2 float64
}

func (s *running) add(x float64) {
	s.n++
	d := x - s.mean
	s.mean += d / float64(s.n)
	s.m2 += d * (x - s.mean)
}

func (s running) moments() stats.Moments { return stats.Moments{N: s.n, Mean: s.mean, M2: s.m2} }

// pairs are joint moments of two values that grow by one unit.
type pairs struct {
	x, y running
	xy   float64
}

func (s *pairs) add(x, y float64) {
	d := x - s.x.mean
	s.x.add(x)
	s.y.add(y)
	s.xy += d * (y - s.y.mean)
}

func (s pairs) joint() stats.Joint {
	return stats.Joint{N: s.x.n, Means: []float64{s.x.mean, s.y.mean}, M: []float64{s.x.m2, s.xy, s.y.m2}}
}
