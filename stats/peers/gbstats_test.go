package peers

import (
	"math"
	"slices"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// Revenue as in gbstats' tests/frequentist/test_tests.py.
func gbRevenue(n int64) []stats.Stratum {
	return pair(mean(n, 1396.87, 52377.9767), mean(3461, 2422.7, 134698.29))
}

// TestGBStats_Fixed holds the expected results of
// growthbook/growthbook packages/stats/tests/frequentist/test_tests.py: classes
// TestTwoSidedTTest, TestOneSidedGreaterTTest and TestOneSidedLesserTTest.
func TestGBStats_Fixed(t *testing.T) {
	for name, tt := range map[string]struct {
		strata          []stats.Stratum
		o               stats.Options
		estimate, se, p float64
		fixed           stats.Interval
	}{
		"two-sided":          {gbRevenue(3407), stats.Options{Relative: true}, 0.70732, 0.37879, 0.06191, stats.Interval{Low: -0.03526, High: 1.44989}},
		"two-sided absolute": {gbRevenue(3407), stats.Options{}, 0.29, 0.12478, 0.02016, stats.Interval{Low: 0.04538, High: 0.53462}},
		"binomial":           {pair(stats.Proportion(28, 14), stats.Proportion(30, 16)), stats.Options{Relative: true}, 0.06667, 0.2717, 0.80707, stats.Interval{Low: -0.47767, High: 0.61101}},
		"ratio with a past":  {gbRatioPast(), stats.Options{Relative: true}, -0.0007, 0.00391, 0.85771, stats.Interval{Low: -0.00841, High: 0.00700}},
		"greater":            {gbRevenue(3000), stats.Options{Relative: true, Side: stats.Greater}, 0.5033610858562358, 0.3334122146400735, 0.06558262868467746, stats.Interval{Low: -0.045136675850396046, High: inf}},
		"greater absolute":   {gbRevenue(3000), stats.Options{Side: stats.Greater}, 0.23437666666666668, 0.12983081254184736, 0.03554272489873023, stats.Interval{Low: 0.020791480063255735, High: inf}},
		"less":               {gbRevenue(3000), stats.Options{Relative: true, Side: stats.Less}, 0.5033610858562358, 0.3334122146400735, 0.9344173713153225, stats.Interval{Low: -inf, High: 1.0518588475628676}},
		"less absolute":      {gbRevenue(3000), stats.Options{Side: stats.Less}, 0.23437666666666668, 0.12983081254184736, 0.9644572751012698, stats.Interval{Low: -inf, High: 0.44796185327007765}},
	} {
		c := Compare(GBStats, tt.strata, tt.o)
		if c.Refused != nil {
			t.Errorf("%s: %v", name, c.Refused)
			continue
		}
		if !near(c.Estimate, tt.estimate, 6e-6) || !near(c.SE, tt.se, 6e-6) {
			t.Errorf("%s: %v ± %v, want %v ± %v", name, c.Estimate, c.SE, tt.estimate, tt.se)
		}
		if !near(c.P, tt.p, 6e-6) || !nearInterval(c.Fixed, tt.fixed, 6e-6) {
			t.Errorf("%s: p %v, %v, want %v, %v", name, c.P, c.Fixed, tt.p, tt.fixed)
		}
	}
}

// TestGBStats_Sequential holds those of classes TestSequentialTTest,
// TestSequentialOneSidedGreaterTTest and …LesserTTest of the same file.
func TestGBStats_Sequential(t *testing.T) {
	past := func(s stats.Sample, n int64, sum, squares, pre, preSquares float64) stats.Sample {
		return s.With(joint(n, []float64{sum, pre}, []float64{squares, 1, preSquares}))
	}
	pasts := pair(past(mean(3000, 1396.87, 52377.9767), 3000, 1396.87, 52377.9767, 16.87, 527.9767),
		past(mean(3461, 2422.7, 134698.29), 3461, 2422.7, 134698.29, 22.7, 1348.29))
	for name, tt := range map[string]struct {
		strata          []stats.Stratum
		o               stats.Options
		estimate, se, p float64
		band            stats.Interval
	}{
		"tuned to 1,000":    {gbRevenue(3000), stats.Options{Relative: true, Units: 1000}, 0.50336, 0.33341, 1, stats.Interval{Low: -0.55844, High: 1.56516}},
		"proportions":       {pair(stats.Proportion(3000, 1396), stats.Proportion(3461, 2422)), stats.Options{Relative: true}, 0.50386, 0.03386, 0, stats.Interval{Low: 0.40098, High: 0.60675}},
		"with a past":       {pasts, stats.Options{Relative: true}, 0.50338, 0.33341, 1, stats.Interval{Low: -0.50969, High: 1.51646}},
		"ratio with a past": {gbRatioPast(), stats.Options{Relative: true}, -0.0007, 0.00391, 1, stats.Interval{Low: -0.02063, High: 0.01923}},
		"greater":           {gbRevenue(3000), stats.Options{Relative: true, Side: stats.Greater}, 0.50336, 0.33341, 0.4999, stats.Interval{Low: -0.42356454602790883, High: inf}},
		"greater absolute":  {gbRevenue(3000), stats.Options{Side: stats.Greater}, 0.23438, 0.12983, 0.46316491943359384, stats.Interval{Low: -0.12656844172804982, High: inf}},
		"less":              {gbRevenue(3000), stats.Options{Relative: true, Side: stats.Less}, 0.50336, 0.33341, 0.4999, stats.Interval{Low: -inf, High: 1.4302867177403806}},
		"less absolute":     {gbRevenue(3000), stats.Options{Side: stats.Less}, 0.23438, 0.12983, 0.4999, stats.Interval{Low: -inf, High: 0.5953217750613832}},
	} {
		c := Compare(GBStats, tt.strata, tt.o)
		if c.Refused != nil {
			t.Errorf("%s: %v", name, c.Refused)
			continue
		}
		if !near(c.Estimate, tt.estimate, 6e-6) || !near(c.SE, tt.se, 6e-6) || !near(c.BandP, tt.p, 6e-6) || !nearInterval(c.Band, tt.band, 6e-6) {
			t.Errorf("%s: %v ± %v, p %v, %v, want %v ± %v, %v, %v", name, c.Estimate, c.SE, c.BandP, c.Band, tt.estimate, tt.se, tt.p, tt.band)
		}
	}
}

// TestGBStats_Bayes holds those of packages/stats/tests/bayesian/test_tests.py:
// TestBinom, TestNorm and TestEffectBayesianABTest, whose quantiles are of 11,054
// and 10,861 events.
func TestGBStats_Bayes(t *testing.T) {
	norm := pair(mean(10, 100, 1002.25), mean(10, 105, 1111.5))
	quantiles := pair(
		stats.QuantileEstimate(11054, 7.157987489967789, (7.217194843758751-7.098780136176828)/(2*gbZ)),
		stats.QuantileEstimate(10861, 7.694499927525767, (7.747193868770344-7.64180598628119)/(2*gbZ)))
	prior := func(variance float64) *stats.Prior { return &stats.Prior{SD: math.Sqrt(variance), Relative: true} }
	for name, tt := range map[string]struct {
		strata             []stats.Stratum
		o                  stats.Options
		expected, win      float64 // win of 0 is not asserted
		control, treatment float64
		credible           stats.Interval
		by                 float64
	}{
		"proportions":   {pair(stats.Proportion(100, 49), stats.Proportion(100, 51)), stats.Options{Relative: true}, 0.04082, 0.60918, 0.0814, 0.04058, stats.Interval{Low: -0.24779, High: 0.32943}, 6e-6},
		"means":         {norm, stats.Options{Relative: true}, 0.05, 0.91923, 0.05131, 0.00131, stats.Interval{Low: -0.02, High: 0.12}, 6e-6},
		"with a prior":  {norm, stats.Options{Relative: true, Prior: &stats.Prior{Mean: 0.1, SD: math.Sqrt(0.1), Relative: true}}, 0.05063, 0.92315, 0.05186, 0.00123, stats.Interval{Low: -0.01893, High: 0.12019}, 6e-6},
		"quantile":      {quantiles, stats.Options{}, 0.5365124375579775, 0, 0, 0, stats.Interval{Low: 0.4572559589115422, High: 0.6157689162044128}, 1e-12},
		"vague":         {quantiles, stats.Options{Prior: prior(1e6)}, 0.536512437540855, 0, 0, 0, stats.Interval{Low: 0.4572559588956844, High: 0.6157689161860256}, 1e-12},
		"vague lift":    {quantiles, stats.Options{Relative: true, Prior: prior(1e6)}, 0.07495297222736319, 0, 0, 0, stats.Interval{Low: 0.06341005842481906, High: 0.08649588602990732}, 1e-12},
		"informed":      {quantiles, stats.Options{Prior: prior(1)}, 0.536495315442269, 0, 0, 0, stats.Interval{Low: 0.4572401014910488, High: 0.6157505293934892}, 1e-12},
		"informed lift": {quantiles, stats.Options{Relative: true, Prior: prior(1)}, 0.07495037261804469, 0, 0, 0, stats.Interval{Low: 0.06340765898986044, High: 0.08649308624622894}, 1e-12},
	} {
		tt.o.Inference = stats.Bayes
		c := Compare(GBStats, tt.strata, tt.o)
		if c.Posterior == nil {
			t.Errorf("%s: %+v", name, c)
			continue
		}
		b := *c.Posterior
		if !near(b.Expected, tt.expected, tt.by) || !nearInterval(b.Credible, tt.credible, tt.by) {
			t.Errorf("%s: %v %v, want %v %v", name, b.Expected, b.Credible, tt.expected, tt.credible)
		}
		if tt.win != 0 && (!near(b.ChanceToWin, tt.win, tt.by) || !near(b.RiskControl, tt.control, tt.by) || !near(b.RiskTreatment, tt.treatment, tt.by)) {
			t.Errorf("%s: %+v, want chance %v, risks %v and %v", name, b, tt.win, tt.control, tt.treatment)
		}
	}
}

// The case test_two_sided_ttest_test_runs_ratio_ra.
func gbRatioPast() []stats.Stratum {
	return pair(
		stats.RatioSample(joint(100, []float64{485.112236689623, 679.9093275844917, 192.59138069991536, 290.1398399750233},
			[]float64{2715.484666118136, 3602.146836776702, 1113.6215759318352, 1559.2878434944676,
				4939.424001640236, 1460.3181079276983, 2130.9404074446747,
				460.076026390857, 634.239482353647, 920.9461385038898})),
		stats.RatioSample(joint(100, []float64{514.7757826608777, 705.4090874383759, 206.94157227402536, 302.54389139107326},
			[]float64{2994.897482705013, 3918.1561431600717, 1237.0953021125997, 1701.0287270040265,
				5291.36604146392, 1604.0759503266522, 2292.081739775257,
				514.2903702246757, 698.4173425817908, 994.4506208125663})))
}

// TestGBStats_RatioPastBelowZero holds the golden standard errors of
// packages/stats/tests/test_shared_models.py, class
// TestEffectMomentsCupedRatioNegativeBaseline, where theta is given as 0.5: a
// metric that changes its sign changes that of its lift alone.
func TestGBStats_RatioPastBelowZero(t *testing.T) {
	for _, tt := range []struct {
		treated  []float64
		lift, se float64
	}{
		{[]float64{17, 12, 23, 28, 12, 22, 29, 16}, 0.1039280, 0.0286196},
		{[]float64{14, 9, 17, 23, 9, 18, 22, 13}, -0.1372068, 0.0223934},
	} {
		for _, sign := range []float64{1, -1} {
			signed := func(x ...float64) []float64 {
				for i := range x {
					x[i] *= sign
				}
				return x
			}
			control := stats.RatioSample(tallied(signed(12, 19, 16, 24, 21, 9, 14, 26), []float64{1, 2, 1.5, 2.5, 2, 1, 1.5, 2.5},
				signed(16, 11, 21, 19, 26, 11, 9, 21), []float64{1.5, 1, 2, 2, 2.5, 1, 1, 2}))
			treatment := stats.RatioSample(tallied(signed(slices.Clone(tt.treated)...), []float64{1.5, 1, 2, 2.5, 1, 2, 2.5, 1.5},
				signed(11, 17, 22, 27, 10, 27, 21, 16), []float64{1, 1.5, 2, 2.5, 1, 2.5, 2, 1.5}))
			c, tr := adjustedRatio(control, 0.5), adjustedRatio(treatment, 0.5)
			lift := (tr.mean - c.mean) / math.Abs(c.plain)
			se := math.Sqrt(relativeRatioVariance(control, treatment, 0.5, tr.mean-c.mean))
			if !near(lift, sign*tt.lift, 5e-8) || !near(se, tt.se, 5e-8) {
				t.Errorf("sign %v: %v ± %v, want %v ± %v", sign, lift, se, sign*tt.lift, tt.se)
			}
		}
	}
}
