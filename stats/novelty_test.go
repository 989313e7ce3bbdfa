package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
)

// panel is units with seven days each, which depend on each other by what the
// unit is like; effect adds to a day of a treated unit.
func panel(rng *rand.Rand, units int, effect func(day int) float64) Joint {
	const days = 7
	j := Joint{Means: make([]float64, days), M: make([]float64, days*(days+1)/2)}
	for range units {
		like := 2 * rng.NormFloat64()
		one := make([]float64, days)
		for d := range one {
			one[d] = 10 + like + rng.NormFloat64() + effect(d)
		}
		j = j.Merge(Joint{N: 1, Means: one, M: make([]float64, len(j.M))})
	}
	return j
}

func noEffect(int) float64 { return 0 }

func TestJudgeNovelty(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 9))
	for _, inference := range []Inference{FixedHorizon, AlwaysValid} {
		for _, tt := range []struct {
			name   string
			effect func(day int) float64
			want   Trend
		}{
			{"none", noEffect, Steady},
			{"constant", func(int) float64 { return 1 }, Steady},
			{"novelty", func(d int) float64 { return 1 / float64(1+d) }, Fading},
			{"annoyance", func(d int) float64 { return -1 / float64(1+d) }, Fading},
			{"learning", func(d int) float64 { return 0.15 * float64(d) }, Growing},
		} {
			n := JudgeNovelty([]Days{{Control: panel(rng, 2000, noEffect), Treatment: panel(rng, 2000, tt.effect)}}, Options{Inference: inference})
			if n.Refused != nil || n.State != tt.want || len(n.Days) != 7 || n.Other.DF != 6 {
				t.Errorf("%s, %s: %s, slope %v, want %s", inference, tt.name, n.State, n.Slope.Fixed, tt.want)
			}
			if changes := tt.want != Steady; changes != (n.Other.P < 0.001) {
				t.Errorf("%s, %s: days differ with p = %v", inference, tt.name, n.Other.P)
			}
			if got := n.Days[0].Comparison.Estimate; !near(got, tt.effect(0), 0.3) {
				t.Errorf("%s, %s: effect of the first day %v", inference, tt.name, got)
			}
			if _, err := json.Marshal(n); err != nil {
				t.Error(err)
			}
		}
	}
}

// The slope and its error are those of the units' own least-squares lines, and
// Wald's test of two days is the square of the t of their difference.
func TestNoveltyIsOfUnits(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 10))
	lines := func(units [][]float64) (m Moments, j Joint) {
		j = Joint{Means: make([]float64, 3), M: make([]float64, 6)}
		for _, u := range units {
			m = m.Merge(momentsOf((u[2] - u[0]) / 2)) // the slope of three points
			j = j.Merge(Joint{N: 1, Means: u, M: make([]float64, 6)})
		}
		return m, j
	}
	draw := func(n int) [][]float64 {
		out := make([][]float64, n)
		for i := range out {
			out[i] = []float64{rng.NormFloat64(), 1 + rng.NormFloat64(), rng.ExpFloat64()}
		}
		return out
	}
	mc, jc := lines(draw(60))
	mt, jt := lines(draw(40))
	want := Compare([]Stratum{{Control: Mean(mc), Treatment: Mean(mt)}}, Options{})
	got := JudgeNovelty([]Days{{Control: jc, Treatment: jt}}, Options{}).Slope
	if !near(got.Estimate, want.Estimate, 1e-12) || !near(got.SE, want.SE, 1e-12) || !near(got.P, want.P, 1e-12) {
		t.Errorf("slope %v ± %v, of the units %v ± %v", got.Estimate, got.SE, want.Estimate, want.SE)
	}
	two := []Days{{Control: *jc.pick(0, 1), Treatment: *jt.pick(0, 1)}}
	n := JudgeNovelty(two, Options{})
	if z := n.Slope.Estimate / n.Slope.SE; !near(n.Other.Q, z*z, 1e-9) {
		t.Errorf("Wald's test of two days %v, the square of their difference %v", n.Other.Q, z*z)
	}
}

// Wald's test of days that differ by nothing is wrong as often as it says, also
// where the days of one unit are nearly the same; a test that took days for
// units would be wrong far less often than that, and blind.
func TestNoveltyLevel(t *testing.T) {
	const runs, alpha = 400, 0.05
	rng := rand.New(rand.NewPCG(5, 11))
	wald, line := 0, 0
	for range runs {
		n := JudgeNovelty([]Days{{Control: panel(rng, 120, noEffect), Treatment: panel(rng, 120, noEffect)}}, Options{})
		if n.Other.P <= alpha {
			wald++
		}
		if n.Slope.P <= alpha {
			line++
		}
	}
	noise := 3 * math.Sqrt(alpha*(1-alpha)/runs)
	if got := float64(wald) / runs; math.Abs(got-alpha) > noise+0.02 { // some more of few units
		t.Errorf("Wald's test: %v of the runs", got)
	}
	if got := float64(line) / runs; math.Abs(got-alpha) > noise {
		t.Errorf("slope: %v of the runs", got)
	}
}

func TestJudgeNoveltyRefuses(t *testing.T) {
	flat := Joint{N: 5, Means: make([]float64, 3), M: make([]float64, 6)}
	short := Joint{N: 5, Means: make([]float64, 1), M: make([]float64, 1)}
	bad := Joint{N: 5, Means: []float64{0, math.NaN(), 0}, M: make([]float64, 6)}
	for name, strata := range map[string][]Days{
		"no data":    nil,
		"one day":    {{Control: short, Treatment: short}},
		"other days": {{Control: flat, Treatment: short}},
		"NaN":        {{Control: flat, Treatment: bad}},
		"no units":   {{Control: Joint{Means: flat.Means, M: flat.M}, Treatment: Joint{Means: flat.Means, M: flat.M}}},
		"constants":  {{Control: flat, Treatment: flat}},
	} {
		n := JudgeNovelty(strata, Options{})
		if n.Refused == nil || n.State != Steady || n.Slope.P != 1 || n.Other.P != 1 {
			t.Errorf("%s: %+v", name, n)
		}
		if _, err := json.Marshal(n); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	dull := panel(rand.New(rand.NewPCG(5, 12)), 50, noEffect)
	for d := range 7 { // nothing ever happens on the fourth day
		dull.M[packed(3, d, 7)] = 0
	}
	dull.Means[3] = 0
	if n := JudgeNovelty([]Days{{Control: dull, Treatment: dull}}, Options{}); n.Refused != nil || n.Days[3].Comparison.Refused == nil {
		t.Errorf("one day without events: %+v", n)
	}
}

// Of several faults the same one is named every time.
func TestJudgeNoveltyNamesOneFault(t *testing.T) {
	bad := Joint{N: -1, Means: []float64{1, 1}, M: []float64{1, 0, 1}}
	for range 50 {
		if n := JudgeNovelty([]Days{{Control: bad, Treatment: bad}}, Options{}); n.Refused == nil || n.Refused.Field != "control.n" {
			t.Fatalf("%+v", n.Refused)
		}
	}
}
