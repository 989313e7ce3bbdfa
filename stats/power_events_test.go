package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// Without failures of control the e-value reaches 20 with seven failures at half
// of the traffic and with three at a tenth: it needs the units whose failures are
// so many with a probability of 0.8. The counts are those of [LSS] with k = 2.
func TestFailuresThatNeverExisted(t *testing.T) {
	for _, c := range []struct {
		weights  []float64
		margin   float64
		failures float64
	}{{[]float64{1, 1}, 0, 7}, {[]float64{9, 1}, 0, 3}, {[]float64{1, 1}, 2, 11}, {[]float64{9, 1}, 2, 4}} {
		d := EventDesign{Effect: 0.001, Absolute: true, Weights: c.weights, Margin: c.margin}
		p := d.Solve()
		if p.Refused != nil {
			t.Fatal(p.Refused)
		}
		λ := float64(p.Units[1]) * 0.001
		reached := distuv.Poisson{Lambda: λ}
		if power := reached.Survival(c.failures - 1); math.Abs(power-0.8) > 1e-3 {
			t.Errorf("traffic %v, margin %v: %d treated units have %v failures or more with a probability of %v", c.weights, c.margin, p.Units[1], c.failures, power)
		}
	}
}

// The plan is what happens: failures are drawn one by one, and the e-process of
// Events is asked at each.
func TestEventPlanHoldsInSimulation(t *testing.T) {
	const runs, seed = 2000, 5
	random := rand.New(rand.NewPCG(seed, 1))
	for _, d := range []EventDesign{
		{Rate: 0.01, Effect: 1, Units: 3500},
		{Rate: 0.01, Effect: 1, Units: 1500},
		{Rate: 0.02, Effect: 2, Units: 800, Weights: []float64{4, 1}, Margin: 1.5},
		{Rate: 0.01, Exclude: 2, Units: 5000},
	} {
		fired := 0
		for range runs {
			if d.simulate(random) {
				fired++
			}
		}
		want := d.Solve().Power
		got, chance := float64(fired)/runs, math.Sqrt(want*(1-want)/runs)
		if math.Abs(got-want) > 3.5*chance {
			t.Errorf("seed %d, %+v: power %v, the plan says %v", seed, d, got, want)
		}
	}
}

// simulate draws failures until there are as many as the units have, and reports
// whether the test fired.
func (d EventDesign) simulate(random *rand.Rand) bool {
	d = d.defaults()
	e := Events{Margin: d.Margin, Alpha: d.Alpha, K: d.K, Floor: d.Floor}
	c := EventCounts{Traffic: [2]float64{d.Weights[0], d.Weights[1]}}
	λ := d.failures(d.Units)
	share := d.Weights[1] * d.treated() / (d.Weights[1]*d.treated() + d.Weights[0]*d.Rate)
	for at := random.ExpFloat64(); at < λ; at += random.ExpFloat64() {
		if random.Float64() < share {
			c.Treatment++
		} else {
			c.Control++
		}
		now := []EventCounts{c}
		if d.Exclude == 0 && c.Treatment >= d.Floor && e.logOne(now, d.Margin) >= -math.Log(d.Alpha) {
			return true
		}
		if excluded, _ := e.Excludes(d.Exclude, now); d.Exclude > 0 && excluded {
			return true
		}
	}
	return false
}

func TestSmallestChangeOfFailures(t *testing.T) {
	for _, d := range []EventDesign{
		{Rate: 0.01, Units: 3508},
		{Rate: 0, Absolute: true, Units: 9076},
		{Rate: 0.01, Exclude: 3, Units: 2500},
		{Rate: 0.001, Units: 100_000}, // the largest change there can be has more failures than are followed
		{Rate: 0.001, Units: 100_000, Absolute: true, Weights: []float64{4, 1}},
	} {
		p := d.Solve()
		if p.Refused != nil {
			t.Fatal(p.Refused)
		}
		if power := d.with(p.MDE).Solve().Power; math.Abs(power-0.8) > 1e-3 { // whole failures make small steps
			t.Errorf("%+v: the smallest change that is seen is %v, whose power is %v", d, p.MDE, power)
		}
	}
}

func TestEventDesignRefusals(t *testing.T) {
	for _, c := range []struct {
		name, field string
		design      EventDesign
	}{
		{"no rate", "metric.rate", EventDesign{Rate: 1, Effect: 1}},
		{"a rate that is no number", "metric.rate", EventDesign{Rate: math.NaN(), Effect: 1}},
		{"a share of nothing", "metric.rate", EventDesign{Effect: 1}},
		{"failures as rare as never", "metric.rate", EventDesign{Rate: 1e-300, Exclude: 2}},
		{"nothing to exclude from", "metric.rate", EventDesign{Absolute: true, Exclude: 2}},
		{"more than all", "effect", EventDesign{Rate: 0.6, Effect: 1}},
		{"no effect", "effect", EventDesign{Rate: 0.1}},
		{"an effect within the margin", "effect", EventDesign{Rate: 0.1, Effect: 0.5, Margin: 2}},
		{"an effect that gets better", "effect", EventDesign{Rate: 0.1, Effect: -0.5}},
		{"so small an effect", "effect", EventDesign{Rate: 0.1, Effect: 0.01}},
		{"so many units", "n", EventDesign{Rate: 0.1, Effect: 1, Units: 1e9}},
		{"negative units", "n", EventDesign{Rate: 0.1, Effect: 1, Units: -1}},
		{"so few units", "n", EventDesign{Rate: 0.001, Units: 2}},
		{"a margin below 1", "margin", EventDesign{Rate: 0.1, Effect: 1, Margin: 0.5}},
		{"a ratio to exclude below 1", "exclude", EventDesign{Rate: 0.1, Exclude: 0.5}},
		{"no error", "alpha", EventDesign{Rate: 0.1, Effect: 1, Alpha: 1}},
		{"too little power", "power", EventDesign{Rate: 0.1, Effect: 1, Power: 0.3}},
		{"no concentration", "k", EventDesign{Rate: 0.1, Effect: 1, K: -1}},
		{"three arms", "weights", EventDesign{Rate: 0.1, Effect: 1, Weights: []float64{1, 1, 1}}},
		{"an arm without traffic", "weights", EventDesign{Rate: 0.1, Effect: 1, Weights: []float64{1, 0}}},
	} {
		p := c.design.Solve()
		if p.Refused == nil || p.Refused.Field != c.field || p.Power != 0 || p.Units != nil {
			t.Errorf("%s: %+v, want a refusal of %s", c.name, p, c.field)
		}
	}
}
