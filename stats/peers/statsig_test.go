package peers

import (
	"math"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// Statsig publishes formulae alone. What follows from them: τ shrinks with the
// data, so that V/τ is 2/z² for arms of one size, and the bound a constant number
// of standard errors, sqrt((1+2/z²) (2 log(2/α) + log(1+z²/2))): 3.5845 at 0.05.
func TestStatsig_BoundIsConstant(t *testing.T) {
	for _, n := range []int64{100, 10_000, 10_000_000} {
		m := func(mean float64) stats.Sample {
			return stats.Mean(stats.Moments{N: n, Mean: mean, M2: 4 * float64(n-1)})
		}
		c := Compare(Statsig, pair(m(1), m(1.01)), stats.Options{})
		if bound := (c.Band.High - c.Estimate) / c.SE; !near(bound, 3.5845, 1e-4) {
			t.Errorf("%d units: %v standard errors, want 3.5845", n, bound)
		}
		if !said(c, "constant number of standard errors") || !said(c, "half of the error") {
			t.Errorf("warnings %v", c.Warnings)
		}
	}
}

// The p-value and the interval of the sequential test agree about zero, as the
// documentation promises (sequential-testing.mdx, "p-Values").
func TestStatsig_PAgreesWithBand(t *testing.T) {
	for _, side := range []stats.Side{stats.TwoSided, stats.Greater, stats.Less} {
		for _, effect := range []float64{-0.3, -0.16, -0.1, 0, 0.1, 0.15, 0.157, 0.158, 0.16, 0.3} {
			c := Compare(Statsig, pair(mean(1000, 0, 1000), mean(1000, effect*1000, 1000+effect*effect*1000)), stats.Options{Side: side})
			if (c.BandP < 0.05) == c.Band.Contains(0) {
				t.Errorf("%s, effect %v: p %v beside %v", side, effect, c.BandP, c.Band)
			}
		}
	}
}

// Student's sleep data, as R's t.test prints them (see stats, TestCompareWelch):
// below 100 degrees of freedom Statsig's test is Welch's; many units make it z.
func TestStatsig_Fixed(t *testing.T) {
	sleep := pair(tallySample(1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4), tallySample(0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0))
	c := Compare(Statsig, sleep, stats.Options{})
	if !near(c.DF, 17.776, 5e-4) || !near(c.P, 0.07939, 5e-6) || !nearInterval(c.Fixed, stats.Interval{Low: -3.3654832, High: 0.2054832}, 1e-6) {
		t.Errorf("%+v", c)
	}
	large := Compare(Statsig, phRevenue(), stats.Options{})
	if z := large.Estimate / large.SE; large.DF != 0 || !near(large.P, math.Erfc(z/math.Sqrt2), 1e-15) {
		t.Errorf("df %v, p %v", large.DF, large.P)
	}
	lift := Compare(Statsig, phRevenue(), stats.Options{Relative: true})
	if posthog := Compare(PostHog, phRevenue(), stats.Options{Relative: true}); !near(lift.SE, posthog.SE, 1e-15) || lift.P != large.P {
		t.Errorf("lift ± %v, p %v", lift.SE, lift.P)
	}
}

func tallySample(x ...float64) stats.Sample { return stats.Mean(tallied(x).Moments(0)) }

// A control mean that cannot be told from 0 is divided by as if it were known.
func TestStatsig_UnknownControl(t *testing.T) {
	c := Compare(Statsig, pair(mean(1000, 10, 1000), mean(1000, 20, 1000)), stats.Options{Relative: true})
	if whole := Compare(Statsig, pair(mean(1000, 10, 1000), mean(1000, 20, 1000)), stats.Options{}); !near(c.SE, whole.SE/0.01, 1e-9) || !said(c, "cannot be told from 0") {
		t.Errorf("± %v beside ± %v; %v", c.SE, whole.SE, c.Warnings)
	}
}

// TestStatsig_Past: control stays as observed, treatment takes what the past of
// both explains (snippets/stats-methods/cuped.mdx).
func TestStatsig_Past(t *testing.T) {
	j := func(y, x float64) stats.Sample {
		m := stats.Joint{N: 1000, Means: []float64{y, x}, M: []float64{5 * 999, 2 * 999, 999}}
		return stats.Mean(m.Moments(0)).With(m)
	}
	c := Compare(Statsig, pair(j(10, 5), j(10.5, 5.1)), stats.Options{})
	both := j(10, 5).Joint.Merge(*j(10.5, 5.1).Joint)
	theta := both.Of(0, 1) / both.Of(1, 1)
	if !near(c.CUPED.Control, 10, 0) || !near(c.CUPED.Treatment, 10.5-theta*0.1, 1e-12) || c.Treatment.Mean != 10.5 || !near(c.SE, math.Sqrt(2*(5+theta*theta-4*theta)/1000), 1e-12) {
		t.Errorf("%+v ± %v", c.CUPED, c.SE)
	}
}

// The posterior is the documented one (bayesian.mdx): precisions add up.
func TestStatsig_Bayes(t *testing.T) {
	o := stats.Options{Relative: true, Inference: stats.Bayes, Prior: &stats.Prior{Mean: 0.1, SD: 0.2, Relative: true}}
	c := Compare(Statsig, phRevenue(), o)
	wd, wp := 1/(c.SE*c.SE), 1/0.04
	if b := c.Posterior; !near(b.Expected, (wd*c.Estimate+wp*0.1)/(wd+wp), 1e-12) || !near(b.SD, 1/math.Sqrt(wd+wp), 1e-12) {
		t.Errorf("%+v", b)
	}
	o.Relative = false
	unit := Compare(Statsig, phRevenue(), o)
	yc := unit.Control.Mean
	wd, wp = 1/(unit.SE*unit.SE), 1/(0.04*yc*yc)
	if b := unit.Posterior; !near(b.Expected, (wd*unit.Estimate+wp*0.1*yc)/(wd+wp), 1e-12) {
		t.Errorf("in the unit: %+v", b)
	}
}

func TestStatsig_Refuses(t *testing.T) {
	for _, tt := range []struct {
		strata []stats.Stratum
		o      stats.Options
		code   stats.Code
		field  string
	}{
		{pair(mean(10, 10, 10), mean(10, 10, 10)), stats.Options{}, stats.ZeroVariance, "sum"},
		{pair(stats.Proportion(1000, 0), stats.Proportion(1000, 50)), stats.Options{Relative: true}, stats.Unbounded, "control"},
		{gbRatioPast(), stats.Options{}, stats.BadInput, "covariate"},
		{phRevenue(), stats.Options{Inference: stats.GroupSequential}, stats.BadInput, "inference"},
		{pair(stats.QuantileEstimate(100, 1, 1), stats.QuantileEstimate(100, 1, 1)), stats.Options{}, stats.BadInput, "control.type"},
	} {
		c := Compare(Statsig, tt.strata, tt.o)
		if c.Refused == nil || c.Refused.Code != tt.code || c.Refused.Field != tt.field || c.P != 1 {
			t.Errorf("want %s of %s: %+v", tt.code, tt.field, c.Refused)
		}
	}
}
