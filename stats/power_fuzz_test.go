package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// odd are numbers that people and programs send.
var odd = []float64{0, 1, -1, 0.5, 1e-9, 1e-300, 1e9, 1e160, 1e300, -1e300, math.NaN(), math.Inf(1), math.Inf(-1), math.SmallestNonzeroFloat64, math.MaxFloat64}

// any number: an odd one, or an ordinary one of either sign and any size.
func anyNumber(r *rand.Rand) float64 {
	if r.IntN(8) == 0 {
		return odd[r.IntN(len(odd))]
	}
	return (r.Float64() - 0.2) * math.Pow(10, float64(r.IntN(9)-4))
}

func pickOf[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// Whatever is asked, the answer is a refusal or numbers that a plan can have.
func TestPlansOfAnything(t *testing.T) {
	const runs, seed = 1000, 3
	r := rand.New(rand.NewPCG(seed, 1))
	for range runs {
		number := func() float64 { return anyNumber(r) }
		metric := Expected{Kind: pickOf(r, KindProportion, KindMean, KindRatio, KindQuantile, KindCluster, "none"), Level: number(), SD: number()}
		if metric.Kind == KindProportion {
			metric.SD = 0
		}
		if r.IntN(4) == 0 {
			metric.Cluster = &Cluster{Mean: number(), CV: number(), ICC: number()}
		}
		zero := func(p int) float64 { return pickOf(r, append(make([]float64, p), number())...) }
		d := Design{Metric: metric, Effect: zero(1), Absolute: r.IntN(2) == 0, Margin: zero(3), Direction: pickOf(r, "", Increase, Decrease),
			Alpha: zero(4), Power: zero(4), Units: zero(1), Side: pickOf(r, "", TwoSided, Greater, Less),
			Inference: pickOf(r, "", FixedHorizon, AlwaysValid, GroupSequential, Bayes), Looks: pickOf(r, 0, 1, 5, -1)}
		sound(t, d, d.Solve())
		e := EventDesign{Rate: number(), Effect: zero(1), Absolute: d.Absolute, Margin: zero(3), Exclude: zero(2), Alpha: zero(4), Power: zero(4), Units: zero(1)}
		sound(t, e, e.Solve())
	}
}

func sound(t *testing.T, asked any, p Planned) {
	t.Helper()
	switch {
	case p.Refused != nil:
		if p.Power != 0 || p.Units != nil || p.MDE != 0 {
			t.Errorf("%+v: refused, and yet %+v", asked, p)
		}
	case !(p.Power >= 0 && p.Power <= 1) || !(p.MDE >= 0) || !finite(p.MDE) || !(p.Inflation > 0) || p.Total <= 0:
		t.Errorf("%+v: %+v", asked, p)
	}
}
