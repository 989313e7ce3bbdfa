package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Without its largest unit a sample is what its other units make, at any offset.
func TestWithoutIsTheOthers(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		offset := []float64{0, 1e3, 1e9}[rng.IntN(3)]
		values := make([]float64, 2+rng.IntN(50))
		for i := range values {
			values[i] = offset + rng.ExpFloat64()
		}
		got, r := momentsOf(values...).without(values[0])
		want := momentsOf(values[1:]...)
		if r != nil || got.N != want.N || !near(got.Mean, want.Mean, 1e-12*(1+offset)) || !near(got.M2, want.M2, (1e-9+1e-6*offset/1e9)*(1+want.M2)) {
			t.Fatalf("without %v of %v: %+v, %v, want %+v", values[0], values, got, r, want)
		}
	}
	j := Joint{}
	pairs := [][]float64{{1, 2}, {3, 1}, {100, 50}, {2, 2}}
	for _, p := range pairs {
		j = j.Merge(Joint{N: 1, Means: p, M: make([]float64, 3)})
	}
	got, r := j.without(pairs[2])
	if r != nil || !near(got.Means[0], 2, 1e-12) || !near(got.Means[1], 5./3, 1e-12) || !near(got.Of(0, 1), -1, 1e-9) {
		t.Errorf("joint without the largest: %+v, %v", got, r)
	}
}

// One buyer of 90,000 makes a treatment look better that does nothing.
func TestInfluential(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 7))
	arm := func(mean float64) (m Moments) {
		for range 2000 {
			m = m.Merge(momentsOf(mean + rng.NormFloat64()))
		}
		return m
	}
	control, treatment := arm(10), arm(10)
	whale := treatment.Merge(momentsOf(3000))
	strata := []Stratum{{Epoch: 1, Stage: "canary", Control: Mean(control), Treatment: Mean(whale)}}
	f := Influential(strata, Largest{Epoch: 1, Stage: "canary", Treatment: true, Value: 3000}, Options{})
	if f.Refused != nil || f.With.Estimate < 1 || math.Abs(f.Without.Estimate) > 0.1 || !near(f.Share, 3000/(3000+20000.), 0.01) {
		t.Errorf("%+v", f)
	}
	// A unit that takes the evidence away turns the answer, too.
	better := arm(10.5)
	strata[0].Treatment = Mean(better.Merge(momentsOf(-3000)))
	if f = Influential(strata, Largest{Epoch: 1, Stage: "canary", Treatment: true, Value: -3000}, Options{}); !f.Turns || len(f.Warnings) != 1 {
		t.Errorf("a unit that hides an effect: %+v", f)
	}
	strata[0].Treatment = Mean(better.Merge(momentsOf(14)))
	if f = Influential(strata, Largest{Epoch: 1, Stage: "canary", Treatment: true, Value: 14}, Options{}); f.Turns || len(f.Warnings) != 0 {
		t.Errorf("a unit like others: %+v", f)
	}
}

func TestMostInfluential(t *testing.T) {
	m := momentsOf(1, 2, 3, 4, 9, -20)
	strata := []Stratum{{Epoch: 1, Control: Mean(m), Treatment: Mean(m)}}
	units := []Largest{{Epoch: 2, Value: 9}, {Epoch: 1, Value: 9}, {Epoch: 1, Treatment: true, Value: -20}, {Epoch: 1, Value: 4}}
	if f := MostInfluential(strata, units, Options{}); f.Value != -20 || !f.Treatment || f.Refused != nil {
		t.Errorf("%+v", f)
	}
	for name, f := range map[string]Influence{
		"no units":           MostInfluential(strata, nil, Options{}),
		"none of the strata": MostInfluential(strata, units[:1], Options{}),
	} {
		if f.Refused == nil || f.With.P != 1 || f.Turns {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestInfluentialOfRatio(t *testing.T) {
	j := Joint{N: 400, Means: []float64{5, 10, 4, 10}, M: []float64{4000, 0, 0, 0, 400, 0, 0, 400, 0, 400}}
	strata := []Stratum{{Control: RatioSample(j), Treatment: RatioSample(j)}}
	f := Influential(strata, Largest{Treatment: true, Value: 30, Divisor: 12}, Options{})
	if f.Refused != nil || f.With.Estimate != 0 || !(f.Without.Estimate < 0) || f.Turns {
		t.Errorf("%+v", f)
	}
}

func TestInfluentialRefuses(t *testing.T) {
	m := momentsOf(1, 2, 3, 4)
	means := []Stratum{{Epoch: 1, Control: Mean(m), Treatment: Mean(m)}}
	for name, f := range map[string]Influence{
		"no data":       Influential(nil, Largest{}, Options{}),
		"no stratum":    Influential(means, Largest{Epoch: 2, Value: 4}, Options{}),
		"no such value": Influential(means, Largest{Epoch: 1, Value: 400}, Options{}),
		"NaN":           Influential(means, Largest{Epoch: 1, Value: math.NaN()}, Options{}),
		"a proportion":  Influential([]Stratum{{Control: Proportion(9, 3), Treatment: Proportion(9, 3)}}, Largest{Value: 1}, Options{}),
		"one unit":      Influential([]Stratum{{Control: Mean(momentsOf(1)), Treatment: Mean(m)}}, Largest{Value: 1}, Options{}),
		"two units":     Influential([]Stratum{{Control: Mean(momentsOf(1, 2)), Treatment: Mean(m)}}, Largest{Value: 2}, Options{}),
	} {
		if f.Refused == nil || f.Turns || f.With.P != 1 && name != "two units" || f.Without.P != 1 {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
