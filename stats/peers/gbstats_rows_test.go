package peers

import (
	"math"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// TestGBStats_Rows holds what packages/stats/tests/test_gbstats.py expects of
// its tables of sums: MULTI_DIMENSION_STATISTICS_DF (fixed and tuned to 600
// units), RA_STATISTICS_DF as means and as proportions, RATIO_RA_STATISTICS_DF.
func TestGBStats_Rows(t *testing.T) {
	orders := pair(mean(100, 270, 848.79), mean(120, 300, 869))
	past := pair(
		mean(3001, 300, 600).With(joint(3001, []float64{300, 210}, []float64{600, -20, 415})),
		mean(3000, 222, 555).With(joint(3000, []float64{222, 120}, []float64{555, -10, 405})))
	binomial := pair(
		stats.Proportion(3001, 300).With(joint(3001, []float64{300, 210}, []float64{300, -20, 210})),
		stats.Proportion(3000, 222).With(joint(3000, []float64{222, 120}, []float64{222, -10, 120})))
	for name, tt := range map[string]struct {
		strata      []stats.Stratum
		estimate, p float64
	}{
		"means":                   {orders, -0.074074074, 0.145219005},
		"means with a past":       {past, -0.281707154, 0.003732549},
		"proportions with a past": {binomial, -0.31620216, 0.000000353},
		"ratios with a past":      {gbRatioPast(), -0.000701483, 0.857710405},
	} {
		c := Compare(GBStats, tt.strata, stats.Options{Relative: true})
		if c.Refused != nil || !near(c.Estimate, tt.estimate, 6e-10) || !near(c.P, tt.p, 6e-10) {
			t.Errorf("%s: %v p %v (%v), want %v p %v", name, c.Estimate, c.P, c.Refused, tt.estimate, tt.p)
		}
	}
	c := Compare(GBStats, orders, stats.Options{Relative: true, Units: 600})
	if !near(c.BandP, 0.892332229, 6e-10) || !near(c.Band.Low, -0.233322085, 6e-10) {
		t.Errorf("tuned to 600: p %v, %v", c.BandP, c.Band)
	}
}

// TestGBStats_ImpossibleRatio holds RATIO_STATISTICS_DF of the same file, whose
// sums of squares no values can have: its numbers come out of the formula, while
// a comparison refuses the data.
func TestGBStats_ImpossibleRatio(t *testing.T) {
	control := stats.RatioSample(joint(100, []float64{270, 510}, []float64{848.79, -900, 810}))
	treatment := stats.RatioSample(joint(120, []float64{300, 500}, []float64{869, -905, 800}))
	q := question{Options: stats.Options{Relative: true, Alpha: 0.05, Side: stats.TwoSided}}
	d, r := q.gbArms(plainly(control), plainly(treatment))
	if r != nil {
		t.Fatal(r)
	}
	d.df = d.welch()
	c := d.comparison(q, gbMethod)
	believe(&c, q, nil)
	if !near(c.Estimate, 0.133333333, 6e-10) || !near(c.P, 0.610663339, 6e-10) {
		t.Errorf("%v p %v, want 0.133333333 p 0.610663339", c.Estimate, c.P)
	}
	if b := c.Posterior; !near(b.ChanceToWin, 0.694926359, 6e-10) || !near(b.RiskTreatment, 0.050934045, 6e-10) {
		t.Errorf("posterior %+v", b)
	}
	if refused := Compare(GBStats, pair(control, treatment), q.Options).Refused; refused == nil || refused.Code != stats.BadInput {
		t.Errorf("impossible data: %+v", refused)
	}
}

// TestGBStats_SeesNoNewFailure: 0 failures in 10,000 against 5, 20 and 500 are no
// evidence to gbstats, whatever it is asked (ZERO_NEGATIVE_VARIANCE, p 1).
func TestGBStats_SeesNoNewFailure(t *testing.T) {
	for _, failures := range []int64{5, 20, 500} {
		for _, o := range []stats.Options{{}, {Relative: true}, {Side: stats.Greater}, {Inference: stats.AlwaysValid}, {Inference: stats.Bayes}} {
			c := Compare(GBStats, pair(stats.Proportion(10000, 0), stats.Proportion(10000, failures)), o)
			if c.Refused == nil || c.Refused.Code != stats.ZeroVariance || c.P != 1 || c.BandP != 1 {
				t.Errorf("%d failures, %+v: %+v", failures, o, c)
			}
		}
	}
}

func TestGBStats_Refuses(t *testing.T) {
	q := stats.QuantileEstimate(1000, 5, 0.1)
	few := stats.Distribution{Nu: 0.99, Scale: 1, Estimate: 3, Events: 200, Units: 200, Buckets: []stats.Bucket{{I: 1, N: 150}, {I: 3, N: 50}}}
	each := stats.Joint{N: 200, Means: []float64{0.75, 1}, M: []float64{37.5, 0, 0}}
	for name, tt := range map[string]struct {
		strata []stats.Stratum
		o      stats.Options
		code   stats.Code
		field  string
	}{
		"no variance":       {pair(mean(10, 10, 10), mean(10, 12, 20)), stats.Options{}, stats.ZeroVariance, "control"},
		"none in treatment": {pair(mean(10, 12, 20), mean(10, 10, 10)), stats.Options{}, stats.ZeroVariance, "treatment"},
		"baseline 0":        {pair(mean(10, 0, 10), mean(10, 1, 10)), stats.Options{}, stats.Unbounded, "control"},
		"strata of 0":       {append(pair(mean(21, 0, 10), mean(42, 0, 10)), pair(mean(65, 0, 10), mean(75, 0, 10))...), stats.Options{}, stats.Unbounded, "control"},
		"quantile strata":   {append(pair(q, q), pair(q, q)...), stats.Options{}, stats.BadInput, "strata"},
		"extreme quantile":  {pair(stats.QuantileSample(few, each), stats.QuantileSample(few, each)), stats.Options{}, stats.ZeroVariance, "control"},
		"linear model":      {gbRevenue(3000), stats.Options{Inference: stats.LinearModel}, stats.BadInput, "inference"},
		"one unit":          {pair(mean(1, 1, 1), mean(10, 10, 20)), stats.Options{}, stats.TooFewUnits, "control.n"},
		"one treated":       {pair(mean(10, 10, 20), mean(1, 1, 1)), stats.Options{}, stats.TooFewUnits, "treatment.n"},
		"no data":           {nil, stats.Options{}, stats.TooFewUnits, "strata"},
		"alpha":             {gbRevenue(3000), stats.Options{Alpha: math.NaN()}, stats.BadInput, "alpha"},
	} {
		c := Compare(GBStats, tt.strata, tt.o)
		if c.Refused == nil || c.Refused.Code != tt.code || c.Refused.Field != tt.field || c.P != 1 || c.Fixed != stats.Open() {
			t.Errorf("%s: %+v, want %s of %s", name, c.Refused, tt.code, tt.field)
		}
	}
	if c := Compare("optimizely", gbRevenue(3000), stats.Options{}); c.Refused == nil || c.Refused.Field != "compat" {
		t.Errorf("an unknown program: %+v", c.Refused)
	}
}

// Faults that are known are computed and named.
func TestGBStats_Warns(t *testing.T) {
	past := pair(
		mean(3001, 300, 600).With(joint(3001, []float64{300, 210}, []float64{600, -20, 415})),
		mean(3000, 222, 555).With(joint(3000, []float64{222, 120}, []float64{555, -10, 405})))
	for warning, c := range map[string]stats.Comparison{
		"constant of 5,000 units": Compare(GBStats, gbRevenue(3000), stats.Options{}),
		"between 0.00001":         Compare(GBStats, gbRevenue(3000), stats.Options{Side: stats.Less}),
		"never rescales":          Compare(GBStats, gbRevenue(3000), stats.Options{Relative: true, Inference: stats.Bayes, Prior: &stats.Prior{SD: 1}}),
		"not the one that is":     Compare(GBStats, past, stats.Options{Relative: true}),
		"is not known here":       Compare(GBStats, pair(stats.QuantileEstimate(100, 5, 1), stats.QuantileEstimate(100, 6, 1)), stats.Options{}),
	} {
		if !said(c, warning) {
			t.Errorf("no word of %q: %v (%v)", warning, c.Warnings, c.Refused)
		}
	}
}

// TestGBStats_NotConverged: values so large that floats skip a millionth leave
// gbstats without a one-sided p-value, unless an interval happens to end at 0.
func TestGBStats_NotConverged(t *testing.T) {
	huge := func(mean float64) stats.Sample {
		return stats.Mean(stats.Moments{N: 5000, Mean: mean, M2: 6.25e32 * 4999})
	}
	for i := range 50 {
		c := Compare(GBStats, pair(huge(4e15), huge(5.1e15+1e13*float64(i))), stats.Options{Side: stats.Greater})
		if said(c, "NOT_CONVERGED") && c.BandP == 1 {
			return
		}
	}
	t.Error("each of 50 p-values was found")
}

// TestGBStats_Quantile: from the events themselves, the quantile of 8,000 equally
// likely values from 1 to 500 is looked up at n* = 6,400, where 0.9 ± 1.96
// sqrt(0.9·0.1/6400) lie at 446.3 and 453.7; each unit has one event, so that
// clustering changes nothing.
func TestGBStats_Quantile(t *testing.T) {
	sample := func(by int64) stats.Sample {
		var buckets []stats.Bucket
		for i := 1; i <= 500; i++ {
			buckets = append(buckets, stats.Bucket{I: i, N: 16})
		}
		d, err := stats.NewDistribution(0.9, float64(by), 8000, buckets)
		if err != nil {
			t.Fatal(err)
		}
		return stats.QuantileSample(d, stats.Joint{N: 8000, Means: []float64{0.9, 1}, M: []float64{0.09 * 8000, 0, 0}})
	}
	c := Compare(GBStats, pair(sample(1), sample(2)), stats.Options{})
	sd := (454.0 - 447.0) / (2 * 1.959963984540054)
	one := 6400.0 / 8000 * 7999 * sd * sd / 8000
	if want := math.Sqrt(one * 5 * 8000 / 7999); !near(c.Estimate, 450, 1e-9) || !near(c.SE, want, 1e-6) || !said(c, "8,192 events") {
		t.Errorf("%v ± %v, want 450 ± %v; %v", c.Estimate, c.SE, want, c.Warnings)
	}
}
