package peers

import (
	"math"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// The data of PostHog/posthog products/experiments/stats/tests: control second
// there, treatment first.
func phRevenue() []stats.Stratum {
	return pair(mean(2507, 1196.87, 37377.9767), mean(2461, 1922.7, 94698.29))
}

func phRatio() []stats.Stratum {
	return pair(
		stats.RatioSample(joint(1966, []float64{94605.79858780127, 936}, []float64{10463129.505392816, 94605.79858780127, 936})),
		stats.RatioSample(joint(2034, []float64{99673.9364269569, 947}, []float64{11298745.182728939, 99673.9364269569, 947})))
}

// TestPostHog_Fixed holds test_frequentist.py, TestTwoSidedTTest, to the four
// digits that it asserts.
func TestPostHog_Fixed(t *testing.T) {
	for name, tt := range map[string]struct {
		strata      []stats.Stratum
		estimate, p float64
		fixed       stats.Interval
	}{
		"mean":       {phRevenue(), 0.63646, 0.08487, stats.Interval{Low: -0.0875, High: 1.36048}},
		"proportion": {pair(stats.Proportion(1529, 87), stats.Proportion(1471, 62)), -0.25925, 0.030960, stats.Interval{Low: -0.49475, High: -0.02376}},
		"ratio":      {phRatio(), 0.041333, 0.0032826, stats.Interval{Low: 0.01378609, High: 0.0689}},
	} {
		c := Compare(PostHog, tt.strata, stats.Options{Relative: true})
		if c.Refused != nil || !near(c.Estimate, tt.estimate, 5e-5) || !near(c.P, tt.p, 5e-5) || !nearInterval(c.Fixed, tt.fixed, 5e-5) {
			t.Errorf("%s: %v %v p %v (%v), want %v %v p %v", name, c.Estimate, c.Fixed, c.P, c.Refused, tt.estimate, tt.fixed, tt.p)
		}
	}
}

// TestPostHog_Bayes holds test_realistic_example of test_bayesian.py.
func TestPostHog_Bayes(t *testing.T) {
	c := Compare(PostHog, phRevenue(), stats.Options{Relative: true, Inference: stats.Bayes})
	if b := c.Posterior; b == nil || !near(b.Expected, 0.63646, 5e-5) || !near(b.ChanceToWin, 0.95759, 5e-5) ||
		!nearInterval(b.Credible, stats.Interval{Low: -0.0873, High: 1.36026}, 5e-5) {
		t.Errorf("%+v", b)
	}
}

// TestPostHog_Sequential holds what TestSequentialMath and
// TestSequentialTwoSidedTTest of test_frequentist.py assert: rho² as in its
// formula, an interval wider than the fixed one, and p 1 without an effect or
// with little data. Its formulae are those of gbstats, so that the same data give
// the same numbers.
func TestPostHog_Sequential(t *testing.T) {
	q := question{Options: stats.Options{Alpha: 0.05, Side: stats.TwoSided}}
	l := -2 * math.Log(0.05)
	if s := sequenceOf(5000, phUnits, q); !near(s.rho, (l+math.Log(l+1))/5000, 1e-15) {
		t.Errorf("rho² = %v", s.rho)
	}
	c := Compare(PostHog, phRevenue(), stats.Options{Relative: true})
	if !(c.Band.Low < c.Fixed.Low && c.Band.High > c.Fixed.High) {
		t.Errorf("band %v within %v", c.Band, c.Fixed)
	}
	if none := Compare(PostHog, pair(stats.Proportion(2000, 100), stats.Proportion(2000, 100)), stats.Options{}); none.BandP != 1 {
		t.Errorf("p %v without an effect", none.BandP)
	}
	gb := Compare(GBStats, phRevenue(), stats.Options{Relative: true})
	if c.Band != gb.Band || c.BandP != gb.BandP {
		t.Errorf("PostHog %v %v, gbstats %v %v", c.Band, c.BandP, gb.Band, gb.BandP)
	}
}

// TestPostHog_Past: adjusted by cuped.py, whose own tests have random data. The
// slope of both arms together is 2, so that what is left of the values 2x+e is e;
// treatment has 0.5 more.
func TestPostHog_Past(t *testing.T) {
	j := func(effect float64) stats.Sample {
		m := stats.Joint{N: 1000, Means: []float64{20 + effect, 10}, M: []float64{4*9*999 + 999, 2 * 9 * 999, 9 * 999}}
		return stats.Mean(m.Moments(0)).With(m)
	}
	c := Compare(PostHog, pair(j(0), j(0.5)), stats.Options{})
	if !near(c.Estimate, 0.5, 1e-12) || !near(c.SE, math.Sqrt(2*1.0/1000), 1e-12) {
		t.Errorf("%v ± %v, want 0.5 ± %v", c.Estimate, c.SE, math.Sqrt(0.002))
	}
	lift := Compare(PostHog, pair(j(0), j(0.5)), stats.Options{Relative: true})
	if !near(lift.Estimate, 0.5/20, 1e-12) || !said(lift, "taken for observed") {
		t.Errorf("lift %v, %v", lift.Estimate, lift.Warnings)
	}
}

// TestPostHog_Refuses holds the errors that PostHog raises, each with its field.
func TestPostHog_Refuses(t *testing.T) {
	zero := pair(stats.Proportion(10000, 0), stats.Proportion(10000, 500))
	rare := pair(stats.Proportion(1000, 3), stats.Proportion(1000, 50))
	for _, tt := range []struct {
		strata []stats.Stratum
		o      stats.Options
		code   stats.Code
		field  string
	}{
		{zero, stats.Options{Relative: true}, stats.Unbounded, "control"},
		{pair(mean(4, 4, 5), mean(100, 100, 200)), stats.Options{}, stats.TooFewUnits, "n"},
		{pair(mean(10, 10, 10), mean(10, 10, 10)), stats.Options{}, stats.ZeroVariance, "sum"},
		{rare, stats.Options{Inference: stats.Bayes}, stats.TooFewUnits, "sum"},
		{phRevenue(), stats.Options{Side: stats.Less}, stats.BadInput, "side"},
		{gbRatioPast(), stats.Options{}, stats.BadInput, "covariate"},
		{pair(stats.QuantileEstimate(100, 1, 1), stats.QuantileEstimate(100, 1, 1)), stats.Options{}, stats.BadInput, "control.type"},
	} {
		c := Compare(PostHog, tt.strata, tt.o)
		if c.Refused == nil || c.Refused.Code != tt.code || c.Refused.Field != tt.field || c.P != 1 || c.Fixed != stats.Open() {
			t.Errorf("want %s of %s: %+v", tt.code, tt.field, c.Refused)
		}
	}
	below := pair(mean(1000, -10000, 104000), mean(1000, -5000, 29000))
	if c := Compare(PostHog, below, stats.Options{Relative: true}); !(c.Estimate < 0) || !said(c, "told as a decrease") {
		t.Errorf("a control mean below 0: %v %v", c.Estimate, c.Warnings)
	}
}
