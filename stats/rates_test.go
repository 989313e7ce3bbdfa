package stats

import (
	"math"
	"testing"
)

// R's help of poisson.test: cancer in Fredericia against three other cities at
// ages 55 to 59 (eba1977 of the package ISwR), 11 of 800 against 21 of 3,011. The
// rate ratio is 1.971488 with the interval 0.8584264 to 4.2772659.
func TestCompareRates_published(t *testing.T) {
	c := CompareRates(EventCounts{Control: 21, Treatment: 11, Traffic: [2]float64{3011, 800}}, Options{Relative: true})
	if !near(c.Estimate, 0.971488, 1e-6) || !near(c.Fixed.Low, 0.8584264-1, 1e-6) || !near(c.Fixed.High, 4.2772659-1, 1e-6) {
		t.Errorf("%v %v", c.Estimate, c.Fixed)
	}
	if c.P < 0.05 || c.P > 0.12 {
		t.Errorf("p = %v", c.P)
	}
}

// The arms exchanged, and the events spread over twice the traffic, say the
// same.
func TestCompareRates_symmetries(t *testing.T) {
	for _, side := range []Side{TwoSided, Greater, Less} {
		other := map[Side]Side{TwoSided: TwoSided, Greater: Less, Less: Greater}[side]
		a := CompareRates(EventCounts{Control: 4, Treatment: 12, Traffic: [2]float64{100, 150}}, Options{Relative: true, Side: side})
		b := CompareRates(EventCounts{Control: 12, Treatment: 4, Traffic: [2]float64{300, 200}}, Options{Relative: true, Side: other})
		if !near(a.P, b.P, 1e-12) || !a.Fixed.Contains(a.Estimate) || side == TwoSided && !near((1+a.Fixed.Low)*(1+b.Fixed.High), 1, 1e-9) {
			t.Errorf("%s: %+v, %+v", side, a, b)
		}
		d := CompareRates(EventCounts{Control: 4, Treatment: 12, Traffic: [2]float64{100, 150}}, Options{Side: side})
		if d.P != a.P || !near(d.Estimate, 0.04, 1e-12) || !near(d.SE, math.Sqrt(4./1e4+12./22500), 1e-12) || len(d.Warnings) == 0 {
			t.Errorf("%s: %+v", side, d)
		}
	}
}

func TestCompareRates_refuses(t *testing.T) {
	for _, tt := range []struct {
		c     EventCounts
		o     Options
		code  Code
		field string
	}{
		{EventCounts{Control: 0, Treatment: 5, Traffic: [2]float64{1, 1}}, Options{}, ZeroVariance, "control.count"},
		{EventCounts{Control: 5, Treatment: 0, Traffic: [2]float64{1, 1}}, Options{}, ZeroVariance, "treatment.count"},
		{EventCounts{Control: 5, Treatment: -1, Traffic: [2]float64{1, 1}}, Options{}, BadInput, "counts"},
		{EventCounts{Control: 5, Treatment: 1, Traffic: [2]float64{1, 0}}, Options{}, BadInput, "traffic"},
		{EventCounts{Control: 5, Treatment: 1, Traffic: [2]float64{1, 1}}, Options{Inference: Bayes}, BadInput, "inference"},
		{EventCounts{Control: 5, Treatment: 1, Traffic: [2]float64{1, 1}}, Options{Alpha: 1}, BadInput, "alpha"},
	} {
		c := CompareRates(tt.c, tt.o)
		if c.Refused == nil || c.Refused.Code != tt.code || c.Refused.Field != tt.field || c.P != 1 {
			t.Errorf("%+v: %+v", tt.c, c.Refused)
		}
	}
}
