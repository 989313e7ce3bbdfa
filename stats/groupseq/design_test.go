package groupseq

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"testing"
)

// near fails the test when the numbers differ by more than tolerance.
func near(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance) {
			t.Errorf("%s: %.8f, want %.8f", what, got, want)
			return
		}
	}
}

func made(t *testing.T, d Design) Boundary {
	t.Helper()
	b, err := d.Boundary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The bounds of designs that others published: ldbounds 2.0.0 (its vignette,
// section 3, which repeats Reboussin, DeMets, Kim & Lan 2000), gsDesign's
// sfLDOF, and rpact 4.0.0 (tests/testthat/test-f_design_group_sequential.R,
// 'asHSD', 'asKD').
func TestDesignPublished(t *testing.T) {
	for _, tt := range []struct {
		name      string
		d         Design
		z, spent  []float64
		tolerance float64
	}{
		{"ldbounds OF, two sides", Design{Alpha: 0.05, Sides: 2, Information: Equal(5)},
			[]float64{4.8769, 3.3569, 2.6803, 2.2898, 2.0310}, []float64{1.0777e-06, 7.8830e-04, 7.6161e-03, 2.4424e-02, 5.0000e-02}, 1.2e-4},
		{"gsDesign sfLDOF, two looks", Design{Alpha: 0.025, Information: Equal(2)}, []float64{2.9626, 1.9686}, nil, 5e-5},
		{"gsDesign sfLDOF, three looks", Design{Alpha: 0.025, Information: Equal(3)}, []float64{3.7103, 2.5114, 1.9930}, nil, 5e-5},
		{"ldbounds power family, rho 1", Design{Alpha: 0.05, Sides: 2, Information: Equal(5), Spending: Spending{Family: Power, Rho: 1}},
			[]float64{2.5758, 2.4919, 2.4108, 2.3391, 2.2754}, nil, 1.2e-4},
		{"rpact asHSD, gamma 0", Design{Alpha: 0.03, Information: []float64{0.2, 0.4, 1}, Spending: Spending{Family: HSD}},
			[]float64{2.5121443, 2.4228747, 2.0280392}, []float64{0.006, 0.012, 0.03}, 1e-6},
	} {
		b := made(t, tt.d)
		near(t, tt.name, b.Z, tt.z, tt.tolerance)
		if tt.spent != nil {
			near(t, tt.name+", spent", b.Spent, tt.spent, 1e-6)
		}
	}
}

// The errors that spending functions have used up, from the same tests of
// rpact 4.0.0 (asHSD with gamma −1; asKD with 2.2), and the bounds of Pocock's
// type from ld98 (Jennison & Turnbull 2000, section 7.2).
func TestSpentPublished(t *testing.T) {
	at := func(s Spending, alpha float64, fractions ...float64) []float64 {
		var spent []float64
		for _, f := range fractions {
			spent = append(spent, s.Spent(alpha, f))
		}
		return spent
	}
	near(t, "HSD", at(Spending{Family: HSD, Gamma: -1}, 0.07, 0.2, 0.4, 1), []float64{0.0090195874, 0.020036136, 0.07}, 1e-9)
	near(t, "power", at(Spending{Family: Power, Rho: 2.2}, 0.03, 0.3, 0.7, 1), []float64{0.0021222083, 0.013687904, 0.03}, 1e-9)
	near(t, "Pocock", made(t, Design{Alpha: 0.05, Sides: 2, Information: Equal(5), Spending: Spending{Family: Pocock}}).Z,
		[]float64{2.4380, 2.4268, 2.4102, 2.3966, 2.3860}, 1e-4)
	for _, s := range []Spending{{}, {Family: Pocock}, {Family: Power, Rho: 3}, {Family: HSD, Gamma: -4}, {Family: HSD, Gamma: 300}} {
		if got := s.Spent(0.05, 1.2); math.Abs(got-0.05) > 1e-12 {
			t.Errorf("%+v: an overrun has %v to spend, want 0.05", s, got)
		}
	}
}

// 196 looks of an experiment of Spotify's (github.com/spotify/confidence,
// tests/frequentist/test_bounds.py, test_many_days_fast_and_no_crash). Its
// solver stops within 1e-7 of the error due, which is a seventh of it at the
// second look and more at the last hundred: a seventh moves a bound of 4.8 by
// 0.03, and only the first fifty are compared.
func TestManyLooksPublished(t *testing.T) {
	var d struct {
		Alpha, Rho     float64
		Sides          int
		Information, Z []float64
	}
	raw, err := os.ReadFile("testdata/spotify_many_days.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	s := Spending{Family: Power, Rho: d.Rho}
	b := made(t, Design{Alpha: d.Alpha, Sides: d.Sides, Information: d.Information, Spending: s})
	near(t, "bounds", b.Z[:50], d.Z[:50], 0.015)
	last := len(b.Spent) - 1
	if want := s.Spent(d.Alpha, d.Information[last]); math.Abs(b.Spent[last]-want) > 1e-9 {
		t.Errorf("spent %v, want %v", b.Spent[last], want)
	}
}

// An overrun spends the rest at the information it has, and leaves the bounds
// before it as they were; what came after the error was spent has no bound.
func TestOverrun(t *testing.T) {
	plan := made(t, Design{Alpha: 0.025, Information: []float64{0.5, 1}})
	over := made(t, Design{Alpha: 0.025, Information: []float64{0.5, 1.3, 1.5}})
	if over.Z[0] != plan.Z[0] {
		t.Errorf("the first bound moved from %v to %v", plan.Z[0], over.Z[0])
	}
	if math.Abs(over.Spent[1]-0.025) > 1e-9 || !(over.Z[1] > plan.Z[1]) {
		t.Errorf("spent %v with the bound %v, want all of 0.025 and, less tied to the look before, more than %v", over.Spent[1], over.Z[1], plan.Z[1])
	}
	if over.Z[2] != NoBound {
		t.Errorf("a look without error left has the bound %v", over.Z[2])
	}
}

// A look with the information of the one before has its bound, and spends
// nothing.
func TestSameLookAgain(t *testing.T) {
	once := made(t, Design{Alpha: 0.05, Information: []float64{0.5, 1}})
	twice := made(t, Design{Alpha: 0.05, Information: []float64{0.5, 0.5 + 1e-7, 1}})
	if twice.Z[0] != twice.Z[1] || twice.Z[2] != once.Z[1] {
		t.Errorf("bounds %v, want %v with the first twice", twice.Z, once.Z)
	}
	upper, _ := twice.Exits(2)
	want, _ := once.Exits(2)
	near(t, "exits", upper, []float64{want[0], 0, want[1]}, 0)
}

func TestDesignRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		field string
		d     Design
	}{
		"alpha 0":       {"alpha", Design{Information: Equal(2)}},
		"alpha NaN":     {"alpha", Design{Alpha: math.NaN(), Information: Equal(2)}},
		"alpha of half": {"alpha", Design{Alpha: 0.5, Information: Equal(2)}},
		"sides":         {"sides", Design{Alpha: 0.05, Sides: 3, Information: Equal(2)}},
		"no looks":      {"information", Design{Alpha: 0.05}},
		"too many":      {"information", Design{Alpha: 0.05, Information: Equal(MostLooks + 1)}},
		"shrinking":     {"information", Design{Alpha: 0.05, Information: []float64{0.5, 0.4}}},
		"zero":          {"information", Design{Alpha: 0.05, Information: []float64{0}}},
		"infinite":      {"information", Design{Alpha: 0.05, Information: []float64{math.Inf(1)}}},
		"NaN":           {"information", Design{Alpha: 0.05, Information: []float64{0.5, math.NaN()}}},
		"family":        {"spending", Design{Alpha: 0.05, Information: Equal(2), Spending: Spending{Family: "all"}}},
		"rho":           {"rho", Design{Alpha: 0.05, Information: Equal(2), Spending: Spending{Family: Power}}},
		"gamma":         {"gamma", Design{Alpha: 0.05, Information: Equal(2), Spending: Spending{Family: HSD, Gamma: math.NaN()}}},
	} {
		_, err := tt.d.Boundary()
		var f *Fault
		if !errors.As(err, &f) || f.Field != tt.field {
			t.Errorf("%s: %v, want a fault of %s", name, err, tt.field)
		}
	}
}

func BenchmarkFiftyLooks(b *testing.B) {
	for b.Loop() {
		_, _ = Design{Alpha: 0.025, Information: Equal(50)}.Boundary()
	}
}
