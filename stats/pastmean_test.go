package stats

import (
	"math"
	"testing"
)

// bcg are the thirteen trials of the vaccine against tuberculosis (Colditz et
// al. 1994): cases and others, of treated and of control.
var bcg = [][4]float64{
	{4, 119, 11, 128}, {6, 300, 29, 274}, {3, 228, 11, 209}, {62, 13536, 248, 12619}, {33, 5036, 47, 5761}, {180, 1361, 372, 1079}, {8, 2537, 10, 619},
	{505, 87886, 499, 87892}, {29, 7470, 45, 7232}, {17, 1699, 65, 1600}, {186, 50448, 141, 27197}, {5, 2493, 3, 2338}, {27, 16886, 29, 17825},
}

// TestMeanPast_published: the mean log risk ratio of those trials, its error and the
// variance between them as metafor's rma(method="DL") prints them.
func TestMeanPast_published(t *testing.T) {
	var past []Past
	for _, r := range bcg {
		treated, control := r[0]+r[1], r[2]+r[3]
		past = append(past, Past{Effect: math.Log(r[0] / treated / (r[2] / control)), SE: math.Sqrt(1/r[0] - 1/treated + 1/r[2] - 1/control)})
	}
	p := MeanPast(past)
	if p.N != 13 || math.Abs(p.Effect - -0.7141) > 5e-5 || math.Abs(p.SE-0.1787) > 5e-5 || math.Abs(p.SD*p.SD-0.3088) > 5e-5 {
		t.Errorf("the mean is %.4f ± %.4f, variance between %.4f", p.Effect, p.SE, p.SD*p.SD)
	}
	if math.Abs(p.Fixed.Low - -1.0644) > 1e-3 || math.Abs(p.Fixed.High - -0.3638) > 1e-3 {
		t.Errorf("the interval is %v", p.Fixed)
	}
}

func TestMeanPast_weak(t *testing.T) {
	if p := MeanPast(nil); p.Refused == nil || p.N != 0 {
		t.Errorf("nothing is %+v", p)
	}
	if p := MeanPast([]Past{{Effect: 0.1, SE: 0.02}, {Effect: math.NaN(), SE: 1}, {Effect: 1}}); p.N != 1 || p.Effect != 0.1 || math.Abs(p.SE-0.02) > 1e-12 || len(p.Warnings) != 2 || p.SD != 0 {
		t.Errorf("one is %+v", p)
	}
	if p := MeanPast([]Past{{0.1, 0.1}, {0.1, 0.1}}); p.SD != 0 || math.Abs(p.SE-0.1/math.Sqrt2) > 1e-12 {
		t.Errorf("two that agree are %+v", p)
	}
}
