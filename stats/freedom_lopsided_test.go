package stats

import (
	"math/rand/v2"
	"testing"
)

// Of 300 units beside 29,700 none has an outcome that 1 % of the others have,
// which happens every twentieth time: that is no harm, however large the harm
// that the guardrail is sharpest for. It was a breach, with a log e-value of 5.
func TestNoneOfFewBesideMany(t *testing.T) {
	for _, tt := range []struct {
		name        string
		at, strata  []Stratum
		g           Guardrail
		established func(Judgement) bool
	}{
		{"few treated", arms(19800, 198, 200, 2), arms(29700, 297, 300, 0), Guardrail{Detect: 1, Direction: Increase},
			func(j Judgement) bool { return j.Breached || j.Harmed }},
		{"few in control", arms(200, 2, 19800, 198), arms(300, 0, 29700, 297), Guardrail{Detect: 5, Direction: Decrease},
			func(j Judgement) bool { return j.Breached || j.Harmed }},
		{"few treated, margin in the metric's unit", arms(19800, 198, 200, 2), arms(29700, 297, 300, 0),
			Guardrail{Margin: 0.05, Absolute: true, Direction: Increase}, func(j Judgement) bool { return j.Harmed }},
	} {
		j := tt.g.Judge(tt.strata, frozen(t, tt.at))
		if tt.established(j) || !j.Band.Contains(0) || j.SE == 0 {
			t.Errorf("%s: %s, log e-values %.2f and %.2f, band %v", tt.name, j.State, j.LogBreach, j.LogHarm, j.Band)
		}
	}
}

// The same of money: the few spent next to nothing, all alike, since none of
// them is one of the 1 % who spend much.
func TestSpendingOfFewBesideMany(t *testing.T) {
	strata := func(control, treated int64) []Stratum {
		return []Stratum{{
			Control:   Mean(Moments{N: control, Mean: 0.01, M2: 0.0099 * float64(control)}),
			Treatment: Mean(Moments{N: treated, Mean: 1e-4, M2: 1e-6 * float64(treated)}),
		}}
	}
	j := Guardrail{Detect: 1, Direction: Increase}.Judge(strata(29700, 300), frozen(t, strata(19800, 200)))
	if j.Breached || j.Harmed || !j.Band.Contains(0) {
		t.Errorf("%s, log e-values %.2f and %.2f, band %v", j.State, j.LogBreach, j.LogHarm, j.Band)
	}
}

// An arm that is small beside the other, of an outcome that 1 % have, looked at
// after every 20 of its units: without harm it is called harmed in at most 5 %
// of rollouts, and harm of the margin is called safe in no more.
func TestFalseAlarmsOfLopsidedArms(t *testing.T) {
	const seed, runs, looks = 41, 300, 100
	for _, tt := range []struct {
		name                string
		control, treatment  int64 // units between looks
		rate                float64
		g                   Guardrail
		harmless, excluding bool
	}{
		{"few treated, fewer are harm", 1980, 20, 0.01, Guardrail{Margin: 0.5, Direction: Increase}, true, false},
		{"few treated, at the edge", 1980, 20, 0.02, Guardrail{Margin: 1, Direction: Decrease}, false, true},
		{"few treated, half gone", 1980, 20, 0.005, Guardrail{Margin: 0.5, Direction: Increase}, false, true},
		{"few in control, more are harm", 20, 1980, 0.01, Guardrail{Detect: 5, Direction: Decrease}, true, false},
		{"few in control, at the edge", 20, 1980, 0.02, Guardrail{Margin: 1, Direction: Decrease}, false, true},
	} {
		harmed, breached, safe := 0, 0, 0
		for i := range uint64(runs) {
			r := rand.New(rand.NewPCG(seed, i))
			var nc, nt, xc, xt int64
			var f Frozen
			ready, h, b, s := false, false, false, false
			for range looks {
				nc, xc = nc+tt.control, xc+binomial(r, tt.control, 0.01)
				nt, xt = nt+tt.treatment, xt+binomial(r, tt.treatment, tt.rate)
				strata := arms(nc, xc, nt, xt)
				if !ready {
					f, ready = Freeze(strata)
				}
				j := tt.g.Judge(strata, f)
				h, b, s = h || j.Harmed, b || j.Breached, s || j.Safe
			}
			harmed, breached, safe = harmed+count(h), breached+count(b), safe+count(s)
		}
		share := func(n int) float64 { return float64(n) / runs }
		t.Logf("seed %d: %s: harmed %.3f, breached %.3f, safe %.3f", seed, tt.name, share(harmed), share(breached), share(safe))
		most := tolerable(0.05, runs)
		if tt.harmless && share(harmed) > most || share(breached) > most || tt.excluding && share(safe) > most {
			t.Errorf("%s: harmed %.3f, breached %.3f, safe %.3f, want at most 0.05", tt.name, share(harmed), share(breached), share(safe))
		}
	}
}
