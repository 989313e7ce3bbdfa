package stats

import (
	"math"
	"testing"
)

// boundsAt returns the bounds of looks at these fractions.
func boundsAt(alpha float64, fractions ...float64) []float64 {
	var p path
	var bounds []float64
	for _, t := range fractions {
		c := p.bound(t, spent(alpha, t))
		p = p.next(t, c)
		bounds = append(bounds, c)
	}
	return bounds
}

// The bounds of O'Brien-Fleming-type spending that ld98 and gsDesign print for
// a two-sided 5 % (one-sided 2.5 %) at five equally spaced looks (Reboussin,
// DeMets, Kim & Lan 2000; Jennison & Turnbull 2000, section 7.2), and for two
// and three looks (gsDesign's sfLDOF).
func TestBoundPublished(t *testing.T) {
	for _, tt := range []struct {
		fractions, want []float64
	}{
		{[]float64{0.2, 0.4, 0.6, 0.8, 1}, []float64{4.8769, 3.3569, 2.6803, 2.2898, 2.0310}},
		{[]float64{0.5, 1}, []float64{2.9626, 1.9686}},
		{[]float64{1. / 3, 2. / 3, 1}, []float64{3.7103, 2.5114, 1.9930}},
	} {
		got := boundsAt(0.025, tt.fractions...)
		for i := range got {
			if math.Abs(got[i]-tt.want[i]) > 1.5e-4 {
				t.Errorf("bounds at %v = %.4f, want %.4f", tt.fractions, got, tt.want)
				break
			}
		}
	}
}

func TestBoundSpendsAll(t *testing.T) {
	var p path
	for i := 1; i <= looksPlanned; i++ {
		f := float64(i) / looksPlanned
		p = p.next(f, p.bound(f, spent(0.05, f)))
	}
	if math.Abs(p.spent-0.05) > 1e-6 || math.Abs(1-p.spent-p.kept(0)) > 1e-5 {
		t.Errorf("spent %v and kept %v, want 0.05 and 0.95", p.spent, p.kept(0))
	}
}

// Twenty looks reach the planned power with the inflation that Needed adds.
func TestInflation(t *testing.T) {
	for _, alpha := range []float64{0.01, 0.025, 0.05} {
		var p path
		for i := 1; i <= looksPlanned; i++ {
			f := float64(i) / looksPlanned
			p = p.next(f, p.bound(f, spent(alpha, f)))
		}
		for _, power := range []float64{0.8, 0.9, 0.95, 0.99} {
			drift := math.Sqrt(inflation * needed(1, alpha, power))
			got := 1 - p.kept(drift)
			t.Logf("alpha %v: power %v is %.4f", alpha, power, got)
			if got < power || got > power+0.02 {
				t.Errorf("alpha %v: power = %.4f, want %v or a little more", alpha, got, power)
			}
		}
	}
}

func BenchmarkTwentyLooks(b *testing.B) {
	for b.Loop() {
		var p path
		for i := 1; i <= looksPlanned; i++ {
			f := float64(i) / looksPlanned
			p = p.next(f, p.bound(f, spent(0.05, f)))
		}
	}
}
