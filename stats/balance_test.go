package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
)

// history is the joint moments of units with a value, the value before, and
// whether there was none.
func history(rng *rand.Rand, n int, shift, fresh float64) Joint {
	j := Joint{Means: make([]float64, 3), M: make([]float64, 6)}
	for range n {
		before, none := 10+shift+3*rng.NormFloat64(), 0.0
		if rng.Float64() < fresh {
			before, none = 0, 1
		}
		j = j.Merge(Joint{N: 1, Means: []float64{before + rng.NormFloat64(), before, none}, M: make([]float64, 6)})
	}
	return j
}

func withHistory(control, treatment Joint) []Stratum {
	return []Stratum{{Control: Mean(control.Moments(0)).With(control), Treatment: Mean(treatment.Moments(0)).With(treatment)}}
}

func TestPrePeriod(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 4))
	even := PrePeriod(withHistory(history(rng, 3000, 0, 0.2), history(rng, 3000, 0, 0.2)), 0)
	shifted := PrePeriod(withHistory(history(rng, 3000, 0, 0), history(rng, 3000, 1, 0)), 0)
	fresher := PrePeriod(withHistory(history(rng, 3000, 0, 0.2), history(rng, 3000, 0, 0.3)), 0)
	if even.Alarm || even.P < 0.01 || even.New == nil || len(even.Warnings) != 0 {
		t.Errorf("units alike: %+v", even)
	}
	if !shifted.Alarm || !near(shifted.Difference, 1./3, 0.05) || len(shifted.Warnings) != 1 {
		t.Errorf("a shift of a third of a deviation: %+v", shifted)
	}
	if !fresher.Alarm || !near(fresher.New.Estimate, 0.1, 0.03) {
		t.Errorf("a tenth more new units: %+v", fresher)
	}
}

// The ratio before first exposure is compared as a ratio; which units are new
// is not known of it.
func TestPrePeriodOfRatio(t *testing.T) {
	j := Joint{N: 400, Means: []float64{5, 10, 4, 10}, M: []float64{400, 0, 0, 0, 400, 0, 0, 400, 0, 400}}
	o := j
	o.Means = []float64{5, 10, 6, 10}
	b := PrePeriod([]Stratum{{Control: RatioSample(j), Treatment: RatioSample(o)}}, 0)
	if b.Refused != nil || b.New != nil || !near(b.Before.Estimate, 0.2, 1e-12) || !b.Alarm {
		t.Errorf("%+v", b)
	}
}

func TestPrePeriodRefuses(t *testing.T) {
	flat := Joint{N: 5, Means: make([]float64, 3), M: make([]float64, 6)}
	for name, strata := range map[string][]Stratum{
		"no data":       nil,
		"no baseline":   {{Control: Proportion(10, 1), Treatment: Proportion(10, 2)}},
		"no ratio then": {{Control: RatioSample(Joint{N: 3, Means: []float64{1, 1}, M: []float64{1, 0, 1}}), Treatment: Sample{Kind: KindRatio}}},
		"a quantile":    {{Control: Sample{Kind: KindQuantile}, Treatment: Sample{Kind: KindQuantile}}},
		"all equal":     withHistory(flat, flat),
		"NaN":           withHistory(flat, Joint{N: 5, Means: []float64{0, math.NaN(), 0}, M: make([]float64, 6)}),
		"other units":   {{Control: Proportion(9, 1).With(flat), Treatment: Proportion(5, 1).With(flat)}},
		"few products":  {{Control: Proportion(5, 1).With(Joint{N: 5, Means: make([]float64, 3)}), Treatment: Proportion(5, 1).With(flat)}},
	} {
		b := PrePeriod(strata, 0)
		if b.Refused == nil || b.Alarm || b.P != 1 || b.Before.P != 1 {
			t.Errorf("%s: %+v", name, b)
		}
		if _, err := json.Marshal(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPrePeriodRefusesAlpha(t *testing.T) {
	j := history(rand.New(rand.NewPCG(5, 5)), 50, 0, 0)
	for _, alpha := range []float64{-1, 1, math.NaN()} {
		if b := PrePeriod(withHistory(j, j), alpha); b.Refused == nil || b.Refused.Field != "alpha" {
			t.Errorf("alpha %v: %+v", alpha, b)
		}
	}
}

func TestLogMean(t *testing.T) {
	if got := logMean(math.Log(3), math.Log(5)); !near(got, math.Log(4), 1e-12) {
		t.Errorf("log mean of 3 and 5 = %v, want log 4", got)
	}
	if got := logMean(2000, -2000); !near(got, 2000-math.Ln2, 1e-12) {
		t.Errorf("log mean beyond floats = %v", got)
	}
}
