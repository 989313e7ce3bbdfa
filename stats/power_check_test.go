package stats

import (
	"math"
	"testing"
)

func TestDesignRefusals(t *testing.T) {
	mean := Expected{Kind: KindMean, Level: 10, SD: 30}
	share := Expected{Kind: KindProportion, Level: 0.2}
	for _, c := range []struct {
		name, field string
		design      Design
	}{
		{"no kind", "metric.kind", Design{Metric: Expected{Level: 1, SD: 1}, Effect: 0.1}},
		{"a level that is no number", "metric.mean", Design{Metric: Expected{Kind: KindMean, Level: math.Inf(1), SD: 1}, Effect: 0.1}},
		{"a share of a level of 0", "metric.mean", Design{Metric: Expected{Kind: KindMean, SD: 1}, Effect: 0.1}},
		{"values that no float can square", "metric.sd", Design{Metric: Expected{Kind: KindMean, Level: 1, SD: 1e200}, Effect: 0.1}},
		{"a rate of 0", "metric.rate", Design{Metric: Expected{Kind: KindProportion}, Effect: 0.1}},
		{"no spread", "metric.sd", Design{Metric: Expected{Kind: KindMean, Level: 1}, Effect: 0.1}},
		{"a spread that follows", "metric.sd", Design{Metric: Expected{Kind: KindProportion, Level: 0.2, SD: 0.4}, Effect: 0.1}},
		{"no quantile", "metric.nu", Design{Metric: Expected{Kind: KindQuantile, Level: 1, Density: 1}, Effect: 0.1}},
		{"no density", "metric.density", Design{Metric: Expected{Kind: KindQuantile, Level: 1, Nu: 0.5}, Effect: 0.1}},
		{"all is explained", "metric.explained", Design{Metric: Expected{Kind: KindMean, Level: 1, SD: 1, Explained: 1}, Effect: 0.1}},
		{"empty clusters", "metric.cluster.mean", Design{Metric: Expected{Kind: KindMean, Level: 1, SD: 1, Cluster: &Cluster{}}, Effect: 0.1}},
		{"clusters that vary by less than nothing", "metric.cluster.cv", Design{Metric: Expected{Kind: KindMean, Level: 1, SD: 1, Cluster: &Cluster{Mean: 2, CV: -1}}, Effect: 0.1}},
		{"clusters alike beyond all", "metric.cluster.icc", Design{Metric: Expected{Kind: KindMean, Level: 1, SD: 1, Cluster: &Cluster{Mean: 2, ICC: 2}}, Effect: 0.1}},
		{"nothing asked", "effect", Design{Metric: mean}},
		{"an effect that is no number", "effect", Design{Metric: mean, Effect: math.NaN()}},
		{"more than all", "effect", Design{Metric: share, Effect: 5}},
		{"the other side", "effect", Design{Metric: mean, Effect: -0.1, Side: Greater}},
		{"far too small", "effect", Design{Metric: mean, Effect: 1e-9}},
		{"harm as large as the margin", "effect", Design{Metric: mean, Margin: 0.1, Effect: -0.1}},
		{"a margin that is none", "margin", Design{Metric: mean, Margin: -0.1}},
		{"a margin of everything", "margin", Design{Metric: mean, Margin: 1}},
		{"a margin on two sides", "side", Design{Metric: mean, Margin: 0.1, Side: TwoSided}},
		{"no side", "side", Design{Metric: mean, Effect: 0.1, Side: "left"}},
		{"no direction", "direction", Design{Metric: mean, Margin: 0.1, Direction: "up"}},
		{"no error", "alpha", Design{Metric: mean, Effect: 0.1, Alpha: -1}},
		{"too little power", "power", Design{Metric: mean, Effect: 0.1, Power: 0.5}},
		{"a posterior", "inference", Design{Metric: mean, Effect: 0.1, Inference: Bayes}},
		{"a fixed test with looks", "looks", Design{Metric: mean, Effect: 0.1, Looks: 2}},
		{"too many looks", "looks", Design{Metric: mean, Effect: 0.1, Looks: 1001, Inference: GroupSequential}},
		{"negative units", "n", Design{Metric: mean, Effect: 0.1, Units: -1}},
		{"too few units for any effect", "n", Design{Metric: share, Units: 3}},
		{"one arm", "weights", Design{Metric: mean, Effect: 0.1, Weights: []float64{1}}},
		{"an arm without units", "weights", Design{Metric: mean, Effect: 0.1, Weights: []float64{1, 0}}},
	} {
		p := c.design.Solve()
		if p.Refused == nil || p.Refused.Field != c.field || p.Power != 0 || p.Units != nil || p.MDE != 0 {
			t.Errorf("%s: %+v, want a refusal of %s", c.name, p, c.field)
		}
	}
}

// Whatever is asked, the answers agree with each other: the units that an effect
// needs see it with the power that was wanted, and it is the smallest they see.
func TestAnswersAgree(t *testing.T) {
	metrics := []Expected{
		{Kind: KindProportion, Level: 0.19}, {Kind: KindMean, Level: 10, SD: 30}, {Kind: KindRatio, Level: 2, SD: 5},
		{Kind: KindMean, Level: -10, SD: 30}, {Kind: KindQuantile, Level: 200, SD: 900}, {Kind: KindCluster, Level: 3, SD: 4},
	}
	for _, m := range metrics {
		for _, i := range []Inference{FixedHorizon, AlwaysValid, GroupSequential} {
			for _, side := range []Side{TwoSided, Greater, Less} {
				effect := 0.05 * float64(map[Side]int{TwoSided: 1, Greater: 1, Less: -1}[side])
				agree(t, Design{Metric: m, Effect: effect, Inference: i, Side: side, Weights: []float64{2, 1}})
			}
			for _, way := range []Direction{Increase, Decrease} {
				agree(t, Design{Metric: m, Margin: 0.05, Inference: i, Direction: way})
			}
		}
	}
}

func agree(t *testing.T, d Design) {
	t.Helper()
	asked := d.Solve()
	if asked.Refused != nil {
		t.Fatalf("%+v: %v", d, asked.Refused)
	}
	d.Units = float64(asked.Units[0])
	p := d.Solve()
	if math.Abs(p.Power-0.8) > 1e-3 || math.Abs(p.MDE-0.05) > 1e-4 || p.Units[0] != asked.Units[0] {
		t.Errorf("%+v: %+v", d, p)
	}
}
