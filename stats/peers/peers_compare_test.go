package peers

import (
	"math"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// Programs that know no strata add them up. Two stages of one rollout, the second
// with another mixture and a higher baseline, neither with an effect: to them
// treatment looks far better (Simpson's paradox), which is said.
func TestStrataAreAddedUp(t *testing.T) {
	strata := []stats.Stratum{
		{Epoch: 1, Control: stats.Proportion(9900, 990), Treatment: stats.Proportion(100, 10)},
		{Epoch: 2, Control: stats.Proportion(5000, 1500), Treatment: stats.Proportion(5000, 1500)},
	}
	for _, name := range []Name{PostHog, Statsig, Eppo, Spotify} {
		if c := Compare(name, strata, stats.Options{}); !(c.P < 1e-9) || !said(c, "drifting baseline") {
			t.Errorf("%s: p %v, %v", name, c.P, c.Warnings)
		}
	}
	if c := stats.Compare(strata, stats.Options{}); c.P != 1 {
		t.Errorf("within strata there is nothing: p %v", c.P)
	}
	if c := Compare(GBStats, strata, stats.Options{}); c.P < 0.05 || said(c, "drifting baseline") {
		t.Errorf("post-stratified: p %v, %v", c.P, c.Warnings)
	}
}

// Without a past the wish for none changes nothing, with one it drops it; slopes
// that are not the program's own are refused.
func TestCovariateOption(t *testing.T) {
	arm := func(y, x float64) stats.Sample {
		m := stats.Joint{N: 1000, Means: []float64{y, x}, M: []float64{5 * 999, 2 * 999, 999}}
		return stats.Mean(m.Moments(0)).With(m)
	}
	strata := pair(arm(10, 5), arm(10.5, 5.1))
	for _, name := range Names() {
		own, other := stats.Pooled, stats.ArmSpecific
		if name == Eppo {
			own, other = other, own
		}
		bare := Compare(name, strata, stats.Options{Covariate: stats.Unadjusted})
		if bare.CUPED != nil || !near(bare.Estimate, 0.5, 1e-12) || !near(bare.SE, math.Sqrt(0.01), 1e-9) {
			t.Errorf("%s without its past: %v ± %v, %+v", name, bare.Estimate, bare.SE, bare.CUPED)
		}
		c, same := Compare(name, strata, stats.Options{}), Compare(name, strata, stats.Options{Covariate: own})
		if c.CUPED == nil || c.Estimate != same.Estimate || !near(c.CUPED.Treatment-c.CUPED.Control, c.Estimate, 1e-12) || !near(c.CUPED.Reduction, 1-c.SE*c.SE/0.01, 1e-6) {
			t.Errorf("%s: %v, asked for by name %v, %+v", name, c.Estimate, same.Estimate, c.CUPED)
		}
		if r := Compare(name, strata, stats.Options{Covariate: other}).Refused; r == nil || r.Field != "covariate" {
			t.Errorf("%s with slopes that are %s: %+v", name, other, r)
		}
	}
}

// A setting that would be ignored is refused.
func TestIgnoredSettings(t *testing.T) {
	for _, tt := range []struct {
		name  Name
		o     stats.Options
		field string
	}{
		{GBStats, stats.Options{Margin: 0.1}, "margin"},
		{Eppo, stats.Options{Power: 0.9}, "power"},
		{PostHog, stats.Options{Sequence: &stats.Sequence{}}, "information"},
		{Statsig, stats.Options{Units: 5000}, "n_star"},
		{Spotify, stats.Options{Units: 5000}, "n_star"},
	} {
		if r := Compare(tt.name, phRevenue(), tt.o).Refused; r == nil || r.Field != tt.field {
			t.Errorf("%s %+v: %+v", tt.name, tt.o, r)
		}
	}
}

// A cluster is a ratio of its sum to its size to who knows ratios.
func TestClustersAreRatios(t *testing.T) {
	as := func(k stats.Kind) []stats.Stratum {
		s := phRatio()
		s[0].Control.Kind, s[0].Treatment.Kind = k, k
		return s
	}
	for _, name := range []Name{GBStats, PostHog, Statsig, Eppo} {
		ratio, cluster := Compare(name, as(stats.KindRatio), stats.Options{}), Compare(name, as(stats.KindCluster), stats.Options{})
		if ratio.Refused != nil || ratio.Estimate != cluster.Estimate || ratio.SE != cluster.SE {
			t.Errorf("%s: %v ± %v and %v ± %v (%v)", name, ratio.Estimate, ratio.SE, cluster.Estimate, cluster.SE, ratio.Refused)
		}
	}
}

// Numbers that a formula takes out of the range of floats are refused.
func TestOutOfRange(t *testing.T) {
	at := func(mean float64) stats.Sample { return stats.Mean(stats.Moments{N: 1000, Mean: mean, M2: 999}) }
	c := Compare(GBStats, pair(at(1e-90), at(1)), stats.Options{Relative: true})
	if c.Refused == nil || c.Refused.Code != stats.BadInput || c.P != 1 {
		t.Errorf("%+v", c)
	}
}
