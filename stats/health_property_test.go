package stats

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// awkward draws numbers that data can hold and tests trip over.
func awkward(t *rapid.T, name string) float64 {
	return rapid.OneOf(rapid.Float64Range(-100, 100), rapid.SampledFrom([]float64{0, 1, -1, 1e9, 1e-9, 1e150, -1e150, math.MaxFloat64, math.NaN(), math.Inf(1)})).Draw(t, name)
}

func awkwardJoint(t *rapid.T, k int) Joint {
	j := Joint{N: rapid.Int64Range(0, 5000).Draw(t, "n"), Means: make([]float64, k), M: make([]float64, k*(k+1)/2)}
	for a := range k {
		j.Means[a] = awkward(t, "mean")
		for b := a; b < k; b++ {
			j.M[packed(a, b, k)] = awkward(t, "co-moment")
		}
	}
	return j
}

// Whatever the moments are, health answers in JSON, with p-values from 0 to 1.
func TestHealthNeverAnswersNonsense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j, o := awkwardJoint(t, 3), awkwardJoint(t, 3)
		means := []Stratum{{Epoch: 1, Control: Mean(j.Moments(0)).With(j), Treatment: Mean(o.Moments(0)).With(o)}}
		inference := rapid.SampledFrom([]Inference{FixedHorizon, AlwaysValid}).Draw(t, "inference")
		options := Options{Inference: inference, Relative: rapid.Bool().Draw(t, "relative")}
		b := PrePeriod(means, 0)
		n := JudgeNovelty([]Days{{Control: j, Treatment: o}}, options)
		f := MostInfluential(means, []Largest{{Epoch: 1, Value: awkward(t, "value"), Treatment: rapid.Bool().Draw(t, "arm")}}, options)
		s := Breakdown([]Split{{Segments: []Segment{{Strata: means}, {Strata: means}}}}, options)[0]
		for name, p := range map[string]float64{"balance": b.P, "slope": n.Slope.P, "days": n.Other.P, "segment": s.Segments[0].P, "interaction": s.Interaction.P, "Q": s.Interaction.FixedP,
			"without": f.Without.P} {
			if !(p >= 0 && p <= 1) {
				t.Fatalf("%s: p = %v", name, p)
			}
		}
		for _, v := range []any{b, n, f, s} {
			if _, err := json.Marshal(v); err != nil {
				t.Fatalf("%T: %v", v, err)
			}
		}
	})
}
