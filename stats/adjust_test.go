package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// neuhaus is the 15 p-values of Benjamini & Hochberg 1995, section 4.1 (Neuhaus
// et al. 1992): of them Bonferroni and Hochberg reject three at 0.05, and theirs
// four.
var neuhaus = []float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1}

func TestAdjustBenjaminiHochberg1995(t *testing.T) {
	for by, want := range map[Adjustment]int{Bonferroni: 3, Holm: 3, Hochberg: 3, BenjaminiHochberg: 4} {
		if got := rejections(Adjust(neuhaus, by, 0.05)); got != want {
			t.Errorf("%s rejects %d of the paper's p-values, want %d", by, got, want)
		}
	}
}

func rejections(a Adjusted) (n int) {
	for _, r := range a.Rejected {
		if r {
			n++
		}
	}
	return n
}

// R's multtest::mt.rawp2adjp, as statsmodels pins it
// (statsmodels/stats/tests/test_multi.py: res_multtest1).
func TestAdjustMulttest(t *testing.T) {
	p := []float64{5.2365677720800003e-05, 2.8140506198000000e-04, 1.4987731079600001e-02, 2.0273268879800001e-02, 1.7709695272300000e-01,
		6.4219392379499995e-01, 6.8084594763299999e-01, 7.1626938238000004e-01, 8.3854136755300002e-01, 9.6783382430900000e-01}
	one, last := 1.0, 9.6783382430900000e-01
	for by, want := range map[Adjustment][]float64{
		Bonferroni: {5.2365677720800005e-04, 2.8140506197999998e-03, 1.4987731079600000e-01, 2.0273268879799999e-01, one, one, one, one, one, one},
		Holm:       {5.2365677720800005e-04, 2.5326455578199999e-03, 1.1990184863680001e-01, 1.4191288215860001e-01, one, one, one, one, one, one},
		Hochberg:   {5.2365677720800005e-04, 2.5326455578199999e-03, 1.1990184863680001e-01, 1.4191288215860001e-01, last, last, last, last, last, last},
		BenjaminiHochberg: {5.2365677720800005e-04, 1.4070253098999999e-03, 4.9959103598666670e-02, 5.0683172199499998e-02, 3.5419390544599999e-01,
			8.9533672797500008e-01, 8.9533672797500008e-01, 8.9533672797500008e-01, 9.3171263061444454e-01, last},
		BenjaminiYekutieli: {1.5337740764175588e-03, 4.1211324652269442e-03, 1.4632862843720582e-01, 1.4844940238274187e-01, one, one, one, one, one, one},
	} {
		a := Adjust(p, by, 0.05)
		for i := range want {
			if !near(a.P[i], want[i], 1e-15) || a.Rejected[i] != (want[i] <= 0.05) {
				t.Errorf("%s: p[%d] = %v, rejected %v, want %v", by, i, a.P[i], a.Rejected[i], want[i])
			}
		}
	}
}

// R's multtest where every test is rejected but Bonferroni's
// (statsmodels/stats/tests/test_multi.py: res_multtest2).
func TestAdjustAllRejected(t *testing.T) {
	p := []float64{0.002, 0.004, 0.006, 0.008, 0.01, 0.012}
	for by, want := range map[Adjustment][]float64{
		Bonferroni:         {0.012, 0.024, 0.036, 0.048, 0.06, 0.072},
		Holm:               {0.012, 0.02, 0.024, 0.024, 0.024, 0.024},
		Hochberg:           {0.012, 0.012, 0.012, 0.012, 0.012, 0.012},
		BenjaminiHochberg:  {0.012, 0.012, 0.012, 0.012, 0.012, 0.012},
		BenjaminiYekutieli: {0.0294, 0.0294, 0.0294, 0.0294, 0.0294, 0.0294},
	} {
		a := Adjust(p, by, 0.05)
		for i := range want {
			if !near(a.P[i], want[i], 1e-15) {
				t.Errorf("%s: p[%d] = %v, want %v", by, i, a.P[i], want[i])
			}
		}
	}
}

// e-BH is BH of 1/e, and rejects the k largest whose least is m/(k alpha).
func TestAdjustE(t *testing.T) {
	e := []float64{100, 1, 45, 0, 30}
	logE := make([]float64, len(e))
	for i := range e {
		logE[i] = math.Log(e[i])
	}
	a := AdjustE(logE, 0.1) // 5/(1·0.1) = 50, 5/(2·0.1) = 25, 5/(3·0.1) = 16.7
	if want := []bool{true, false, true, false, true}; !slices.Equal(a.Rejected, want) {
		t.Errorf("rejected %v, want %v", a.Rejected, want)
	}
	for i, want := range []float64{0.05, 1, 0.05 / 0.9, 1, 1. / 18} {
		if !near(a.P[i], want, 1e-12) {
			t.Errorf("p[%d] = %v, want %v", i, a.P[i], want)
		}
	}
	if !near(a.Level, 3*0.1/5, 1e-15) {
		t.Errorf("level %v, want 3·0.1/5", a.Level)
	}
}

// The order of the tests changes nothing, an adjusted p-value is never less than
// the plain one, Holm rejects what Bonferroni does, Hochberg what Holm does, BH
// what BY does; and the interval of a false discovery rate never contradicts
// its rejection.
func TestAdjustProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for range 300 {
		p := make([]float64, 1+rng.IntN(30))
		for i := range p {
			p[i] = math.Pow(rng.Float64(), 1+8*rng.Float64())
		}
		if len(p) > 3 {
			p[1], p[2], p[3] = p[0], 0, 1
		}
		turned := slices.Clone(p)
		slices.Reverse(turned)
		of := map[Adjustment]Adjusted{}
		for _, by := range []Adjustment{Bonferroni, Holm, Hochberg, BenjaminiHochberg, BenjaminiYekutieli} {
			a, b := Adjust(p, by, 0.1), Adjust(turned, by, 0.1)
			slices.Reverse(b.P)
			if !slices.Equal(a.P, b.P) {
				t.Fatalf("%s of %v depends on the order: %v, %v", by, p, a.P, b.P)
			}
			for i := range p {
				if !(a.P[i] >= p[i] && a.P[i] <= 1) {
					t.Fatalf("%s of %v gives %v", by, p, a.P)
				}
				if discovery := by == BenjaminiHochberg || by == BenjaminiYekutieli; discovery && a.Rejected[i] != (p[i] <= a.Level*(1+1e-12)) {
					t.Fatalf("%s of %v rejects %v at level %v", by, p, a.Rejected, a.Level)
				}
			}
			of[by] = a
		}
		for _, pair := range [][2]Adjustment{{Bonferroni, Holm}, {Holm, Hochberg}, {BenjaminiYekutieli, BenjaminiHochberg}} {
			for i := range p {
				if of[pair[0]].Rejected[i] && !of[pair[1]].Rejected[i] {
					t.Fatalf("%s rejects test %d of %v and %s does not", pair[0], i, p, pair[1])
				}
			}
		}
	}
}

func TestAdjustWarnsOfWideIntervals(t *testing.T) {
	if a := Adjust([]float64{0.001, 0.03}, Holm, 0.05); len(a.Warnings) != 1 || !a.Rejected[1] {
		t.Errorf("a test at 0.03 that Holm rejects and an interval of level 0.025: %+v", a)
	}
	if a := Adjust([]float64{0.001, 0.02}, Holm, 0.05); len(a.Warnings) != 0 {
		t.Errorf("warned: %+v", a)
	}
}

func TestAdjustRefuses(t *testing.T) {
	for name, a := range map[string]Adjusted{
		"no tests":      Adjust(nil, Holm, 0),
		"p above 1":     Adjust([]float64{0.1, 1.1}, Holm, 0),
		"NaN":           Adjust([]float64{math.NaN()}, Holm, 0),
		"alpha":         Adjust([]float64{0.1}, Holm, 1),
		"NaN alpha":     Adjust([]float64{0.1}, Holm, math.NaN()),
		"method":        Adjust([]float64{0.1}, "sidak", 0),
		"e of p-values": Adjust([]float64{0.1}, EBH, 0),
		"no e-values":   AdjustE(nil, 0),
		"infinite e":    AdjustE([]float64{math.Inf(1)}, 0),
		"NaN e":         AdjustE([]float64{math.NaN()}, 0),
	} {
		if a.Refused == nil || a.P != nil || a.Rejected != nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// The bounds of Spotify's confidence (e1f8a49, z_test_computer.py,
// ci_for_multiple_comparison_methods with w = 1), by its formula: what is not
// rejected at alpha over their number, what is rejected at zero, and all
// rejected at alpha/m.
func TestHolmBounds(t *testing.T) {
	se := []float64{1, 1, 1}
	for _, tt := range []struct{ effect, want []float64 }{
		{[]float64{4, 1, 0.5}, []float64{0, 1 - 1.959963984540054, 0.5 - 1.959963984540054}},
		{[]float64{4, 3, 0.5}, []float64{0, 0, 0.5 - 1.6448536269514722}},
		{[]float64{4, 3, 2}, []float64{4 - 2.128045234184984, 3 - 2.128045234184984, 0}},
	} {
		p := make([]float64, len(se))
		for i := range p {
			p[i] = survival(tt.effect[i] / se[i])
		}
		got := Adjust(p, Holm, 0.05).HolmBounds(0.05, func(i int, alpha float64) float64 { return tt.effect[i] - upper(alpha)*se[i] })
		for i, want := range tt.want {
			if !near(got[i], want, 1e-9) {
				t.Errorf("effects %v: bound %d is %v, want %v", tt.effect, i, got[i], want)
			}
		}
	}
}

// All bounds hold together with probability 1−alpha, whatever is true.
func TestHolmBoundsHoldTogether(t *testing.T) {
	const runs, alpha = 4000, 0.05
	rng := rand.New(rand.NewPCG(5, 3))
	effect := []float64{0, 0, 2.5, 4}
	missed := 0
	for range runs {
		seen, p := make([]float64, len(effect)), make([]float64, len(effect))
		for i := range effect {
			seen[i] = effect[i] + rng.NormFloat64()
			p[i] = survival(seen[i])
		}
		for i, b := range Adjust(p, Holm, alpha).HolmBounds(alpha, func(i int, a float64) float64 { return seen[i] - upper(a) }) {
			if b > effect[i] {
				missed++
				break
			}
		}
	}
	if limit := alpha + 2*math.Sqrt(alpha*(1-alpha)/runs); float64(missed)/runs > limit {
		t.Errorf("a bound was above its effect in %d of %d runs", missed, runs)
	}
}
