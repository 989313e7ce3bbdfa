package stats

import (
	"encoding/json"
	"testing"
)

// Whatever the numbers: no panic, no NaN, a p-value in [0,1], and an interval
// that holds its estimate.
func FuzzCompare(f *testing.F) {
	f.Add(int64(100), int64(10), int64(100), int64(12), 5.0, 60.0, uint8(0), 0.05)
	f.Add(int64(2), int64(0), int64(1<<40), int64(1<<40), -1e9, 1e18, uint8(255), 0.5)
	f.Add(int64(10000), int64(0), int64(10000), int64(500), 1e-90, 1e-90, uint8(7), 1e-12)
	f.Fuzz(func(t *testing.T, nc, xc, nt, xt int64, sum, squares float64, how uint8, alpha float64) {
		strata := arms(nc, xc, nt, xt)
		if how&1 != 0 {
			strata = []Stratum{{Control: Mean(Moments{N: nc, Mean: sum, M2: squares}), Treatment: Mean(Moments{N: nt, Mean: sum / 2, M2: squares})}}
		}
		o := Options{Alpha: alpha, Relative: how&2 != 0, Side: []Side{TwoSided, Greater, Less}[how>>2%3]}
		c := Compare(strata, o)
		if _, err := json.Marshal(c); err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		if !(c.P >= 0 && c.P <= 1 && c.BandP >= 0 && c.BandP <= 1) || c.Refused == nil && (!c.Fixed.Contains(c.Estimate) || !c.Band.Contains(c.Estimate)) {
			t.Fatalf("%+v", c)
		}
		g := Guardrail{Margin: alpha, Detect: 0.1, Direction: Decrease, Alpha: alpha}
		fr, _ := Freeze(strata)
		for _, v := range []any{g.Judge(strata, fr), g.Exclude(0.5, 3).Look(strata, fr, nil), g.Exclude(0.5, 3).Anytime(strata, fr), Success{MDE: 0.1}.Judge(strata, fr)} {
			if _, err := json.Marshal(v); err != nil {
				t.Fatalf("%+v: %v", v, err)
			}
		}
	})
}

func FuzzCounts(f *testing.F) {
	f.Add(int64(0), int64(500), 1.0, 1.0, 2.0, 0.05)
	f.Add(int64(1<<50), int64(1), 1e-12, 1e12, 1e9, 1e-300)
	f.Fuzz(func(t *testing.T, control, treatment int64, rhoC, rhoT, k, alpha float64) {
		j := Events{K: k, Alpha: alpha}.Judge([]EventCounts{{Control: control, Treatment: treatment, Traffic: [2]float64{rhoC, rhoT}}})
		m := SampleRatio(ratio([]int64{control, treatment}, rhoC, rhoT), alpha, k)
		for _, v := range []any{j, m} {
			if _, err := json.Marshal(v); err != nil {
				t.Fatalf("%+v: %v", v, err)
			}
		}
		if !(j.P >= 0 && j.P <= 1 && m.P >= 0 && m.P <= 1 && m.FixedP >= 0 && m.FixedP <= 1) || j.LogRatio.Low > j.LogRatio.High {
			t.Fatalf("%+v %+v", j, m)
		}
	})
}
