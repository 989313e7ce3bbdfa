package groupseq

import (
	"errors"
	"math"
	"testing"
)

// Tables 2.1 to 2.4 of Jennison & Turnbull (2000): the constants of Pocock's
// and of O'Brien & Fleming's tests with two sides, and how much the largest
// sample grows for a power of 80 and 90 %.
func TestClassicalPublished(t *testing.T) {
	for _, tt := range []struct {
		alpha, delta float64
		looks        int
		constant     float64
		at80, at90   float64
	}{
		{0.05, 0.5, 2, 2.178, 1.110, 1.100},
		{0.05, 0.5, 3, 2.289, 1.166, 1.151},
		{0.05, 0.5, 4, 2.361, 1.202, 1.183},
		{0.05, 0.5, 5, 2.413, 1.229, 1.207},
		{0.05, 0.5, 10, 2.555, 1.301, 1.271},
		{0.05, 0, 2, 1.977, 1.008, 1.007},
		{0.05, 0, 3, 2.004, 1.017, 1.016},
		{0.05, 0, 4, 2.024, 1.024, 1.022},
		{0.05, 0, 5, 2.040, 1.028, 1.026},
		{0.05, 0, 10, 2.087, 1.040, 1.037},
		{0.01, 0.5, 5, 2.986, 1.187, 1.170},
		{0.1, 0.5, 5, 2.122, 1.254, 1.228},
	} {
		b, c, err := Classical{Alpha: tt.alpha, Looks: tt.looks, Delta: tt.delta}.Boundary()
		if err != nil {
			t.Fatal(err)
		}
		near(t, "constant", []float64{c}, []float64{tt.constant}, 6e-4)
		near(t, "inflation", []float64{b.Inflation(0.2), b.Inflation(0.1)}, []float64{tt.at80, tt.at90}, 1.1e-3)
		if last := b.Spent[len(b.Spent)-1]; math.Abs(last-tt.alpha) > 1e-8 {
			t.Errorf("%+v: error %v, want %v", tt, last, tt.alpha)
		}
	}
}

// rpact 4.0.0, tests/testthat/test-f_design_group_sequential.R: its default
// design, which has one side.
func TestClassicalOneSidePublished(t *testing.T) {
	b, _, err := Classical{Alpha: 0.025, Sides: 1, Looks: 3}.Boundary()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "bounds", b.Z, []float64{3.4710914, 2.4544323, 2.0040356}, 1e-6)
	near(t, "spent", b.Spent, []float64{0.00025917372, 0.0071600594, 0.025}, 1e-7)
}

func TestClassicalRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		field string
		c     Classical
	}{
		"alpha":       {"alpha", Classical{Alpha: 1, Looks: 2}},
		"sides":       {"sides", Classical{Alpha: 0.05, Looks: 2, Sides: -1}},
		"no looks":    {"information", Classical{Alpha: 0.05}},
		"negative":    {"looks", Classical{Alpha: 0.05, Looks: -1}},
		"too many":    {"looks", Classical{Alpha: 0.05, Looks: 201}},
		"shape":       {"design", Classical{Alpha: 0.05, Looks: 2, Delta: math.NaN()}},
		"last not 1":  {"information", Classical{Alpha: 0.05, Information: []float64{0.5, 0.9}}},
		"not growing": {"information", Classical{Alpha: 0.05, Information: []float64{1, 0.5, 1}}},
	} {
		_, _, err := tt.c.Boundary()
		var f *Fault
		if !errors.As(err, &f) || f.Field != tt.field {
			t.Errorf("%s: %v, want a fault of %s", name, err, tt.field)
		}
	}
}

func BenchmarkClassicalFiftyLooks(b *testing.B) {
	for b.Loop() {
		_, _, _ = Classical{Alpha: 0.05, Looks: 50, Delta: 0.5}.Boundary()
	}
}
