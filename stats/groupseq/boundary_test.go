package groupseq

import (
	"errors"
	"math"
	"testing"
)

func given(t *testing.T, information, z []float64, sides int) Boundary {
	t.Helper()
	b, err := Given(information, z, sides)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ldbounds 2.0.0, its vignette, section 4: exit probabilities of given bounds
// under a drift (Reboussin, DeMets, Kim & Lan 2000), and the drift of a power.
func TestExitsPublished(t *testing.T) {
	b := given(t, []float64{0.13, 0.4, 0.69, 0.9, 0.98, 1}, []float64{5.3666, 3.7102, 2.9728, 2.5365, 2.2154, 1.9668}, 2)
	upper, lower := b.Exits(3.242)
	near(t, "upper", upper, []float64{1.3483e-05, 4.8468e-02, 3.4279e-01, 3.1827e-01, 1.3325e-01, 5.6852e-02}, 2e-5)
	near(t, "lower", lower, []float64{0, 0, 0, 0, 2.2251e-08, 6.4894e-08}, 2e-8)
	near(t, "power", []float64{b.Power(3.242)}, []float64{0.8996411}, 3e-5)

	power := made(t, Design{Alpha: 0.05, Sides: 2, Information: Equal(5), Spending: Spending{Family: Power, Rho: 1}})
	near(t, "drift", []float64{power.Drift(0.1)}, []float64{3.455209}, 3e-4)
	upper, _ = power.Exits(3.455209)
	near(t, "upper", upper, []float64{0.151361, 0.251277, 0.233648, 0.164962, 0.098731}, 5e-5)
}

// rpact 4.0.0, tests/testthat/test-f_design_group_sequential.R:
// getGroupSequentialProbabilities with bounds at the 5 % quantiles (first
// block), and getDesignCharacteristics of asHSD with gamma 0.
func TestCharacteristicsPublished(t *testing.T) {
	z := -upper(0.95)
	b := given(t, Equal(4), []float64{z, z, z, z}, 2)
	exits, _ := b.Exits(0)
	near(t, "exits", exits, []float64{0.05, 0.030074925, 0.020961248, 0.01595848}, 1e-7)

	d := made(t, Design{Alpha: 0.03, Information: []float64{0.2, 0.4, 1}, Spending: Spending{Family: HSD}})
	shift := d.Drift(0.14) * d.Drift(0.14)
	near(t, "shift", []float64{shift, d.Inflation(0.14)}, []float64{9.4594101, 1.0788327}, 2e-6)
	exits, _ = d.Exits(math.Sqrt(9.4594101))
	near(t, "rejection probabilities", exits, []float64{0.12783451, 0.21271713, 0.51944835}, 2e-7)
	near(t, "average sample numbers", []float64{d.Expected(math.Sqrt(shift)) * d.Inflation(0.14), d.Expected(math.Sqrt(shift)/2) * d.Inflation(0.14), d.Expected(0) * d.Inflation(0.14)},
		[]float64{0.83081135, 1.0142116, 1.0697705}, 1e-6)
}

func TestGivenRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		field          string
		information, z []float64
		sides          int
	}{
		"no looks":       {"information", nil, nil, 1},
		"fewer bounds":   {"z", Equal(2), []float64{2}, 1},
		"NaN":            {"z", Equal(1), []float64{math.NaN()}, 1},
		"far":            {"z", Equal(1), []float64{41}, 1},
		"sides":          {"sides", Equal(1), []float64{2}, 0},
		"error too high": {"alpha", Equal(1), []float64{-1}, 1},
	} {
		_, err := Given(tt.information, tt.z, tt.sides)
		var f *Fault
		if !errors.As(err, &f) || f.Field != tt.field {
			t.Errorf("%s: %v, want a fault of %s", name, err, tt.field)
		}
	}
}
