package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
)

// confseq, test/uniform_boundaries_unittest.cpp: the one-sided beta-binomial
// mixture of steps of −0.2 and 0.8 (a chance of 0.2), at s = 10 and v = 100, and
// the s of its bound. Its concentration is (ρ − gh)/(gh), with ρ tuned to v.
func TestBetaBinomialPublished(t *testing.T) {
	const chance, v = 0.2, 100.0
	n := v / (chance * (1 - chance))
	k := (tuned(v, 2*0.05).R - chance*(1-chance)) / (chance * (1 - chance))
	at := func(s float64) float64 {
		return logBeyond(s+chance*n, n-s-chance*n, chance, k*chance, k*(1-chance))
	}
	if got := at(10); !near(got, -0.07134019, 1e-7) {
		t.Errorf("log e %v, want -0.07134019", got)
	}
	if got := at(28.41238); !near(got, -math.Log(0.05), 1e-5) {
		t.Errorf("log e at the bound %v, want log 20", got)
	}
}

func TestEventRateStates(t *testing.T) {
	e := EventRate{Rate: 0.001, Margin: 2}
	for _, tt := range []struct {
		failing, units int64
		want           State
	}{
		{0, 100, Unknown}, {2, 3, Unknown}, {3, 3, Breached}, {30, 10000, Unknown}, {60, 10000, Breached},
		{10, 10000, Unknown}, {100, 100000, Safe}, {0, 10000, Safe},
	} {
		j := e.Judge(tt.failing, tt.units)
		if j.State != tt.want || j.Refused != nil || !j.Bounds.Contains(j.Estimate) {
			t.Errorf("%d of %d: %s, log e %v and %v, %v, want %s", tt.failing, tt.units, j.State, j.LogE, j.LogSafe, j.Bounds, tt.want)
		}
		if (j.LogE >= j.Threshold) != (j.Bounds.Low >= 0.002) || (j.LogSafe >= j.Threshold) != (j.Bounds.High <= 0.002) {
			t.Errorf("%d of %d: %v and %v beside %v", tt.failing, tt.units, j.LogE, j.LogSafe, j.Bounds)
		}
	}
	if j := e.Judge(2, 3); len(j.Warnings) != 1 {
		t.Errorf("two failing units: %q", j.Warnings)
	}
}

// Asked at every unit, it cries wolf in at most 5 % of runs.
func TestEventRateFalseAlarms(t *testing.T) {
	const seed, runs, units = 41, 1000, 4000
	e := EventRate{Rate: 0.005}
	alarms := 0
	for i := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, i))
		failing, alarm := int64(0), false
		for n := int64(1); n <= units && !alarm; n++ {
			if r.Float64() < e.Rate {
				failing++
				d := e.defaults()
				alarm = failing >= d.Floor && d.above(failing, n, e.Rate) >= -math.Log(d.Alpha)
			}
		}
		alarms += count(alarm)
	}
	got := float64(alarms) / runs
	t.Logf("seed %d: false alarms %.4f", seed, got)
	if got > tolerable(DefaultAlpha, runs) {
		t.Errorf("false alarms in %v of runs", got)
	}
}

func TestEventRateRefuses(t *testing.T) {
	ok := EventRate{Rate: 0.01}
	for name, tt := range map[string]struct {
		field string
		j     RateJudgement
	}{
		"no rate":      {"rate", EventRate{}.Judge(1, 10)},
		"NaN":          {"rate", EventRate{Rate: math.NaN()}.Judge(1, 10)},
		"all may fail": {"rate", EventRate{Rate: 1}.Judge(1, 10)},
		"margin":       {"margin", EventRate{Rate: 0.01, Margin: 0.5}.Judge(1, 10)},
		"beyond one":   {"margin", EventRate{Rate: 0.5, Margin: 2}.Judge(1, 10)},
		"alpha":        {"alpha", EventRate{Rate: 0.01, Alpha: 2}.Judge(1, 10)},
		"k":            {"k", EventRate{Rate: 0.01, K: -1}.Judge(1, 10)},
		"no units":     {"counts", ok.Judge(0, 0)},
		"more failing": {"counts", ok.Judge(11, 10)},
		"negative":     {"counts", ok.Judge(-1, 10)},
	} {
		j := tt.j
		if j.Refused == nil || j.Refused.Field != tt.field || j.State != Unknown || j.P != 1 || j.Bounds != Open() {
			t.Errorf("%s: %+v", name, j)
		}
		if _, err := json.Marshal(j); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Within a margin of twice the rate: shown once enough units failed in both
// arms, and not before.
func TestEventsSafe(t *testing.T) {
	for failing, want := range map[int64]State{5: Unknown, 1000: Safe} {
		if j := (Events{Margin: 2}).Judge(events(failing, failing)); j.State != want || (j.State == Safe) != (j.Bounds.High <= math.Ln2) {
			t.Errorf("%d each: %s beside %v, want %s", failing, j.State, j.Bounds, want)
		}
	}
	if j := (Events{}).Judge(events(1000, 100)); j.State == Safe {
		t.Error("a margin of 1 can only stop")
	}
}
