package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sluice-hq/sluice/stats"
)

// short is the simulations in small: a twentieth of the runs, of a fifth of the
// units.
var short = plan{seed: 1, part: 0.05, units: 20_000, data: "../../../shared/data"}

// TestSimulations is the whole program in small, but for the speed, which a
// busy machine does not have.
func TestSimulations(t *testing.T) {
	for _, s := range simulations {
		t.Run(s.name, func(t *testing.T) {
			if s.name == "speed" {
				t.Skip("what something takes is measured on a quiet machine")
			}
			got := s.run(short)
			if strings.HasPrefix(got.under, "Skipped") {
				t.Skip(got.under)
			}
			t.Logf("seed %d\n%s", short.seed, got)
			for _, f := range got.faults {
				t.Error(f)
			}
			if len(got.rows) == 0 {
				t.Error("there are no results")
			}
		})
	}
}

// A test whose error is larger than what is promised is told.
func TestWorseThanPromised(t *testing.T) {
	from := conversion("conversion 20 %", 0.2)
	g := stats.Guardrail{Detect: detect, Direction: from.better, Alpha: 0.4}
	all := repeat(1, 100, func(r *rand.Rand) cries { return even(from, 20_000, 0).watch(r, g) })
	var got table
	cell := got.atMost(share(all, func(c cries) bool { return c.breach }), 0.05, len(all), "alpha is 0.4")
	if len(got.faults) != 1 || !strings.HasSuffix(cell, "!") {
		t.Errorf("a test at 0.4 is taken for one at 0.05: %s, %q", cell, got.faults)
	}
}

// The interval of one look, asked at every look, is wrong as often as theory has
// it. One that is half as wide, or twice, is told, and so is a band that does not
// hold it.
func TestPeekingIsAsTheoryHasIt(t *testing.T) {
	from := conversion("conversion 20 %", 0.2)
	for _, tt := range []struct {
		name   string
		by     float64 // how much wider the interval is
		faults int
	}{{"as it is", 1, 0}, {"half as wide", 0.5, 1}, {"twice as wide, and beyond the band", 2, 2}} {
		all := repeat(1, 150, func(r *rand.Rand) cries {
			var c cries
			var f first
			var clock []float64
			even(from, 20_000, 0).walk(r, func(_ int64, strata []stats.Stratum) bool {
				if f.look(strata) {
					j := stats.Guardrail{Detect: detect, Direction: from.better, Alpha: 0.2}.Judge(strata, f.frozen)
					j.Fixed.Low, j.Fixed.High = j.Estimate-tt.by*(j.Estimate-j.Fixed.Low), j.Estimate+tt.by*(j.Fixed.High-j.Estimate)
					c, clock = c.hear(j, 0), append(clock, j.Information)
				}
				return true
			})
			c.walked = leaves(r, clock)
			return c
		})
		var got table
		got.peeking(from, all, tt.name)
		if len(got.faults) != tt.faults {
			t.Errorf("%s: faults %q, want %d", tt.name, got.faults, tt.faults)
		}
	}
}

// What comes out depends on the seed alone, not on what finishes first.
func TestRepeat_isDeterministic(t *testing.T) {
	one := func(r *rand.Rand) float64 { return r.Float64() }
	if diff := cmp.Diff(repeat(7, 1000, one), repeat(7, 1000, one)); diff != "" {
		t.Error(diff)
	}
	if slices.Equal(repeat(7, 10, one), repeat(8, 10, one)) {
		t.Error("two seeds draw the same")
	}
}

// Samples have the mean that their population says, also of the treated ones,
// and binomial numbers have the mean and variance of a binomial distribution.
func TestPopulations(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	for _, p := range kinds {
		s := p.more(r, 0, 1)
		for range 4000 {
			s = s.Merge(p.more(r, 100, 1.2))
		}
		if got, want := s.Center(), 1.2*p.mean; math.Abs(got-want) > 0.05*want || s.N != 400_000 {
			t.Errorf("%s: mean %v of %d units, want %v", p.name, got, s.N, want)
		}
	}
	var values []float64
	for range 20_000 {
		values = append(values, float64(binomial(r, 130, 0.3)))
	}
	m := moments(values)
	if math.Abs(m.Mean-39) > 0.15 || math.Abs(m.Variance()-27.3) > 1 {
		t.Errorf("130 units of chance 0.3: mean %v, variance %v, want 39 and 27.3", m.Mean, m.Variance())
	}
	if binomial(r, 77, 1) != 77 || binomial(r, 77, 0) != 0 {
		t.Error("a chance of 1 or 0 leaves nothing to chance")
	}
}

// Joint moments are those of the values one by one.
func TestJoint(t *testing.T) {
	got := joint(2, []float64{1, 2, 3, 2, 5, 8})
	want := stats.Joint{N: 3, Means: []float64{3, 4}, M: []float64{8, 12, 24}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
