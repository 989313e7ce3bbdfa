package groupseq

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// Looks that follow each other closely are resolved: in between, nothing is
// lost and nothing gained.
func TestCloseLooksKeepTheError(t *testing.T) {
	for _, gap := range []float64{1e-1, 1e-2, 1e-3, 1e-4, 2e-5} {
		var p Path
		for _, at := range []float64{0.3, 0.5, 0.5 + gap, 1} {
			p = p.To(at).Stop(-2.2, 2.2)
		}
		above, below := p.Crossed()
		kept := 1 - p.To(2).Above(-40, 0) - above - below
		if math.Abs(kept) > 1e-6 || math.Abs(above-below) > 1e-12 {
			t.Errorf("gap %v: crossed %v above and %v below, and %v is lost", gap, above, below, kept)
		}
	}
}

// The recursion agrees with walks that are simulated.
func TestExitsSimulated(t *testing.T) {
	const seed, runs, drift = 5, 200000, 2.0
	b := made(t, Design{Alpha: 0.05, Sides: 2, Information: []float64{0.1, 0.15, 0.6, 0.61, 1.1}, Spending: Spending{Family: Pocock}})
	r := rand.New(rand.NewPCG(seed, 0))
	got := make([]float64, len(b.Z))
	for range runs {
		at, sum := 0.0, 0.0
		for i, t := range b.Information {
			sum += drift*(t-at) + math.Sqrt(t-at)*r.NormFloat64()
			at = t
			if sum/math.Sqrt(t) > b.Z[i] {
				got[i] += 1.0 / runs
			}
			if math.Abs(sum/math.Sqrt(t)) > b.Z[i] {
				break
			}
		}
	}
	want, _ := b.Exits(drift)
	t.Logf("seed %d", seed)
	near(t, "exits", got, want, 4*math.Sqrt(0.25/runs))
}

// Whatever the looks are, a design spends no more than it has.
func TestDesignKeepsItsError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at, d := 0.0, Design{Alpha: rapid.Float64Range(1e-6, 0.4).Draw(t, "alpha"), Sides: rapid.IntRange(1, 2).Draw(t, "sides")}
		d.Spending = rapid.SampledFrom([]Spending{{}, {Family: Pocock}, {Family: Power, Rho: 2}, {Family: HSD, Gamma: -4}}).Draw(t, "spending")
		for range rapid.IntRange(1, 6).Draw(t, "looks") {
			at += math.Exp(rapid.Float64Range(-12, 0).Draw(t, "log of the gap"))
			d.Information = append(d.Information, at)
		}
		b, err := d.Boundary()
		if err != nil {
			t.Fatal(err)
		}
		last := b.Spent[len(b.Spent)-1]
		want := float64(d.Sides) * d.Spending.Spent(d.Alpha/float64(d.Sides), at)
		if last > want+1e-9 || at >= 1 && math.Abs(last-want) > 1e-6*d.Alpha+1e-9 {
			t.Fatalf("spent %v of %v", last, want)
		}
		for _, drift := range []float64{-3, 0, 3, 30} {
			if p := b.Power(drift); !(p >= 0 && p <= 1) {
				t.Fatalf("power %v at %v", p, drift)
			}
		}
	})
}
