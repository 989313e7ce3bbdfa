package stats

import (
	"math"
	"testing"
)

// A change after which nobody has the outcome any more is breached, and what is
// shown beside it says so too. It had a standard error of 0 and open bounds.
func TestBoundsOfAnArmWithoutOutcome(t *testing.T) {
	bought := func(mean, m2 float64) Sample { return Mean(Moments{N: 3000, Mean: mean, M2: m2}) }
	for _, tt := range []struct {
		name   string
		strata []Stratum
	}{
		{"none of many", arms(3000, 50, 3000, 0)},
		{"none of few", arms(150, 50, 150, 0)},
		{"nothing is bought", []Stratum{{Control: bought(1, 75000), Treatment: bought(0, 0)}}},
	} {
		f := frozen(t, tt.strata)
		j := Guardrail{Margin: 0.5, Direction: Increase}.Judge(tt.strata, f)
		if j.State != Breached || !(j.SE > 0) || !(j.Bounds.High < -0.5) || math.IsInf(j.Band.Low, 0) || !(j.Fixed.High < -0.5) {
			t.Errorf("%s: %s, se %v, bounds %v, band %v, fixed %v", tt.name, j.State, j.SE, j.Bounds, j.Band, j.Fixed)
		}
		e := NonInferiority{Size: 0.5, Direction: Decrease}.Look(tt.strata, f, nil)
		if e.Excluded && !(e.Bounds.High < 0.5) {
			t.Errorf("%s: excluded by z %v, and bounds are %v", tt.name, e.Z, e.Bounds)
		}
	}
}
