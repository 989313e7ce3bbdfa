package groupseq

import (
	"math"
	"testing"
)

// ldbounds 2.0.0, its vignette, section 4: the interval after a test with two
// sides that ended with Z = 2.82 at the last look. Its drift is that of the
// last look, whose fraction is 0.8333.
func TestIntervalPublished(t *testing.T) {
	last := 0.8333
	b := given(t, []float64{0.2292, 0.3333, 0.4375, 0.5833, 0.7083, last}, []float64{2.53, 2.61, 2.57, 2.47, 2.43, 2.38}, 2)
	low, high := b.Interval(5, 2.82, 0.05)
	near(t, "interval", []float64{low * math.Sqrt(last), high * math.Sqrt(last)}, []float64{0.1716782, 4.504662}, 3e-4)
}

// With one look there is nothing to correct.
func TestOneLookIsTheFixedTest(t *testing.T) {
	b := given(t, []float64{1}, []float64{upper(0.025)}, 2)
	low, high := b.Interval(0, 1.3, 0.05)
	near(t, "one look", []float64{b.Estimate(0, 1.3), low, high, b.P(0, 1.3)},
		[]float64{1.3, 1.3 - upper(0.025), 1.3 + upper(0.025), 2 * survival(1.3)}, 1e-9)
}

// The p-value of ending on a bound is the error used up by then, and an early
// crossing says more than any later one.
func TestStagewiseOrder(t *testing.T) {
	b := made(t, Design{Alpha: 0.025, Information: []float64{0.3, 0.3 + 1e-8, 0.7, 1}})
	for _, k := range []int{0, 2, 3} {
		near(t, "p on the bound", []float64{b.P(k, b.Z[k])}, []float64{b.Spent[k]}, 1e-9)
	}
	if b.P(1, 3) != b.P(0, 3) {
		t.Errorf("the same look again has p %v, want %v", b.P(1, 3), b.P(0, 3))
	}
	if early, late := b.P(0, b.Z[0]), b.P(2, b.Z[2]+3); early > late {
		t.Errorf("an early crossing has p %v, a later one %v", early, late)
	}
	z := b.Z[2] + 0.1
	low, high := b.Interval(2, z, 0.05)
	if m := b.Estimate(2, z); !(low < m && m < high) || m > z/math.Sqrt(0.7) {
		t.Errorf("estimate %v in (%v, %v), want less than the plain %v", m, low, high, z/math.Sqrt(0.7))
	}
}
