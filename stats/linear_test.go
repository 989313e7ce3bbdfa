package stats

import (
	"encoding/json"
	"math"
	"testing"
)

func noisy(nc int64, mc, vc float64, nt int64, mt, vt float64) []Stratum {
	return []Stratum{{Control: Mean(Moments{N: nc, Mean: mc, M2: vc * float64(nc-1)}), Treatment: Mean(Moments{N: nt, Mean: mt, M2: vt * float64(nt-1)})}}
}

// The linear model of two arms is Student's t test with one variance: of the
// sleep data (Student 1908; R: t.test(extra ~ group, sleep, var.equal = TRUE)
// prints t = -1.8608, df = 18, p = 0.07919, interval -3.363874 to 0.203874). Its
// band is the formula of avlm with g = n*/(−2 log α + log(1 − 2 log α)).
func TestLinearModelPublished(t *testing.T) {
	strata := noisy(10, 2.33, 4.009, 10, 0.75, 3.200556)
	c := Compare(strata, Options{Inference: LinearModel, Units: 20})
	if !near(c.Statistic, -1.8608, 1e-4) || !near(c.DF, 18, 1e-9) || !near(c.P, 0.07919, 1e-5) ||
		!near(c.Fixed.Low, -3.363874, 1e-5) || !near(c.Fixed.High, 0.203874, 1e-5) {
		t.Errorf("t %v of %v, p %v, %v", c.Statistic, c.DF, c.P, c.Fixed)
	}
	g := 20 / (-2*math.Log(0.05) + math.Log(1-2*math.Log(0.05)))
	s := student{R: g / (g + 20), DF: 18}
	band, p := c.Answer()
	if want := math.Exp(-s.logTwo(c.Statistic)); !near(p, math.Min(1, want), 1e-9) {
		t.Errorf("p = %v, want %v", p, want)
	}
	if want := c.Estimate + c.SE*s.radiusTwo(0.05); !near(band.High, want, 1e-9) {
		t.Errorf("band to %v, want %v", band.High, want)
	}
}

// It is wider than the band that takes the variance for known, and the same
// with many units.
func TestLinearModelWidth(t *testing.T) {
	for n, most := range map[int64]float64{10: math.Inf(1), 100: 1.1, 100000: 1.0001} {
		strata := noisy(n, 10, 4, n, 10.1, 4)
		known, exact := Compare(strata, Options{Units: 1000, Relative: true}), Compare(strata, Options{Units: 1000, Relative: true, Inference: LinearModel})
		ratio := (exact.Band.High - exact.Band.Low) / (known.Band.High - known.Band.Low)
		if !(ratio >= 1) || ratio > most {
			t.Errorf("%d units: the band is %v times as wide", n, ratio)
		}
	}
}

func TestLinearModelDegenerate(t *testing.T) {
	for name, strata := range map[string][]Stratum{
		"two units":    noisy(2, 1, 1, 2, 3, 1),
		"a constant":   noisy(5, 1, 0, 5, 3, 1),
		"all and none": arms(5, 0, 5, 5),
		"unequal":      noisy(5, 1, 1, 50, 3, 9),
		"ratio":        {{Control: RatioSample(Joint{N: 50, Means: []float64{1, 2}, M: []float64{9, 2, 8}}), Treatment: RatioSample(Joint{N: 50, Means: []float64{1.1, 2}, M: []float64{9, 2, 8}})}},
		"two strata":   {noisy(2, 1, 1, 2, 3, 1)[0], noisy(2, 4, 1, 2, 3, 2)[0]},
	} {
		for _, side := range []Side{TwoSided, Greater, Less} {
			for _, relative := range []bool{false, true} {
				c := Compare(strata, Options{Inference: LinearModel, Side: side, Relative: relative})
				i, p := c.Answer()
				if c.Refused == nil && (!i.Contains(c.Estimate) || !(p >= 0 && p <= 1)) {
					t.Errorf("%s, %s: %v in %v, p %v", name, side, c.Estimate, i, p)
				}
				if _, err := json.Marshal(c); err != nil {
					t.Errorf("%s, %s: %v", name, side, err)
				}
			}
		}
	}
	if c := Compare(noisy(5, 1, 1, 50, 3, 9), Options{Inference: LinearModel}); len(c.Warnings) < 2 {
		t.Errorf("unequal variances: %q", c.Warnings)
	}
}
