package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// walk collects batches of two equal arms until the test has ended or the
// batches have, and returns the last answer and the looks taken.
func walk(r *rand.Rand, n NonInferiority, pc, pt float64, batch int64, batches int) (Exclusion, []Look) {
	var nn, xc, xt int64
	var f Frozen
	var e Exclusion
	var looks []Look
	ready := false
	for range batches {
		nn += batch
		xc += binomial(r, batch, pc)
		xt += binomial(r, batch, pt)
		strata := arms(nn, xc, nn, xt)
		if !ready {
			f, ready = Freeze(strata)
		}
		e = n.Look(strata, f, looks)
		if e.Taken != nil {
			looks = append(looks, *e.Taken)
		}
		if e.Ended {
			break
		}
	}
	return e, looks
}

func binomial(r *rand.Rand, n int64, p float64) int64 {
	return int64(distuv.Binomial{N: float64(n), P: p, Src: r}.Rand())
}

func TestLookExcludesHarmlessChange(t *testing.T) {
	const seed, runs = 11, 150
	n := Guardrail{Margin: 0.05, Direction: Increase}.Exclude(0.2, 1)
	if !near(n.Power, 0.875, 1e-12) || n.Size != 0.2 {
		t.Fatalf("the only test of a plan has power %v", n.Power)
	}
	excluded := 0
	for i := range uint64(runs) {
		e, looks := walk(rand.New(rand.NewPCG(seed, i)), n, 0.2, 0.2, 250, 100)
		if !e.Ended || len(looks) == 0 || len(looks) > looksPlanned {
			t.Fatalf("seed %d/%d: ended %v after %d looks", seed, i, e.Ended, len(looks))
		}
		if e.Excluded {
			excluded++
		}
	}
	power := float64(excluded) / runs
	t.Logf("seed %d: power %.3f", seed, power)
	if power < 0.875-3*0.027 {
		t.Errorf("power = %v, want about 0.875", power)
	}
}

// Harm of exactly the size is excluded in at most 5 % of rollouts. The size is
// absolute, so that the noise of the frozen mean plays no part.
func TestLookErrorAtTheSize(t *testing.T) {
	const seed, runs = 12, 600
	n := NonInferiority{Size: 0.04, Absolute: true, Direction: Increase}
	wrong := 0
	for i := range uint64(runs) {
		if e, _ := walk(rand.New(rand.NewPCG(seed, i)), n, 0.2, 0.16, 250, 100); e.Excluded {
			wrong++
		}
	}
	got := float64(wrong) / runs
	t.Logf("seed %d: error %.4f", seed, got)
	if got > 0.05+3*math.Sqrt(0.05*0.95/runs) {
		t.Errorf("harm of the size was excluded in %v of runs, want at most 0.05", got)
	}
}

func TestLookIsTakenAtTwentieths(t *testing.T) {
	n := NonInferiority{Size: 0.2, Direction: Increase}
	half := arms(800, 160, 800, 120)
	f := frozen(t, half)
	e := n.Look(half, f, nil)
	if e.Taken == nil || e.Taken.Clock != e.Clock || e.Next <= e.Clock || e.Excluded || e.Ended {
		t.Fatalf("first look: %+v", e)
	}
	if step := e.Next / e.Needed * looksPlanned; !near(step, math.Round(step), 1e-9) || step-e.Fraction*looksPlanned > 1 {
		t.Errorf("next look at %v twentieths, after %v", step, e.Fraction*looksPlanned)
	}
	looks := []Look{*e.Taken}
	again := n.Look(half, f, looks)
	if again.Taken != nil || again.Critical != e.Critical || again.Excluded {
		t.Errorf("between looks: %+v", again)
	}
	if less := n.Look(arms(700, 140, 700, 110), f, looks); less.Taken != nil {
		t.Errorf("a look at less information was taken: %+v", less)
	}
	over := n.Look(arms(20000, 4000, 20000, 4000), f, looks)
	if over.Taken == nil || !over.Excluded || !over.Ended || over.Next != 0 {
		t.Errorf("overrun: %+v", over)
	}
	looks = append(looks, *over.Taken)
	if after := n.Look(arms(30000, 6000, 30000, 3000), f, looks); !after.Excluded || after.Taken != nil {
		t.Errorf("an answer that was given has changed: %+v", after)
	}
	failed := []Look{{Clock: 2 * e.Needed, Bound: 1.645, Z: 0}}
	if after := n.Look(arms(90000, 18000, 90000, 18000), f, failed); after.Excluded || !after.Ended {
		t.Errorf("the error is used up, and was spent again: %+v", after)
	}
}

// At one look the bound is that of a fixed test, and evidence for exclusion
// that holds at every look comes later.
func TestAnytimeNeedsMore(t *testing.T) {
	n := NonInferiority{Size: 0.1, Direction: Decrease}
	var byLook, anytime int64
	for units := int64(500); units < 100000 && anytime == 0; units += 500 {
		strata := arms(units, units/5, units, units/5)
		f := frozen(t, strata)
		if byLook == 0 && n.Look(strata, f, nil).Excluded {
			byLook = units
		}
		e := n.Anytime(strata, f)
		if e.Excluded != (e.Z >= e.Critical) || e.Excluded != (e.Bounds.High <= 0.1) {
			t.Errorf("%d units: excluded %v, z %v of %v, %v", units, e.Excluded, e.Z, e.Critical, e.Bounds)
		}
		if e.Excluded {
			anytime = units
		}
	}
	if byLook == 0 || anytime <= byLook {
		t.Errorf("excluded at %d units by spending, %d at any time", byLook, anytime)
	}
}

func TestNonInferiorityRefuses(t *testing.T) {
	ok := arms(1000, 100, 1000, 100)
	f := frozen(t, ok)
	for _, tt := range []struct {
		name string
		n    NonInferiority
		s    []Stratum
		f    Frozen
		code Code
	}{
		{"size 0", NonInferiority{}, ok, f, BadInput},
		{"NaN", NonInferiority{Size: math.NaN()}, ok, f, BadInput},
		{"alpha", NonInferiority{Size: 1, Alpha: -1}, ok, f, BadInput},
		{"direction", NonInferiority{Size: 1, Direction: "up"}, ok, f, BadInput},
		{"nothing frozen", NonInferiority{Size: 1}, ok, Frozen{}, TooFewUnits},
		{"no data", NonInferiority{Size: 1}, nil, f, TooFewUnits},
		{"no variance", NonInferiority{Size: 1}, arms(9, 0, 9, 0), f, ZeroVariance},
		{"share of 0", NonInferiority{Size: 1}, ok, Frozen{Variance: 1}, Unbounded},
	} {
		for _, e := range []Exclusion{tt.n.Look(tt.s, tt.f, nil), tt.n.Anytime(tt.s, tt.f)} {
			if e.Refused == nil || e.Refused.Code != tt.code || e.Excluded || e.Taken != nil {
				t.Errorf("%s: refused %v, want %s", tt.name, e.Refused, tt.code)
			}
			if _, err := json.Marshal(e); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}
