package stats

import (
	"math"
	"testing"
)

// Published: Student's t at 2.5 % and 0.05 % (Fisher & Yates 1963, table III;
// also NIST/SEMATECH e-Handbook, 1.3.6.7.2), to three decimals.
func TestStudentUpper(t *testing.T) {
	for _, tt := range []struct{ nu, tail, want float64 }{
		{10, 0.025, 2.228}, {30, 0.025, 2.042}, {40, 0.025, 2.021}, {60, 0.025, 2.000}, {100, 0.025, 1.984},
		{40, 0.0005, 3.551}, {60, 0.0005, 3.460}, {100, 0.001, 3.174}, {1e9, 0.025, 1.960},
	} {
		if got := studentUpper(tt.tail, tt.nu); !near(got, tt.want, 6e-4) {
			t.Errorf("t of %v degrees at %v = %v, want %v", tt.nu, tt.tail, got, tt.want)
		}
	}
}

// The upper quantile has the tail that it is of, on both sides of every
// change of method, also where the inverse of the incomplete beta function
// answers something else.
func TestStudentThereAndBack(t *testing.T) {
	for _, nu := range []float64{2, 29, 30, 31, 200, 999, 1000, 1e5, 1e7} {
		for _, tail := range []float64{0.49, 0.2, 0.025, 1e-4, 1e-7, 1e-10} {
			x := studentUpper(tail, nu)
			if got := studentAbove(x, nu); math.Abs(got/tail-1) > 1e-8 {
				t.Errorf("%v degrees: the tail of the quantile %v at %v is %v", nu, x, tail, got)
			}
			if got := studentAbove(-x, nu); !near(got, 1-tail, 1e-9) {
				t.Errorf("%v degrees: above %v is %v, want %v", nu, -x, got, 1-tail)
			}
		}
	}
}

// Expansions and the incomplete beta function agree where both are good.
func TestStudentExpansions(t *testing.T) {
	below := math.Nextafter(manyDegrees, 0)
	for _, x := range []float64{0.01, 0.5, 1, 2, 4, 8, 12} {
		a, b := studentAbove(x, below), studentAbove(x, manyDegrees)
		if math.Abs(a/b-1) > 2e-12 {
			t.Errorf("tails of %v differ where methods meet: %v and %v", x, a, b)
		}
	}
}
