package stats

import (
	"math"
	"testing"

	"github.com/sluice-hq/sluice/stats/groupseq"
)

// Twenty looks reach the planned power with the inflation that Needed adds: the
// constant of O'Brien and Fleming's type, and what others work out.
func TestInflation(t *testing.T) {
	for _, spending := range []groupseq.Spending{{}, {Family: groupseq.Pocock}, {Family: groupseq.Power, Rho: 2}, {Family: groupseq.HSD, Gamma: -4}} {
		for _, alpha := range []float64{0.01, 0.025, 0.05} {
			b, err := groupseq.Design{Alpha: alpha, Information: groupseq.Equal(looksPlanned), Spending: spending}.Boundary()
			if err != nil {
				t.Fatal(err)
			}
			for _, power := range []float64{0.8, 0.9, 0.95, 0.99} {
				n := NonInferiority{Alpha: alpha, Power: power, Spending: spending}
				got := b.Power(math.Sqrt(n.inflation() * needed(1, alpha, power)))
				if got < power-1e-6 || got > power+0.02 {
					t.Errorf("%+v, alpha %v: power = %.4f, want %v or a little more", spending, alpha, got, power)
				}
			}
		}
	}
}
