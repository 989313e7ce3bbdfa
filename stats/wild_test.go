package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
)

// wild draws a value as data have it at their worst: constants, ties, heavy
// tails, offsets and sizes near the ends of what a float holds.
func wild(r *rand.Rand, way int) float64 {
	switch way {
	case 0:
		return 0
	case 1:
		return float64(r.IntN(3))
	case 2:
		return 1e9 + r.NormFloat64()
	case 3:
		return math.Exp(4 * r.NormFloat64())
	case 4:
		return 1e-60 * r.NormFloat64()
	case 5:
		return 1e60 * r.NormFloat64()
	case 6:
		return -5
	}
	return r.NormFloat64()
}

// wildJoint draws the joint moments of a few units.
func wildJoint(r *rand.Rand, k int) Joint {
	ways := make([]int, k)
	for i := range ways {
		ways[i] = r.IntN(8)
	}
	var j Joint
	for range r.IntN(30) {
		row := make([]float64, k)
		for i := range row {
			row[i] = wild(r, ways[i])
			if i > 0 && ways[i] == 7 {
				row[i] = 2*row[i-1] + 1e-9*row[i]
			}
		}
		j = j.Merge(jointOf(row))
	}
	return j
}

func wildSample(t *testing.T, r *rand.Rand, kind Kind, columns int) Sample {
	switch kind {
	case KindRatio, KindCluster:
		j := wildJoint(r, 2+2*(columns%2))
		return Sample{Kind: kind, N: j.N, Joint: &j}
	case KindQuantile:
		units := make([][]int64, 2+r.IntN(40))
		top := 1 + r.IntN(1<<r.IntN(20))
		for i := range units {
			for range 1 + r.IntN(4) {
				units[i] = append(units[i], int64(r.IntN(top)))
			}
		}
		return latencies(t, 0.5, units)
	}
	j := wildJoint(r, columns)
	if j.N == 0 {
		return Sample{Kind: KindMean}
	}
	return Mean(j.Moments(0)).With(j)
}

// Whatever the data: no panic, no NaN, p in [0,1], and intervals that hold their
// estimate, the fixed one within the always-valid one; and gates likewise.
func TestWildSamples(t *testing.T) {
	const rounds, seed = 4000, 51
	r := rand.New(rand.NewPCG(seed, 1))
	kinds := []Kind{KindMean, KindRatio, KindCluster, KindQuantile}
	for i := range rounds {
		kind, columns := kinds[r.IntN(4)], 1+r.IntN(4)
		var strata []Stratum
		for e := range 1 + r.IntN(3) {
			strata = append(strata, Stratum{Epoch: e, Control: wildSample(t, r, kind, columns), Treatment: wildSample(t, r, kind, columns)})
		}
		o := Options{Relative: r.IntN(2) == 0, Covariate: []Covariate{"", ArmSpecific, Pooled, Unadjusted}[r.IntN(4)],
			Side: []Side{TwoSided, Greater, Less}[r.IntN(3)], Inference: []Inference{FixedHorizon, AlwaysValid, Bayes}[r.IntN(3)]}
		c := Compare(strata, o)
		if why := c.nonsense(); why != "" {
			t.Fatalf("round %d of seed %d: %s: %+v of %+v by %+v", i, seed, why, c, strata, o)
		}
		f, _ := Freeze(strata)
		f.Variance = math.Max(f.Variance, 1) // few units freeze nothing
		g := Guardrail{Margin: 0.1, Direction: Decrease}
		for _, v := range []any{g.Judge(strata, f), g.Exclude(0.5, 3).Look(strata, f, nil), Success{MDE: 0.1}.Judge(strata, f), Limit{Value: 1}.Judge(strata, f)} {
			if _, err := json.Marshal(v); err != nil {
				t.Fatalf("round %d of seed %d: %v: %+v of %+v", i, seed, err, v, strata)
			}
		}
	}
}

// nonsense says what no comparison may claim.
func (c Comparison) nonsense() string {
	if _, err := json.Marshal(c); err != nil {
		return err.Error()
	}
	in := func(i Interval) bool { return i.Contains(c.Estimate) }
	switch {
	case !(c.P >= 0 && c.P <= 1 && c.BandP >= 0 && c.BandP <= 1):
		return "a p-value out of [0,1]"
	case c.Refused != nil && (c.P != 1 || c.BandP != 1 || c.Fixed != Open() || c.Band != Open()):
		return "a refusal that looks like evidence"
	case c.Refused == nil && (!in(c.Fixed) || !in(c.Band)):
		return "an interval without its estimate"
	case c.PostStratified != nil && !c.PostStratified.Fixed.Contains(c.PostStratified.Estimate):
		return "an interval over all units without its estimate"
	}
	return ""
}
