package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// grown is a rollout whose arms grow by so many units between looks, of which
// the shares have the outcome; or whose values have these means.
type grown struct {
	control, treatment int64
	pc, pt             float64
	sd                 float64 // of values; zero: shares
}

func (g grown) more(r *rand.Rand, n int64, level float64) Sample {
	if g.sd == 0 {
		return Proportion(n, binomial(r, n, level))
	}
	return valued(n, level+g.sd*r.NormFloat64()/math.Sqrt(float64(n)), g.sd)
}

// variance is that of one unit where the arms are equal.
func (g grown) variance() float64 {
	if g.sd == 0 {
		return g.pc * (1 - g.pc)
	}
	return g.sd * g.sd
}

// walk calls look after every step until it returns false.
func (g grown) walk(r *rand.Rand, look func(strata []Stratum, f Frozen) bool) {
	var s Stratum
	var f Frozen
	ready := false
	for range 2000 {
		s.Control, s.Treatment = s.Control.Merge(g.more(r, g.control, g.pc)), s.Treatment.Merge(g.more(r, g.treatment, g.pt))
		strata := []Stratum{s}
		if !ready {
			if f, ready = Freeze(strata); ready {
				f.ControlMean, f.Variance = g.pc, g.variance() // the plan is asked here, not how well a first look guesses
			}
		}
		if ready && !look(strata, f) {
			return
		}
	}
}

// An effect of the size that a success metric is to find is found, with the
// power, when the information is there that it says it needs. Needed was that of
// a test with one side and one look: of its 80 % it had half.
func TestSuccessNeeds(t *testing.T) {
	const seed, runs = 51, 400
	for _, tt := range []struct {
		name  string
		s     Success
		grown grown
	}{
		{"a tenth more of 10 %", Success{MDE: 0.1}, grown{1000, 1000, 0.1, 0.11, 0}},
		{"a tenth less of 10 %, one of four metrics", Success{MDE: 0.1, Direction: Decrease, Alpha: 0.0125}, grown{1000, 1000, 0.1, 0.09, 0}},
		{"five points more, few treated", Success{MDE: 0.05, Absolute: true}, grown{1900, 100, 0.2, 0.25, 0}},
	} {
		found := 0
		for i := range uint64(runs) {
			tt.grown.walk(rand.New(rand.NewPCG(seed, i)), func(strata []Stratum, f Frozen) bool {
				o := tt.s.Judge(strata, f)
				if o.Information < o.Needed {
					return true
				}
				found += count(o.Verdict == Superior)
				return false
			})
		}
		power := float64(found) / runs
		t.Logf("seed %d: %s: power %.3f", seed, tt.name, power)
		if math.Abs(power-0.8) > 3*math.Sqrt(0.16/runs)+0.02 {
			t.Errorf("%s: found in %v of rollouts with the information that is needed, want 0.8", tt.name, power)
		}
	}
}

// Harm that is not there is excluded with the power when the planned information
// is used up, also where the margin is large, so that the hypothesis is far less
// or more noisy than the truth, and where few units are treated. Planned from the
// noise of the sample and for equal arms, twice the share was excluded in 97 % of
// harmless canaries after more than twice the units, and of values whose half was
// not to go the plan was used up with a power of a half.
func TestExclusionNeeds(t *testing.T) {
	const seed, runs = 52, 150
	for _, tt := range []struct {
		name  string
		n     NonInferiority
		grown grown
	}{
		{"half gone, equal arms", NonInferiority{Size: 0.5}, grown{100, 100, 0.05, 0.05, 0}},
		{"half gone, one in twenty treated", NonInferiority{Size: 0.5}, grown{950, 50, 0.05, 0.05, 0}},
		{"as many more, equal arms", NonInferiority{Size: 1, Direction: Decrease}, grown{50, 50, 0.05, 0.05, 0}},
		{"as many more, one in twenty treated", NonInferiority{Size: 1, Direction: Decrease}, grown{475, 25, 0.05, 0.05, 0}},
		{"half of values gone, one in twenty treated", NonInferiority{Size: 0.5}, grown{1900, 100, 1, 1, 5}},
		{"five points more of 10 %", NonInferiority{Size: 0.05, Absolute: true, Direction: Decrease, Power: 0.9}, grown{50, 50, 0.1, 0.1, 0}},
	} {
		excluded, want := 0, or(tt.n.Power, DefaultPower)
		for i := range uint64(runs) {
			var past []Look
			tt.grown.walk(rand.New(rand.NewPCG(seed, i)), func(strata []Stratum, f Frozen) bool {
				e := tt.n.Look(strata, f, past)
				if e.Taken != nil {
					past = append(past, *e.Taken)
				}
				excluded += count(e.Excluded)
				return !e.Ended
			})
		}
		power := float64(excluded) / runs
		t.Logf("seed %d: %s: power %.3f", seed, tt.name, power)
		if math.Abs(power-want) > 3*math.Sqrt(want*(1-want)/runs)+0.03 {
			t.Errorf("%s: excluded in %v of harmless rollouts, want %v", tt.name, power, want)
		}
	}
}
