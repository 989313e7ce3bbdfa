package peers

import (
	"math"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// TestEppo_Sequence holds the bound that Eppo documents (statistical-nitty-gritty
// of Eppo-exp/eppo-docs, "Sequential"): B = sqrt((t+ρ) log((t+ρ)/(ρ(1−c)²))/t)
// with ρ = 10,000/(log log(e/(1−c)²) − 2 log(1−c)).
func TestEppo_Sequence(t *testing.T) {
	const c = 0.95
	rho := 10_000 / (math.Log(math.Log(math.E/((1-c)*(1-c)))) - 2*math.Log(1-c))
	for _, n := range []int64{50, 5000, 500_000} {
		units := float64(2 * n)
		want := math.Sqrt((units+rho)*math.Log((units+rho)/(rho*(1-c)*(1-c)))) / math.Sqrt(units)
		got := Compare(Eppo, pair(mean(n, 10*float64(n), 102*float64(n)), mean(n, 11*float64(n), 123*float64(n))), stats.Options{Relative: true})
		if b := (got.Band.High - got.Estimate) / got.SE; !near(b, want, 1e-9) {
			t.Errorf("%v units: %v standard errors, want %v", units, b, want)
		}
	}
}

// TestEppo_Lift holds the documented lift and its variance, and the normal
// interval of the fixed test: of proportions too with the sample variance.
func TestEppo_Lift(t *testing.T) {
	const nc, nt = 1500.0, 1400.0
	mc, mt := 90/nc, 70/nt
	vc, vt := nc/(nc-1)*mc*(1-mc), nt/(nt-1)*mt*(1-mt)
	se := mt / mc * math.Sqrt(vc/(nc*mc*mc)+vt/(nt*mt*mt))
	c := Compare(Eppo, pair(stats.Proportion(nc, 90), stats.Proportion(nt, 70)), stats.Options{Relative: true})
	want := stats.Interval{Low: mt/mc - 1 - 1.959963984540054*se, High: mt/mc - 1 + 1.959963984540054*se}
	if !near(c.Estimate, mt/mc-1, 1e-12) || !near(c.SE, se, 1e-12) || !nearInterval(c.Fixed, want, 1e-9) {
		t.Errorf("%v ± %v %v, want %v ± %v %v", c.Estimate, c.SE, c.Fixed, mt/mc-1, se, want)
	}
	// With a prior of N(0, 0.05²): equation 8, shrunk towards it.
	b := Compare(Eppo, pair(stats.Proportion(nc, 90), stats.Proportion(nt, 70)), stats.Options{Relative: true, Inference: stats.Bayes}).Posterior
	if shrunk := (mt/mc - 1) * (1 - se*se/(se*se+0.0025)); !near(b.Expected, shrunk, 1e-12) {
		t.Errorf("posterior %v, want %v", b.Expected, shrunk)
	}
}

// TestEppo_Past: each arm has its own regression, and is told at the mean past of
// all units. The noise that is left is 1 in both arms; control had 1 less before,
// which its slope of 2 makes worth 1 at the mean of both.
func TestEppo_Past(t *testing.T) {
	arm := func(y, x, slope float64) stats.Sample {
		m := stats.Joint{N: 1000, Means: []float64{y, x}, M: []float64{slope*slope*999 + 999, slope * 999, 999}}
		return stats.Mean(m.Moments(0)).With(m)
	}
	c := Compare(Eppo, pair(arm(10, 4, 2), arm(12, 5, 1)), stats.Options{})
	if !near(c.CUPED.Control, 11, 1e-12) || !near(c.CUPED.Treatment, 11.5, 1e-12) || !near(c.CUPED.Theta, 1.5, 1e-12) || !near(c.SE, math.Sqrt(0.002), 1e-12) || !said(c, "ridge") {
		t.Errorf("%+v ± %v, %v", c.CUPED, c.SE, c.Warnings)
	}
}

func TestEppo_Refuses(t *testing.T) {
	for _, tt := range []struct {
		strata []stats.Stratum
		o      stats.Options
		code   stats.Code
		field  string
	}{
		{pair(mean(10, 10, 10), mean(10, 10, 10)), stats.Options{}, stats.ZeroVariance, "sum"},
		{pair(stats.Proportion(1000, 0), stats.Proportion(1000, 50)), stats.Options{Relative: true}, stats.Unbounded, "control"},
		{gbRatioPast(), stats.Options{}, stats.BadInput, "covariate"},
		{phRevenue(), stats.Options{Side: stats.Greater}, stats.BadInput, "side"},
		{phRevenue(), stats.Options{Inference: stats.LinearModel}, stats.BadInput, "inference"},
		{pair(stats.QuantileEstimate(100, 1, 1), stats.QuantileEstimate(100, 1, 1)), stats.Options{}, stats.BadInput, "control.type"},
	} {
		c := Compare(Eppo, tt.strata, tt.o)
		if c.Refused == nil || c.Refused.Code != tt.code || c.Refused.Field != tt.field || c.P != 1 {
			t.Errorf("want %s of %s: %+v", tt.code, tt.field, c.Refused)
		}
	}
}
