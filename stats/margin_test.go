package stats

import (
	"math/rand/v2"
	"testing"
)

// edge is a release whose harm is exactly the size that a test is about, at a
// baseline so low that the control mean of the first look is little more than
// a guess.
type edge struct {
	name   string
	pc     float64
	size   float64
	better Direction
}

var edges = []edge{
	{"5 %, half as many more", 0.05, 0.5, Decrease},
	{"5 %, half gone", 0.05, 0.5, Increase},
	{"5 %, a fifth more", 0.05, 0.2, Decrease},
	{"30 %, a tenth gone", 0.30, 0.1, Increase},
	{"2 %, three times as many", 0.02, 2, Decrease},
}

func (e edge) treated() float64 { return e.pc * (1 + e.better.harm()*e.size) }

// A margin is taken of the control mean as it is known at each look. Were it
// that of the first look, kept, then its error would be that of a guess: up to
// one rollout in five whose harm is just the margin would be rolled back.
func TestMarginAtItsEdge(t *testing.T) {
	const seed, runs, looks = 31, 300, 200
	for _, e := range edges {
		g := Guardrail{Margin: e.size, Direction: e.better}
		breached, safe := 0, 0
		for i := range uint64(runs) {
			r := rand.New(rand.NewPCG(seed, i))
			b, s := false, false
			var f Frozen
			var n, xc, xt int64
			ready := false
			for k := range looks {
				batch := int64(100)
				if k >= looks/2 {
					batch = 1000
				}
				n, xc, xt = n+batch, xc+binomial(r, batch, e.pc), xt+binomial(r, batch, e.treated())
				strata := arms(n, xc, n, xt)
				if !ready {
					f, ready = Freeze(strata)
				}
				j := g.Judge(strata, f)
				b, s = b || j.Breached, s || j.Safe
			}
			breached, safe = breached+count(b), safe+count(s)
		}
		fire, pass := float64(breached)/runs, float64(safe)/runs
		t.Logf("seed %d: %s: breached %.4f, safe %.4f", seed, e.name, fire, pass)
		if most := tolerable(0.05, runs); fire > most || pass > most {
			t.Errorf("%s: harm of just the margin was called breached in %v and safe in %v of rollouts, want at most %v", e.name, fire, pass, most)
		}
	}
}

// Harm of just the size is excluded in at most 5 % of rollouts, whatever the
// control mean looked like at first.
func TestExclusionAtItsEdge(t *testing.T) {
	const seed, runs = 32, 200
	for _, e := range edges[4:] {
		n := Guardrail{Margin: e.size, Direction: e.better}.Exclude(e.size, 1)
		wrong := 0
		for i := range uint64(runs) {
			got, _ := walk(rand.New(rand.NewPCG(seed, i)), n, e.pc, e.treated(), 100, 2000)
			wrong += count(got.Excluded)
		}
		share := float64(wrong) / runs
		t.Logf("seed %d: %s: excluded %.4f", seed, e.name, share)
		if most := tolerable(0.05, runs); share > most {
			t.Errorf("%s: harm of just the size was excluded in %v of rollouts, want at most %v", e.name, share, most)
		}
	}
}

func means(control, treatment float64) []Stratum {
	m := func(mean float64) Sample { return Mean(Moments{N: 1000, Mean: mean, M2: 999}) }
	return []Stratum{{Control: m(control), Treatment: m(treatment)}}
}

// A share of a mean below zero is a share of its size: −9 instead of −10 is
// 10 % more.
func TestMarginOfANegativeMean(t *testing.T) {
	g := Guardrail{Margin: 0.05, Direction: Decrease}
	f := frozen(t, means(-10, -10))
	for _, tt := range []struct {
		treatment float64
		want      State
	}{{-9, Breached}, {-9.5, Harmed}, {-10, Safe}, {-11, Safe}} {
		j := g.Judge(means(-10, tt.treatment), f)
		if want := (tt.treatment + 10) / 10; j.State != tt.want || !near(j.Estimate, want, 1e-9) || !j.Bounds.Contains(want) {
			t.Errorf("%v against -10: %s, %v in %v, want %s, %v", tt.treatment, j.State, j.Estimate, j.Bounds, tt.want, want)
		}
	}
}

// A control mean that has crossed zero since the first look has no shares to
// tell effects in, and one that is lost in its noise leaves a side open.
func TestMarginOfAMeanNearZero(t *testing.T) {
	g := Guardrail{Margin: 0.1, Direction: Decrease}
	f := frozen(t, means(1, 1))
	if j := g.Judge(means(-0.01, 0.5), f); j.Relative || !near(j.Estimate, 0.51, 1e-9) || !j.Harmed {
		t.Errorf("control has crossed zero: %+v", j)
	}
	j := g.Judge(means(0.01, 0.01), f)
	if finite(j.Bounds.High) || !j.Relative || j.Breached || j.Safe {
		t.Errorf("control is lost in its noise: %s, %v", j.State, j.Bounds)
	}
}
