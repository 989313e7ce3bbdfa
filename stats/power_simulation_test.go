package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sluice-hq/sluice/stats/groupseq"
)

// What a plan says of one look is what Compare does with data: units that are
// drawn from normal and binomial distributions. Of a relative effect so large
// that Fieller's interval is taken the plan says too little, never too much.
func TestPlannedPowerIsThatOfCompare(t *testing.T) {
	const runs, seed = 2000, 11
	random := rand.New(rand.NewPCG(seed, 1))
	mean := Expected{Kind: KindMean, Level: 10, SD: 6}
	share := Expected{Kind: KindProportion, Level: 0.2}
	for _, d := range []Design{
		{Metric: mean, Effect: 1, Absolute: true, Units: 400},
		{Metric: mean, Effect: 0.1, Units: 400, Weights: []float64{1, 3}},
		{Metric: mean, Effect: 0.2, Units: 400, Inference: AlwaysValid},
		{Metric: share, Effect: 0.05, Absolute: true, Units: 900},
		{Metric: share, Effect: -0.2, Units: 1500},
		{Metric: share, Effect: 0.3, Units: 2000, Inference: AlwaysValid},
	} {
		want, seen := d.Solve().Power, 0
		for range runs {
			if d.seenIn(random) {
				seen++
			}
		}
		// The plan takes the noise for what it is expected to be.
		off := float64(seen)/runs - want
		if fieller := math.Abs(d.Effect) > 0.1 && !d.Absolute; fieller && off > 0 {
			off = 0
		}
		if math.Abs(off) > 0.01+3*math.Sqrt(want*(1-want)/runs) {
			t.Errorf("seed %d, %+v: power %v, the plan says %v", seed, d, off+want, want)
		}
	}
}

// seenIn draws both arms and reports whether their comparison sees the effect.
func (d Design) seenIn(random *rand.Rand) bool {
	full := d.defaults()
	control := full.Metric.draw(random, full.Metric.Level, full.Units)
	treatment := full.Metric.draw(random, full.moved(full.Effect), full.Units*full.share())
	c := Compare([]Stratum{{Control: control, Treatment: treatment}},
		Options{Relative: !d.Absolute, Margin: math.Abs(d.Effect), Inference: d.Inference})
	i, _ := c.Answer()
	return !i.Contains(0)
}

func (e Expected) draw(random *rand.Rand, level, units float64) Sample {
	n := int64(units)
	if e.Kind == KindProportion {
		x := int64(0)
		for range n {
			if random.Float64() < level {
				x++
			}
		}
		return Proportion(n, x)
	}
	var m Moments
	for range n {
		m = m.Merge(Moments{N: 1, Mean: level + e.SD*random.NormFloat64()})
	}
	return Mean(m)
}

// The power of tests with several looks is that of walks whose statistic moves
// from look to look.
func TestPlannedPowerOverLooks(t *testing.T) {
	const runs, seed, looks = 20_000, 12, 10
	for _, i := range []Inference{AlwaysValid, GroupSequential} {
		l := Design{Effect: 0.1, Side: Greater, Inference: i, Looks: looks}.defaults().test()
		for _, shift := range []float64{1.5, 2.5, 3.5} {
			bounds := l.bounds(shift)
			random, crossed := rand.New(rand.NewPCG(seed, 1)), 0
			for range runs {
				b := 0.0
				for k, bound := range bounds {
					at := float64(k+1) / looks
					b += shift/looks + random.NormFloat64()/math.Sqrt(looks)
					if b/math.Sqrt(at) >= bound {
						crossed++
						break
					}
				}
			}
			want, got := l.crossing(shift), float64(crossed)/runs
			if math.Abs(got-want) > 3.5*math.Sqrt(want*(1-want)/runs) {
				t.Errorf("seed %d, %s, shift %v: power %v, the plan says %v", seed, i, shift, got, want)
			}
		}
	}
}

// bounds are those of the looks, of z.
func (l looking) bounds(shift float64) (out []float64) {
	for k, at := range groupseq.Equal(l.looks) {
		bound := l.radius(shift * shift * at)
		if l.inference == GroupSequential {
			bound = l.bounded.Z[k]
		}
		out = append(out, bound)
	}
	return out
}

// Looks cost a group-sequential test little: five cost less than the 2.8 % of
// O'Brien and Fleming's own bounds ([JT, Table 2.4]: R_B(5, 0.05, 0.2)).
func TestInflationOfPlans(t *testing.T) {
	last := 0.0
	for _, looks := range []int{1, 2, 5, 20} {
		d := Design{Metric: Expected{Kind: KindMean, Level: 1, SD: 1}, Effect: 0.1, Inference: GroupSequential, Looks: looks}
		got := d.Solve().Inflation
		if looks == 1 && math.Abs(got-1) > 1e-6 || got < last || looks == 5 && !(got > 1.02 && got < 1.028) {
			t.Errorf("%d looks: %v, %v before", looks, got, last)
		}
		last = got
	}
}
