package stats

import "testing"

// The slopes of two covariates are those of three of which the last is noise
// that goes with nothing, also where the two are nearly alike, and one of two
// that tell the same is left out.
func TestPairOfCovariates(t *testing.T) {
	for _, r := range []float64{-0.9, 0, 0.3, 0.999} {
		pair := normalEquations{free: 1, yx: []float64{2, 1}, xx: []float64{4, 2 * r, 1}, large: make([]float64, 2)}
		more := normalEquations{free: 1, yx: []float64{2, 1, 0}, xx: []float64{4, 2 * r, 0, 1, 0, 9}, large: make([]float64, 3)}
		got, spent := pair.solve()
		want, _ := more.solve()
		if spent != 2 || !near(got[0], want[0], 1e-9) || !near(got[1], want[1], 1e-9) {
			t.Errorf("correlation %v: slopes %v of %d, want %v", r, got, spent, want)
		}
	}
	same := normalEquations{free: 1, yx: []float64{2, 1}, xx: []float64{4, 2, 1}, large: make([]float64, 2)}
	if got, spent := same.solve(); spent != 1 || got[0] != 0.5 || got[1] != 0 {
		t.Errorf("two that tell the same: slopes %v of %d, want [0.5 0] of 1", got, spent)
	}
}
