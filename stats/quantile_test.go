package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// bucket returns the number of the bucket of a value in the fixed point.
func bucket(x int64) int {
	if x < 2*inOctave {
		return int(x)
	}
	shift := 0
	for x>>shift >= 2*inOctave {
		shift++
	}
	return int(x>>shift) + shift*inOctave
}

// latencies returns the sample of a quantile of units' events, whole numbers of
// the fixed point from 0.
func latencies(t *testing.T, nu float64, units [][]int64) Sample {
	t.Helper()
	counts := map[int]int64{}
	for _, u := range units {
		for _, x := range u {
			counts[bucket(x)]++
		}
	}
	var buckets []Bucket
	for i, n := range counts {
		buckets = append(buckets, Bucket{I: i, N: n})
	}
	slices.SortFunc(buckets, func(a, b Bucket) int { return a.I - b.I })
	d, err := NewDistribution(nu, 1, int64(len(units)), buckets)
	if err != nil {
		t.Fatal(err)
	}
	at, _ := d.At()
	var below Joint
	for _, u := range units {
		var s float64
		for _, x := range u {
			if bucket(x) <= at {
				s++
			}
		}
		below = below.Merge(Joint{N: 1, Means: []float64{s, float64(len(u))}, M: make([]float64, 3)})
	}
	return QuantileSample(d, below)
}

// drawn returns units of two to six events each; those of one unit share a
// factor, so that they are alike.
func drawn(r *rand.Rand, n int, alike float64) [][]int64 {
	units := make([][]int64, n)
	for i := range units {
		own := alike * r.NormFloat64()
		for range 2 + r.IntN(5) {
			units[i] = append(units[i], int64(1e5*math.Exp(own+0.5*r.NormFloat64())))
		}
	}
	return units
}

// GrowthBook, packages/stats/tests/bayesian/test_tests.py, quantile test with
// an improper flat prior: 0.5365124375579775 in (0.4572559589115422,
// 0.6157689162044128). There n−1 stands for n, and the normal for Student's t.
func TestCompareQuantile_growthbook(t *testing.T) {
	arm := func(n int64, q, low, high float64) Sample {
		return QuantileEstimate(n, q, (high-low)/(2*woodruff))
	}
	c := Compare([]Stratum{{
		Control:   arm(11054, 7.157987489967789, 7.098780136176828, 7.217194843758751),
		Treatment: arm(10861, 7.694499927525767, 7.64180598628119, 7.747193868770344),
	}}, Options{})
	if !near(c.Estimate, 0.5365124375579775, 1e-12) || !near(c.Fixed.Low, 0.4572559589115422, 2e-5) || !near(c.Fixed.High, 0.6157689162044128, 2e-5) {
		t.Errorf("%v in %v", c.Estimate, c.Fixed)
	}
}

// With one event a unit, the share below has the binomial standard error and
// its interval is the order statistics' (Woodruff 1952).
func TestQuantileOfIndependentEvents(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	var units [][]int64
	for range 20000 {
		units = append(units, []int64{int64(1e5 * r.ExpFloat64())})
	}
	s := latencies(t, 0.9, units)
	if got, want := s.share(), math.Sqrt(0.9*0.1/20000); math.Abs(got/want-1) > 0.01 {
		t.Errorf("standard error of the share %v, want %v", got, want)
	}
	// The density of Exp(1) at its quantile is 1−ν.
	if got, want := math.Sqrt(s.Variance()/20000), 1e5*math.Sqrt(0.9*0.1/20000)/0.1; math.Abs(got/want-1) > 0.1 {
		t.Errorf("standard error of the quantile %v, want about %v", got, want)
	}
	if math.Abs(s.Center()/(1e5*math.Ln10)-1) > 0.03 {
		t.Errorf("estimate %v", s.Center())
	}
}

// Intervals of the difference of two quantiles hold it as often as they say,
// also where the events of a unit are alike: treating them as independent would
// not.
func TestQuantileCoverage(t *testing.T) {
	const looks, units, want = 400, 400, 0.95
	for _, nu := range []float64{0.5, 0.9} {
		r := rand.New(rand.NewPCG(7, uint64(100*nu)))
		held, naive := 0, 0
		for range looks {
			s := Stratum{Control: latencies(t, nu, drawn(r, units, 0.7)), Treatment: latencies(t, nu, drawn(r, units, 0.7))}
			c := Compare([]Stratum{s}, Options{})
			if c.Refused != nil {
				t.Fatal(c.Refused)
			}
			if c.Fixed.Contains(0) {
				held++
			}
			var iid float64
			for _, a := range []Sample{s.Control, s.Treatment} {
				d := *a.Distribution
				sd := d.moved(0, math.Sqrt(nu*(1-nu)/float64(d.Events)))
				iid += sd * sd
			}
			if math.Abs(c.Estimate) < woodruff*math.Sqrt(iid) {
				naive++
			}
		}
		got := float64(held) / looks
		if tolerance := 3 * math.Sqrt(want*(1-want)/looks); math.Abs(got-want) > tolerance {
			t.Errorf("ν = %v: %v of the intervals hold the difference, want %v ± %v (seed 7)", nu, got, want, tolerance)
		}
		if float64(naive)/looks > 0.9 {
			t.Errorf("ν = %v: independent events hold %v: this test shows nothing", nu, float64(naive)/looks)
		}
	}
}

// A quantile on the edge between two values that many events share jumps from
// one to the other; that must not look certain.
func TestQuantileOfTies(t *testing.T) {
	ticks := func(share float64) Sample { // events at 16 or 32
		units := make([][]int64, 4000)
		for i := range units {
			units[i] = []int64{16}
			if float64(i) >= share*4000 {
				units[i] = []int64{32}
			}
		}
		return latencies(t, 0.5, units)
	}
	// The shares differ by 3.6 standard errors, p = 0.0003, while ν ± 1.96 σ lies
	// within one value in either arm.
	c := Compare([]Stratum{{Control: ticks(0.48), Treatment: ticks(0.52)}}, Options{})
	if c.Estimate != -16 || c.P < 1e-6 {
		t.Errorf("estimate %v, p %v", c.Estimate, c.P)
	}
	same := Compare([]Stratum{{Control: ticks(1), Treatment: ticks(1)}}, Options{})
	if same.Refused == nil || same.Refused.Code != ZeroVariance {
		t.Errorf("all equal: %+v", same)
	}
}

func TestQuantileInGates(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	slower := func(units [][]int64) [][]int64 {
		for _, u := range units {
			for i := range u {
				u[i] = u[i] * 13 / 10
			}
		}
		return units
	}
	strata := []Stratum{
		{Epoch: 1, Control: latencies(t, 0.9, drawn(r, 3000, 0.5)), Treatment: latencies(t, 0.9, slower(drawn(r, 300, 0.5)))},
		{Epoch: 2, Control: latencies(t, 0.9, drawn(r, 1000, 0.5)), Treatment: latencies(t, 0.9, slower(drawn(r, 1000, 0.5)))},
		{Epoch: 3, Control: latencies(t, 0.9, drawn(r, 3, 0.5)), Treatment: latencies(t, 0.9, drawn(r, 1, 0.5))}, // too thin to count
	}
	f, ok := Freeze(strata)
	if !ok || !(f.Variance > 0) || !(f.Doubt > 0 && f.Doubt < 0.1) {
		t.Fatalf("frozen %+v, %v", f, ok)
	}
	j := Guardrail{Margin: 0.05, Direction: Decrease}.Judge(strata, f)
	if j.State != Breached || !j.Bounds.Contains(0.3) {
		t.Errorf("%s, %v in %v, want 0.3 breached", j.State, j.Estimate, j.Bounds)
	}
	if l := (Limit{Value: 1e5, Direction: Decrease}).Judge(strata, f); l.State != Breached {
		t.Errorf("limit: %+v", l)
	}
}

func TestQuantileRefuses(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 1))
	units := drawn(r, 200, 0.1)
	good := latencies(t, 0.9, units)
	with := func(change func(*Distribution)) Sample {
		d := *good.Distribution
		change(&d)
		return QuantileSample(d, *good.Joint)
	}
	for _, tt := range []struct {
		name  string
		s     Sample
		code  Code
		field string
	}{
		{"too few events beyond it", latencies(t, 0.999, units), TooFewUnits, "strata"},
		{"no units", Sample{Kind: KindQuantile}, TooFewUnits, "control.n"},
		{"no moments", Sample{Kind: KindQuantile, N: 3, Distribution: good.Distribution}, BadInput, "control.num_sum"},
		{"nu of 1", with(func(d *Distribution) { d.Nu = 1 }), BadInput, "control.buckets"},
		{"buckets out of order", with(func(d *Distribution) { d.Buckets = []Bucket{{2, 1}, {1, 1}} }), BadInput, "control.buckets"},
		{"events lost", with(func(d *Distribution) { d.Events++ }), BadInput, "control.events"},
		{"no scale", with(func(d *Distribution) { d.Scale = 0 }), BadInput, "control.scale"},
		{"standard error NaN", QuantileEstimate(100, 1, math.NaN()), BadInput, "control.sum"},
	} {
		treatment := good
		if tt.name == "too few events beyond it" {
			treatment = tt.s
		}
		c := Compare([]Stratum{{Control: tt.s, Treatment: treatment}}, Options{})
		if c.Refused == nil || c.Refused.Code != tt.code || c.Refused.Field != tt.field {
			t.Errorf("%s: %v, want %s of %s", tt.name, c.Refused, tt.code, tt.field)
		}
	}
	c := Compare([]Stratum{{Control: good, Treatment: latencies(t, 0.5, units)}}, Options{})
	if c.Refused == nil || c.Refused.Field != "treatment.nu" {
		t.Errorf("two quantiles: %v", c.Refused)
	}
}
