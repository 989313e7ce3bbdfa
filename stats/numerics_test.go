package stats

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mathext"
)

// Tail probabilities of the normal: P(Z > 9) = 1.1286e-19 (Abramowitz & Stegun,
// table 26.2), where 1−Erf gives 0.
func TestSurvival(t *testing.T) {
	for _, tt := range []struct{ x, want float64 }{{0, 0.5}, {1.96, 0.024997895148220435}, {7, 1.279812543885835e-12}, {9, 1.1285884059538408e-19}} {
		if got := survival(tt.x); math.Abs(got/tt.want-1) > 1e-12 {
			t.Errorf("survival(%v) = %v, want %v", tt.x, got, tt.want)
		}
	}
}

// log P(Z <= −40) = −804.608442 (R: pnorm(-40, log.p = TRUE)), and the two
// branches meet.
func TestLogNormal(t *testing.T) {
	if got := logNormal(-40); math.Abs(got+804.608442013754) > 1e-8 {
		t.Errorf("logNormal(-40) = %v, want -804.608442", got)
	}
	for _, x := range []float64{-35, 5} {
		below, above := logNormal(math.Nextafter(x, -50)), logNormal(math.Nextafter(x, 50))
		if math.Abs(below-above) > 1e-9*math.Max(1, math.Abs(below)) {
			t.Errorf("logNormal jumps at %v from %v to %v", x, below, above)
		}
	}
	if got := logNormal(-1e6); math.Abs(got/-5e11-1) > 1e-9 {
		t.Errorf("logNormal(-1e6) = %v, want about -5e11", got)
	}
}

func TestLogBetaBelow(t *testing.T) {
	for _, a := range []float64{0.02, 1, 3.5, 200} {
		for _, b := range []float64{0.5, 2, 77} {
			for _, x := range []float64{0.01, 0.3, 0.5, 0.9} {
				want := math.Log(mathext.RegIncBeta(a, b, x))
				if got := logBetaBelow(x, a, b); math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
					t.Errorf("log I_%v(%v, %v) = %v, want %v", x, a, b, got, want)
				}
			}
		}
	}
	// I_x(a,1) = x^a, far below the smallest float.
	if got, want := logBetaBelow(0.1, 1000, 1), 1000*math.Log(0.1); math.Abs(got/want-1) > 1e-12 {
		t.Errorf("log I_0.1(1000, 1) = %v, want %v", got, want)
	}
	if logBetaBelow(0, 2, 3) != math.Inf(-1) || logBetaBelow(1, 2, 3) != 0 {
		t.Error("the ends of the range are certain")
	}
}

// The identity of [WSR]: the same process in units and in information has N rho²
// = I/r, so both forms of the confidence sequence have one radius.
func TestInformationTimeIsUnitTime(t *testing.T) {
	const alpha, tuneAt, n, se = 0.05, 5000.0, 12345.0, 0.0026
	l := -2 * math.Log(alpha)
	rho2 := (l + math.Log(1+l)) / tuneAt
	inUnits := se * math.Sqrt(n) * math.Sqrt(2*(n*rho2+1)/(n*n*rho2)*math.Log(math.Sqrt(n*rho2+1)/alpha))
	i := 1 / (se * se)
	p := tuned(i/n*tuneAt, alpha)
	if got := i / p.R; math.Abs(got/(n*rho2)-1) > 1e-12 {
		t.Errorf("I/r = %v, want N rho² = %v", got, n*rho2)
	}
	if got := p.radiusTwo(i, alpha) / i; math.Abs(got/inUnits-1) > 1e-12 {
		t.Errorf("half-width = %v, want %v", got, inUnits)
	}
}

// confseq, test/uniform_boundaries_unittest.cpp: normal mixtures tuned to v = 100
// at 5 %, their log e-value at s = 10 and the s of their bound.
func TestNormalMixturePublished(t *testing.T) {
	two, one := tuned(100, 0.05), tuned(100, 2*0.05)
	for name, tt := range map[string]struct{ got, want float64 }{
		"mixing information": {two.R, 12.60056},
		"two-sided":          {two.logTwo(10, 100), -0.6510052},
		"two-sided bound":    {two.radiusTwo(100, 0.05), 30.35209},
		"one-sided":          {one.logOne(10, 100), -0.06502391},
		"one-sided bound":    {one.radiusOne(100, 0.05), 27.66071},
	} {
		if !near(tt.got, tt.want, 1e-5) {
			t.Errorf("%s: %v, want %v", name, tt.got, tt.want)
		}
	}
}

// A bound is where its e-value is 1/alpha, and the exact one-sided radius is a
// little below the closed form of [WSR, eq. 134].
func TestRadiusIsWhereTheEvidenceIs(t *testing.T) {
	for _, alpha := range []float64{0.001, 0.05, 0.2} {
		for _, i := range []float64{1e-3, 1, 50, 1e6} {
			p := tuned(100, 2*alpha)
			want := -math.Log(alpha)
			if got := p.logOne(p.radiusOne(i, alpha), i); math.Abs(got-want) > 1e-9 {
				t.Errorf("one-sided at %v, %v: log e %v, want %v", alpha, i, got, want)
			}
			if got := p.logTwo(p.radiusTwo(i, alpha), i); math.Abs(got-want) > 1e-9 {
				t.Errorf("two-sided at %v, %v: log e %v, want %v", alpha, i, got, want)
			}
			closed := math.Sqrt(2 * (i + p.R) * math.Log(1+math.Sqrt((i+p.R)/p.R)/(2*alpha)))
			if got := p.radiusOne(i, alpha); got > closed || got < 0.85*closed {
				t.Errorf("one-sided radius %v at %v, %v, closed form %v", got, alpha, i, closed)
			}
		}
	}
}

func TestRoot(t *testing.T) {
	for name, f := range map[string]func(float64) float64{
		"line":   func(x float64) float64 { return x - 3 },
		"square": func(x float64) float64 { return x*x - 9 },
		"steep":  func(x float64) float64 { return math.Exp(5*x) - math.Exp(15) },
		"flat":   func(x float64) float64 { return math.Atan(x - 3) },
	} {
		calls := 0
		got := root(0, 8, func(x float64) float64 { calls++; return f(x) })
		if math.Abs(got-3) > 1e-9 || calls > 60 {
			t.Errorf("%s: %v after %d calls, want 3", name, got, calls)
		}
	}
}
