package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// tunedForWidth returns the g of n units whose interval is narrowest then, as
// avlm's optimal_g does: r is g/(g+n).
func tunedForWidth(n, df, alpha float64) student {
	radius := func(g float64) float64 { return student{R: g / (g + n), DF: df}.radiusTwo(alpha) }
	best := 1.0
	for g := 1.0; g < n; g += 1e-3 {
		if radius(g) < radius(best) {
			best = g
		}
	}
	return student{R: best / (best + n), DF: df}
}

// The summary of a linear model of 100 units with 8 coefficients that the
// README of avlm prints (github.com/michaellindon/avlm): p-values of ordinary
// and of HC0 errors, and the intervals of the ordinary ones.
func TestStudentPublished(t *testing.T) {
	s := tunedForWidth(100, 92, 0.05)
	for _, tt := range []struct{ statistic, p float64 }{
		{5.776, 9.77e-06}, {8.190, 8.07e-10}, {10.769, 3.19e-14}, {9.527, 3.98e-12}, {-0.706, 1},
		{6.015, 4.00e-06}, {9.862, 1.07e-12}, {11.439, 2.54e-15}, {10.893, 1.99e-14},
	} {
		got := math.Min(1, math.Exp(-s.logTwo(tt.statistic)))
		if math.Abs(got/tt.p-1) > 0.011 { // of three digits of t, and as many of p
			t.Errorf("t = %v: p = %.4g, want %v", tt.statistic, got, tt.p)
		}
	}
	for _, tt := range []struct{ estimate, se, low, high float64 }{
		{0.91630, 0.15864, 0.4238730, 1.4087195},
		{-0.12768, 0.18087, -0.6890957, 0.4337358},
		{1.30556, 0.15941, 0.8107460, 1.8003705},
		{2.32245, 0.21566, 1.6530529, 2.9918408},
	} {
		half := tt.se * s.radiusTwo(0.05)
		if !near(tt.estimate-half, tt.low, 5e-5) || !near(tt.estimate+half, tt.high, 5e-5) {
			t.Errorf("%v ± %v, want %v to %v", tt.estimate, half, tt.low, tt.high)
		}
	}
}

// With many degrees of freedom the process is that of a known variance, and a
// bound is where the e-value is 1/alpha.
func TestStudentBecomesNormal(t *testing.T) {
	p := tuned(100, 0.1)
	for _, df := range []float64{5e6, 5e7} {
		for _, z := range []float64{-12, -3, -0.1, 0, 1, 3, 8} {
			s := p.at(250, df)
			score := z * math.Sqrt(250)
			if got, want := s.logTwo(z), p.logTwo(score, 250); !near(got, want, 1e-3*(1+math.Abs(want))) {
				t.Errorf("df %v, z %v: two-sided %v, want %v", df, z, got, want)
			}
			if got, want := s.logOne(z), p.logOne(score, 250); !near(got, want, 1e-3*(1+math.Abs(want))) {
				t.Errorf("df %v, z %v: one-sided %v, want %v", df, z, got, want)
			}
		}
	}
}

func TestStudentRadius(t *testing.T) {
	for _, df := range []float64{1, 2, 8, 98, 1e4, 1e8} {
		for _, share := range []float64{1e-3, 0.1, 0.6} {
			s := student{R: share, DF: df}
			two, one := s.radiusTwo(0.05), s.radiusOne(0.05)
			if !math.IsInf(two, 1) && !near(s.logTwo(two), -math.Log(0.05), 1e-8) {
				t.Errorf("%+v: e-value %v at %v", s, s.logTwo(two), two)
			}
			if !math.IsInf(one, 1) && !near(s.logOne(one), -math.Log(0.05), 1e-8) {
				t.Errorf("%+v: one-sided e-value %v at %v", s, s.logOne(one), one)
			}
			if math.IsInf(two, 1) && s.logTwo(1e12) >= -math.Log(0.05) {
				t.Errorf("%+v: the radius is infinite, and 1e12 is beyond it", s)
			}
		}
	}
}

// The t version keeps its error from the fourth unit on, where the process of
// a known variance, told the estimated one, loses it.
func TestStudentFewUnits(t *testing.T) {
	const seed, runs, units, alpha = 31, 4000, 120, 0.05
	p := tuned(60, 2*alpha) // 60 units, and a variance of 1
	exact, coarse := 0, 0
	for i := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, i))
		var a, b Moments
		alarm, early := false, false
		for range units {
			a, b = a.Merge(Moments{N: 1, Mean: r.NormFloat64()}), b.Merge(Moments{N: 1, Mean: r.NormFloat64()})
			if a.N < 2 {
				continue
			}
			df := float64(2*a.N - 2)
			v := (a.M2 + b.M2) / df * 2 / float64(a.N)
			statistic := (b.Mean - a.Mean) / math.Sqrt(v)
			alarm = alarm || p.at(float64(a.N)/2, df).logOne(statistic) >= -math.Log(alpha)
			early = early || p.logOne((b.Mean-a.Mean)/v, 1/v) >= -math.Log(alpha)
		}
		exact, coarse = exact+count(alarm), coarse+count(early)
	}
	got, plain := float64(exact)/runs, float64(coarse)/runs
	t.Logf("seed %d: false alarms of the t version %.4f, of a known variance %.4f", seed, got, plain)
	if got > tolerable(alpha, runs) || plain < 2*got {
		t.Errorf("false alarms %v, want at most %v, and more than twice as many with a known variance: %v", got, alpha, plain)
	}
}

// A t statistic and its z statistic are as unlikely.
func TestNormalized(t *testing.T) {
	for _, tt := range []struct{ t, df, want float64 }{
		{2.085963, 20, 1.959964}, // the 97.5 % quantiles
		{-1.812461, 10, -1.644854},
		{3, 0, 3},
		{3, 1e9, 3},
	} {
		if got := normalized(tt.t, tt.df); !near(got, tt.want, 1e-5) {
			t.Errorf("t %v of %v: z %v, want %v", tt.t, tt.df, got, tt.want)
		}
	}
	if near, far := normalized(-100, 200), normalized(-500, 200); !(far < near && near < -20) || math.IsInf(far, 0) {
		t.Errorf("far out: %v and %v", near, far)
	}
}
