package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// scipy.stats.binomtest(3, n=15, p=0.1, alternative='greater') has the p-value
// 0.18406106910639114 in its documentation; 9 of 10 at one half have 0.0215 in
// tables of the sign test (Siegel 1956, table D, doubled).
func TestBinomialPublished(t *testing.T) {
	if got := atLeast(3, 15, 0.1); !near(got, 0.18406106910639114, 1e-12) {
		t.Errorf("P(X >= 3) of 15 at 0.1 = %v", got)
	}
	if got := binomialP(9, 10, 0.5); !near(got, 0.021484375, 1e-12) {
		t.Errorf("9 of 10 at 0.5: %v", got)
	}
	if got := binomialP(5, 10, 0.5); got != 1 {
		t.Errorf("5 of 10 at 0.5: %v", got)
	}
}

func TestQuarantined(t *testing.T) {
	for _, tt := range []struct {
		name              string
		first             []int64
		kept              int64
		tooMany, lopsided bool
	}{
		{"none", []int64{0, 0}, 1000, false, false},
		{"a few", []int64{2, 3}, 100, false, false},
		{"too many", []int64{30, 28}, 1000, true, false},
		{"of one arm", []int64{40, 2}, 100000, false, true},
		{"of one arm, and many", []int64{400, 20}, 10000, true, true},
	} {
		q := Quarantined(ratio(tt.first, 1, 1), tt.kept, 0, 0)
		if q.Refused != nil || q.TooMany != tt.tooMany || q.Lopsided != tt.lopsided || q.Units != tt.first[0]+tt.first[1] {
			t.Errorf("%s: %+v", tt.name, q)
		}
	}
}

// Of epochs with other weights the p-value is that of chi-square over epochs:
// by one pool a step of a ramp would look lopsided.
func TestQuarantinedEpochs(t *testing.T) {
	epochs := append(ratio([]int64{190, 10}, 95, 5), ratio([]int64{100, 100}, 1, 1)...)
	if q := Quarantined(epochs, 1e6, 0, 0); q.Lopsided || q.FixedP != 1 {
		t.Errorf("%+v", q)
	}
}

// Units that begin in the arms as units do raise the alarm in fewer than alpha
// of the cases, however often one looks.
func TestQuarantinedFalseAlarms(t *testing.T) {
	const runs, alpha = 2000, 0.05
	rng := rand.New(rand.NewPCG(5, 8))
	ever := 0
	for range runs {
		units := []int64{0, 0}
		for range 300 {
			units[rng.IntN(2)]++
			if Quarantined(ratio(units, 1, 1), 1e6, 0, alpha).Lopsided {
				ever++
				break
			}
		}
	}
	if limit := alpha + 2*math.Sqrt(alpha*(1-alpha)/runs); float64(ever)/runs > limit {
		t.Errorf("an alarm in %d of %d runs", ever, runs)
	}
}

func TestQuarantinedRefuses(t *testing.T) {
	for name, q := range map[string]Quarantine{
		"no epochs":  Quarantined(nil, 0, 0, 0),
		"one arm":    Quarantined(ratio([]int64{1}, 1), 0, 0, 0),
		"kept":       Quarantined(ratio([]int64{1, 1}, 1, 1), -1, 0, 0),
		"most":       Quarantined(ratio([]int64{1, 1}, 1, 1), 1, 1, 0),
		"NaN alpha":  Quarantined(ratio([]int64{1, 1}, 1, 1), 1, 0, math.NaN()),
		"NaN weight": Quarantined(ratio([]int64{1, 1}, 1, math.NaN()), 1, 0, 0),
	} {
		if q.Refused == nil || q.TooMany || q.Lopsided || q.P != 1 || q.FixedP != 1 {
			t.Errorf("%s: %+v", name, q)
		}
	}
}
