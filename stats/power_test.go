package stats

import (
	"math"
	"testing"
)

// exactly returns the units of control that a design needs, not rounded up.
func exactly(t *testing.T, d Design) float64 {
	t.Helper()
	d = d.defaults()
	if r := d.fault(); r != nil {
		t.Fatal(r)
	}
	n, r := d.needed(d.test())
	if r != nil {
		t.Fatal(r)
	}
	return n
}

// R's examples of power.t.test and power.prop.test (package stats, help pages
// of 4.3), and those of the pwr vignette.
func TestFixedPowerAsPublished(t *testing.T) {
	mean := func(sd float64) Expected { return Expected{Kind: KindMean, Level: 10, SD: sd} }
	share := func(p float64) Expected { return Expected{Kind: KindProportion, Level: p} }
	for _, c := range []struct {
		source string
		design Design
		n      float64 // of each arm
		power  float64
		digits float64
	}{
		{"power.t.test(n = 20, delta = 1, sd = 1)", Design{Metric: mean(1), Effect: 1, Units: 20}, 20, 0.8689528, 1e-6},
		{"power.t.test(power = .90, delta = 1)", Design{Metric: mean(1), Effect: 1, Power: 0.9}, 22.02110, 0.9, 1e-4},
		{"power.t.test(power = .90, delta = 1, alternative = one.sided)", Design{Metric: mean(1), Effect: 1, Power: 0.9, Side: Greater}, 17.84713, 0.9, 1e-4},
		{"pwr.t.test(d = 0.5, power = 0.80)", Design{Metric: mean(2), Effect: 1}, 63.76561, 0.8, 1e-4},
		{"power.prop.test(n = 50, p1 = .50, p2 = .75)", Design{Metric: share(0.5), Effect: 0.25, Units: 50}, 50, 0.740, 5e-4},
		{"power.prop.test(p1 = .50, p2 = .75, power = .90)", Design{Metric: share(0.5), Effect: 0.25, Power: 0.9}, 76.7, 0.9, 0.05},
	} {
		c.design.Absolute = true
		n, power := c.design.Units, c.design.Solve().Power
		if n == 0 {
			n = exactly(t, c.design)
		}
		if math.Abs(n-c.n) > c.digits || math.Abs(power-c.power) > c.digits {
			t.Errorf("%s: n = %v, power = %v; want %v, %v", c.source, n, power, c.n, c.power)
		}
	}
}
