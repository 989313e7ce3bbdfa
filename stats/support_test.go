package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// oneStratum returns one stratum of two samples.
func oneStratum(control, treatment Sample) []Stratum {
	return []Stratum{{Control: control, Treatment: treatment}}
}

// valued returns the sample of n values with that mean and standard deviation.
func valued(n int64, mean, sd float64) Sample {
	return Mean(Moments{N: n, Mean: mean, M2: sd * sd * float64(n-1)})
}

// Nobody of a small arm has a rare outcome, or all of its values are equal: by
// its own account it is known exactly, and any difference would be proof.
func TestConstantSmallArmIsNoProof(t *testing.T) {
	for name, s := range map[string][]Stratum{
		"nobody of 100, of whom one is expected": oneStratum(Proportion(9900, 100), Proportion(100, 0)),
		"no buyer among 100":                     oneStratum(valued(9900, 1, 20), valued(100, 0, 0)),
		"hardly a buyer among 100":               oneStratum(valued(9900, 1, 20), valued(100, 0.01, 0)),
		"two equal values":                       oneStratum(valued(100, 0, 1), valued(2, 5, 0)),
		"two of two against none of two":         oneStratum(Proportion(2, 0), Proportion(2, 2)),
		"one of three against one of 1,000":      oneStratum(Proportion(1000, 1), Proportion(3, 1)),
		"with what was known before":             oneStratum(withFlatHistory(9900, 100), withFlatHistory(100, 0)),
	} {
		for _, relative := range []bool{false, true} {
			c := Compare(s, Options{Relative: relative})
			if c.P < 0.05 || c.BandP < 0.05 || !c.Fixed.Contains(0) || !c.Band.Contains(0) {
				t.Errorf("%s, relative %v: p %v %v, band %v %v", name, relative, c.P, c.Fixed, c.BandP, c.Band)
			}
			if c.Refused == nil && len(c.Warnings) == 0 {
				t.Errorf("%s, relative %v: no warning", name, relative)
			}
		}
	}
}

// withFlatHistory returns a proportion with a covariate that tells nothing.
func withFlatHistory(n, x int64) Sample {
	spread := Proportion(n, x).Variance() * float64(n-1)
	return Proportion(n, x).With(Joint{N: n, Means: []float64{float64(x) / float64(n), 1}, M: []float64{spread, 0, float64(n)}})
}

// A change that breaks everything is seen, also where covariates are.
func TestConstantArmsThatDifferAreProof(t *testing.T) {
	for name, s := range map[string][]Stratum{
		"all and none":               oneStratum(Proportion(1000, 1000), Proportion(1000, 0)),
		"half and none":              oneStratum(Proportion(1000, 500), Proportion(1000, 0)),
		"all and none, with history": oneStratum(withFlatHistory(1000, 1000), withFlatHistory(1000, 0)),
		"values and none":            oneStratum(valued(1000, 5, 3), valued(1000, 0, 0)),
	} {
		c := Compare(s, Options{})
		if c.Refused != nil || !(c.P < 1e-9) || c.Band.Contains(0) || !c.Fixed.Contains(c.Estimate) {
			t.Errorf("%s: %v, p %v, band %v", name, c.Refused, c.P, c.Band)
		}
	}
}

// At one percent of traffic a rare conversion is often had by nobody. With
// looks after every 20 treated units the band left zero for 8 % of changes that
// do nothing.
func TestRareConversionsOfACanary(t *testing.T) {
	const runs, alpha = 400, 0.05
	for _, rate := range []float64{0.001, 0.01} {
		r, ever := rand.New(rand.NewPCG(3, 5)), 0
		for range runs {
			if firstExclusion(r, rate) {
				ever++
			}
		}
		if limit := alpha + 2*math.Sqrt(alpha*(1-alpha)/runs); float64(ever)/runs > limit {
			t.Errorf("rate %v: the band left zero in %d of %d runs", rate, ever, runs)
		}
	}
}

func firstExclusion(r *rand.Rand, rate float64) bool {
	var control, treatment Sample
	for range 50 {
		control = control.Merge(flipped(r, 1980, rate))
		treatment = treatment.Merge(flipped(r, 20, rate))
		if !Compare(oneStratum(control, treatment), Options{Relative: true}).Band.Contains(0) {
			return true
		}
	}
	return false
}

func flipped(r *rand.Rand, n int64, rate float64) Sample {
	x := int64(0)
	for range n {
		if r.Float64() < rate {
			x++
		}
	}
	return Proportion(n, x)
}

// The gates ask the same. Of 1,200 treated units 1.2 conversions are expected,
// and none is seen in three of ten rollouts.
func TestGateWithoutConversions(t *testing.T) {
	s := oneStratum(Proportion(118_800, 119), Proportion(1200, 0))
	f, ok := Freeze(s)
	if !ok {
		t.Fatal("nothing is frozen")
	}
	j := Guardrail{Margin: 0.9, Direction: Increase}.Judge(s, f)
	if j.State != Unknown || math.Exp(j.LogHarm) > 5 {
		t.Errorf("%s, e-value of harm %v", j.State, math.Exp(j.LogHarm))
	}
}
