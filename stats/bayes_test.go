package stats

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// gbstats (GrowthBook, packages/stats/tests/bayesian/test_tests.py), case
// TestNorm.test_bayesian_gaussian_ab_test and …_informative: 10 units with mean
// 10 against 10 with 10.5, relative, without a prior and with N(0.1, 0.1).
func TestCompareBayes(t *testing.T) {
	strata := []Stratum{{
		Control:   Mean(Moments{N: 10, Mean: 10, M2: 1002.25 - 1000}),
		Treatment: Mean(Moments{N: 10, Mean: 10.5, M2: 1111.5 - 1102.5}),
	}}
	for _, tt := range []struct {
		prior *Prior
		want  Posterior
	}{
		{nil, Posterior{Expected: 0.05, SD: 0.03572, ChanceToWin: 0.91923, RiskControl: 0.05131, RiskTreatment: 0.00131, Credible: Interval{-0.02, 0.12}}},
		{&Prior{Mean: 0.1, SD: math.Sqrt(0.1), Relative: true},
			Posterior{Expected: 0.05063, SD: 0.03549, ChanceToWin: 0.92315, RiskControl: 0.05186, RiskTreatment: 0.00123, Credible: Interval{-0.01893, 0.12019}}},
	} {
		c := Compare(strata, Options{Relative: true, Inference: Bayes, Prior: tt.prior})
		if c.Refused != nil || c.Posterior == nil {
			t.Fatalf("%+v: no posterior", c)
		}
		if got := *c.Posterior; !got.near(tt.want, 5e-6) {
			t.Errorf("prior %v: %+v, want %+v", tt.prior, got, tt.want)
		}
		if i, p := c.Answer(); i != c.Posterior.Credible || p != c.P {
			t.Errorf("the answer is %v and %v", i, p)
		}
	}
}

// With a prior the p-value of the data alone stands beside an interval that may
// say otherwise: whoever reads both is told. Without one they differ on the
// border alone, where the p-value is Student's and the posterior normal.
func TestPriorBesideAPValue(t *testing.T) {
	strata := arms(1000, 100, 1000, 130)
	firm := &Prior{Mean: 0, SD: 0.002}
	c := Compare(strata, Options{Inference: Bayes, Prior: firm})
	if i, p := c.Answer(); !(p < 0.05) || !i.Contains(0) || !slices.Contains(c.Warnings, warnPriorP) {
		t.Errorf("p %v beside %v, warnings %q", p, i, c.Warnings)
	}
	if c := Compare(strata, Options{Inference: Bayes}); len(c.Warnings) != 0 {
		t.Errorf("without a prior: %q", c.Warnings)
	}
	border := oneStratum(valued(5, 0, 1), valued(5, 1.35, 1))
	c = Compare(border, Options{Inference: Bayes})
	if i, p := c.Answer(); !(p > 0.05) || i.Contains(0) || !slices.Contains(c.Warnings, warnBorderline) {
		t.Errorf("on the border: p %v beside %v, warnings %q", p, i, c.Warnings)
	}
}

func (b Posterior) near(o Posterior, by float64) bool {
	return near(b.Expected, o.Expected, by) && near(b.SD, o.SD, by) && near(b.ChanceToWin, o.ChanceToWin, by) &&
		near(b.RiskControl, o.RiskControl, by) && near(b.RiskTreatment, o.RiskTreatment, by) &&
		near(b.Credible.Low, o.Credible.Low, by) && near(b.Credible.High, o.Credible.High, by)
}

// The same file, class TestGetRiskNumericalStability: risks of N(0.1, 0.05²) to
// ten digits, and of a posterior that leaves no doubt about the sign.
func TestPosteriorRisk(t *testing.T) {
	for _, tt := range []struct{ mean, sd, control, treatment float64 }{
		{0.1, 0.05, 0.1004245351308, 0.0004245351308414},
		{0.01, 4.5e-9, 0.01, 0},
		{-0.01, 4.5e-9, 0, 0.01},
	} {
		b := (*Prior)(nil).Update(tt.mean, tt.sd, Options{})
		if !near(b.RiskControl, tt.control, 1e-12) || !near(b.RiskTreatment, tt.treatment, 1e-12) {
			t.Errorf("risks of %v ± %v: %v and %v, want %v and %v", tt.mean, tt.sd, b.RiskControl, b.RiskTreatment, tt.control, tt.treatment)
		}
	}
}

// A prior in shares of the control mean and the same in the metric's unit are
// one prior, and where less is better, chances and risks change sides.
func TestPriorScaleAndSide(t *testing.T) {
	strata := []Stratum{{Control: Mean(Moments{N: 400, Mean: -20, M2: 40000}), Treatment: Mean(Moments{N: 500, Mean: -19, M2: 40000})}}
	share := Compare(strata, Options{Inference: Bayes, Prior: &Prior{Mean: 0.01, SD: 0.05, Relative: true}})
	unit := Compare(strata, Options{Inference: Bayes, Prior: &Prior{Mean: 0.2, SD: 1}})
	if !share.Posterior.near(*unit.Posterior, 1e-12) {
		t.Errorf("in shares %+v, in the unit %+v", *share.Posterior, *unit.Posterior)
	}
	less := Compare(strata, Options{Inference: Bayes, Prior: &Prior{Mean: 0.2, SD: 1}, Side: Less}).Posterior
	if !near(less.ChanceToWin, 1-unit.Posterior.ChanceToWin, 1e-12) || less.RiskControl != unit.Posterior.RiskTreatment {
		t.Errorf("less is better: %+v, more is better: %+v", *less, *unit.Posterior)
	}
	if !math.IsInf(less.Credible.Low, -1) || !near(less.Credible.High, less.Expected+1.6448536*less.SD, 1e-6) {
		t.Errorf("one-sided interval %v", less.Credible)
	}
}

func TestPriorRefused(t *testing.T) {
	strata := sleep()
	for field, p := range map[string]Prior{
		"prior.sd":   {SD: 0},
		"prior.mean": {Mean: math.NaN(), SD: 1},
	} {
		c := Compare(strata, Options{Inference: Bayes, Prior: &p})
		if c.Refused == nil || c.Refused.Field != field || c.Posterior != nil {
			t.Errorf("%+v: %+v, want a refusal of %s", p, c.Refused, field)
		}
	}
	if c := Compare(strata, Options{Inference: "hunch"}); c.Refused == nil || c.Refused.Field != "inference" {
		t.Errorf("an unknown inference: %+v", c.Refused)
	}
	none := []Stratum{{Control: Mean(Moments{N: 10, M2: 10}), Treatment: Mean(Moments{N: 10, Mean: 1, M2: 10})}}
	c := Compare(none, Options{Inference: Bayes, Prior: &Prior{SD: 1, Relative: true}})
	if c.Posterior != nil || len(c.Warnings) == 0 {
		t.Errorf("a prior in shares of nothing: %+v", c)
	}
}

// Whatever the numbers, a posterior lies between the prior and the data, its
// interval holds its mean and its chance is a probability.
func TestPosteriorSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wide := rapid.Float64Range(-1e100, 1e100)
		small := rapid.Float64Range(1e-100, 1e100)
		d, se := wide.Draw(t, "effect"), small.Draw(t, "se")
		p := &Prior{Mean: wide.Draw(t, "mean"), SD: small.Draw(t, "sd")}
		b := p.Update(d, se, Options{})
		low, high := math.Min(d, p.Mean), math.Max(d, p.Mean)
		slack := 1e-12 * math.Max(math.Abs(low), math.Abs(high))
		if !(b.Expected >= low-slack && b.Expected <= high+slack) || !(b.SD > 0 && b.SD <= math.Min(se, p.SD)*(1+1e-12)) {
			t.Fatalf("%+v from %v ± %v and %+v", b, d, se, *p)
		}
		if !b.Credible.Contains(b.Expected) || !(b.ChanceToWin >= 0 && b.ChanceToWin <= 1) || !(b.RiskControl >= 0 && b.RiskTreatment >= 0) {
			t.Fatalf("%+v", b)
		}
	})
}

// The prior of the own past is as wide as effects were beyond their errors, and
// never certain.
func TestHistoryPrior(t *testing.T) {
	first, doubt := HistoryPrior(nil)
	if first != (Prior{SD: 0.3, Relative: true}) || len(doubt.Warnings) != 1 {
		t.Errorf("without a past %+v, %v", first, doubt.Warnings)
	}
	var past []Past
	for range 5000 {
		past = append(past, Past{0.05, 0.03}, Past{-0.05, 0.03})
	}
	// 10,000 excesses of 0.05²−0.03² = 0.04², each of weight (0.09/0.0909)², and ten of 0.3².
	w := 10000 / (1.01 * 1.01)
	p, _ := HistoryPrior(past)
	if want := math.Sqrt((10*0.09 + w*0.0016) / (10 + w)); !near(p.SD, want, 1e-12) {
		t.Errorf("sd %v, want %v", p.SD, want)
	}
	noise := []Past{{0.01, 0.5}, {-0.02, 0.5}, {math.NaN(), 1}, {0.1, 0}}
	p, doubt = HistoryPrior(noise)
	w = 2 * math.Pow(0.09/0.34, 2)
	if want := math.Sqrt(10 * 0.09 / (10 + w)); !near(p.SD, want, 1e-12) || len(doubt.Warnings) != 2 {
		t.Errorf("sd %v, want %v; %v", p.SD, want, doubt.Warnings)
	}
	// One effect of which next to nothing is known moves nothing.
	wild, _ := HistoryPrior(append(past, Past{15, 10}))
	if known, _ := HistoryPrior(past); !near(wild.SD, known.SD, 1e-4) {
		t.Errorf("sd %v with one wild effect, %v without", wild.SD, known.SD)
	}
}
