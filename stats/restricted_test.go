package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The likeliest proportions under a hypothesis, where they can be had otherwise:
// the slope of the likelihood is zero there.
func TestRestricted(t *testing.T) {
	for _, c := range []counts{
		{xc: 2, nc: 4, xt: 1, nt: 4}, {xc: 149, nc: 14850, xt: 0, nt: 150}, {xc: 0, nc: 1000, xt: 7, nt: 9000},
		{xc: 1, nc: 1e9, xt: 3, nt: 2e9}, {xc: 999_999, nc: 1e6, xt: 5e5, nt: 1e6}, {xc: 10, nc: 10, xt: 1, nt: 10},
	} {
		for _, x := range []float64{-0.9, -0.5, -1e-6, 0, 1e-6, 0.25, 0.9} {
			p, q := c.inRatio(1+x), (1+x)*c.inRatio(1+x)
			if slope := (c.xc-c.nc*p)*(1-q) + (c.xt-c.nt*q)*(1-p); math.Abs(slope) > 1e-9*(c.nc+c.nt) || p < 0 || q > 1+1e-12 {
				t.Errorf("%+v: treated is %v of control: %v and %v, slope %v", c, 1+x, p, q, slope)
			}
			p = c.apart(x)
			q = p + x
			inside := min(p, q) > 1e-300 && max(p, q) < 1
			if slope := (c.xc-c.nc*p)*q*(1-q) + (c.xt-c.nt*q)*p*(1-p); inside && math.Abs(slope) > 1e-9*(c.nc+c.nt) || min(p, q) < -1e-15 || max(p, q) > 1+1e-15 {
				t.Errorf("%+v: treated exceeds control by %v: %v and %v, slope %v", c, x, p, q, slope)
			}
		}
	}
}

// The interval of one look is that of Miettinen & Nurminen.
//
// Newcombe 1998, Statistics in Medicine 17:873, table II, Miettinen & Nurminen:
// 56/70 against 48/80 is 0.2, [0.0528, 0.3382].
func TestScoreInterval(t *testing.T) {
	strata := arms(80, 48, 70, 56)
	f := Frozen{Variance: 0.2, ControlMean: 0.6}
	j := Guardrail{Margin: 0.1, Absolute: true}.Judge(strata, f)
	if want := (Interval{0.0528, 0.3382}); !near(j.Fixed.Low, want.Low, 5e-5) || !near(j.Fixed.High, want.High, 5e-5) || !near(j.Estimate, 0.2, 1e-12) {
		t.Errorf("%v in %v, want 0.2 in %v", j.Estimate, j.Fixed, want)
	}
}

// Half of the conversions of 1 % are gone, just as the margin tolerates, and 1
// to 10 % of the units are treated. Divided by the noise of the few outcomes
// that they have, chance was called a breach in one rollout of seven.
func TestRareOutcomesOnARamp(t *testing.T) {
	const seed, runs, each, every = 5, 200, 10_000, 200
	g := Guardrail{Margin: 0.5, Direction: Increase}
	breached, safe, left := 0, 0, 0
	for i := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, i))
		var strata []Stratum
		var f Frozen
		b, s, l, ready := false, false, false, false
		for _, share := range []float64{0.01, 0.05, 0.1} {
			now := arms(0, 0, 0, 0)[0]
			for range each / every {
				n := binomial(r, every, share)
				now.Treatment = now.Treatment.Merge(Proportion(n, binomial(r, n, 0.005)))
				now.Control = now.Control.Merge(Proportion(every-n, binomial(r, every-n, 0.01)))
				so := append(strata, now)
				if !ready {
					f, ready = Freeze(so)
				}
				j := g.Judge(so, f)
				b, s, l = b || j.Breached, s || j.Safe, l || !j.Band.Contains(-0.5)
			}
			strata = append(strata, now)
		}
		breached, safe, left = breached+count(b), safe+count(s), left+count(l)
	}
	t.Logf("seed %d: %d of %d breached, %d safe, %d bands leave the truth", seed, breached, runs, safe, left)
	if most := tolerable(0.05, runs) * runs; float64(max(breached, safe, left)) > most {
		t.Errorf("%d of %d breached, %d safe, %d bands leave the truth, want at most %v each", breached, runs, safe, left, most)
	}
}

// None of the treated units has an outcome: there is an estimate, it has an
// error, and what it leaves is what its tests leave.
func TestNoneTreated(t *testing.T) {
	strata := arms(10_000, 300, 300, 0)
	j := Guardrail{Margin: 0.5}.Judge(strata, frozen(t, strata))
	if j.Estimate != -1 || !(j.SE > 0) || !finite(j.Fixed.High) || !finite(j.Bounds.High) || j.Breached != (j.Bounds.High <= -0.5) {
		t.Errorf("%v ± %v, %v, bounds %v, breached %v", j.Estimate, j.SE, j.Fixed, j.Bounds, j.Breached)
	}
	f := frozen(t, strata)
	l := Limit{Value: 0.02, Direction: Increase, Detect: 0.015}.Judge(strata, f)
	if want := 300 * 0.02 * 0.98 / (f.Variance * f.Variance); !near(l.Clock, want, 1e-9*want) || !(l.SE > 0) || l.Breached != (l.Bounds.High <= 0.02) || !l.Bounds.Contains(0) || !finite(l.Bounds.High) {
		t.Errorf("a limit of 2 %%: %+v, want the clock %v", l, want)
	}
}
