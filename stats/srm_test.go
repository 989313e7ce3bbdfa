package stats

import (
	"encoding/json"
	"math"
	"testing"
)

func ratio(observed []int64, weights ...float64) []Counts {
	return []Counts{{Epoch: 1, Observed: observed, Weights: weights}}
}

// The example of Fabijan et al. (KDD 2019, section 1): 821,588 and 815,482 of an
// equal split have a p-value of 1.8e-6.
func TestSampleRatioPublished(t *testing.T) {
	m := SampleRatio(ratio([]int64{821588, 815482}, 1, 1), 0, 0)
	if !near(m.FixedP, 1.8e-6, 5e-8) || m.LogE < math.Log(100) {
		t.Errorf("p = %v, log e %v, want 1.8e-6 and strong evidence", m.FixedP, m.LogE)
	}
}

// Chi-square as GrowthBook pins it (growthbook 8f1db44,
// packages/back-end/test/stats.test.ts, "calculates SRM correctly").
func TestSampleRatioGrowthBook(t *testing.T) {
	for _, tt := range []struct {
		observed []int64
		weights  []float64
		p        float64
	}{
		{[]int64{1000, 1200}, []float64{0.5, 0.5}, 0.000020079},
		{[]int64{135, 115}, []float64{0.5, 0.5}, 0.205903211},
		{[]int64{310, 98}, []float64{0.75, 0.25}, 0.647434186},
		{[]int64{1000, 1200, 900}, []float64{0.5, 0.5, 0}, 0.000020079}, // the third arm is a leak here, and an alarm
		{[]int64{0, 0, 0}, []float64{0.34, 0.33, 0.33}, 1},
		{[]int64{0, 10, 10}, []float64{0.34, 0.33, 0.33}, 0.005790624},
		{[]int64{500, 500, 600}, []float64{0.34, 0.33, 0.33}, 0.000592638},
		{[]int64{500, 500}, []float64{0.5, 0.5}, 1},
	} {
		m := SampleRatio(ratio(tt.observed, tt.weights...), 0, 0)
		if m.Refused != nil || !near(m.FixedP, tt.p, 5e-10) {
			t.Errorf("%v of %v: p = %v, want %v", tt.observed, tt.weights, m.FixedP, tt.p)
		}
	}
}

// The e-value after two units is a product of two predictions [LM, section 3].
func TestSampleRatioByHand(t *testing.T) {
	m := SampleRatio(ratio([]int64{2, 0}, 1, 1), 0, 10)
	if want := math.Log(5./10/0.5) + math.Log(6./11/0.5); !near(m.LogE, want, 1e-12) {
		t.Errorf("log e = %v, want %v", m.LogE, want)
	}
}

// A step of a ramp changes the weights: by epochs that is no mismatch, in one
// pool it is.
func TestSampleRatioEpochs(t *testing.T) {
	epochs := append(ratio([]int64{9500, 500}, 95, 5), ratio([]int64{5000, 5000}, 1, 1)...)
	if m := SampleRatio(epochs, 0, 0); m.Alarm || m.DF != 2 || m.Statistic != 0 {
		t.Errorf("by epochs: %+v", m)
	}
	if m := SampleRatio(ratio([]int64{14500, 5500}, 1, 1), 0, 0); !m.Alarm {
		t.Errorf("pooled: %+v", m)
	}
}

// 300 units in an arm of weight 0 are an alarm of their own; as a cell of the
// same test they would pass with a p-value of 0.0127.
func TestSampleRatioLeak(t *testing.T) {
	m := SampleRatio(ratio([]int64{5000, 5000, 300}, 1, 1, 0), 0, 0)
	if !m.Alarm || m.Leaked != 300 || m.DF != 1 || m.FixedP != 1 || len(m.Warnings) != 1 {
		t.Errorf("%+v", m)
	}
}

// Fractions that do not add up to a whole may lack an arm, and say so; whole
// numbers are a ratio.
func TestSampleRatioWarnsOfWeightsThatDoNotAddUp(t *testing.T) {
	for _, tt := range []struct {
		weights []float64
		warned  bool
	}{
		{[]float64{0.5, 0.4}, true}, {[]float64{0.05, 0.05}, true}, {[]float64{49.5, 49.5}, true},
		{[]float64{0.5, 0.5}, false}, {[]float64{1. / 3, 2. / 3}, false}, {[]float64{33.3, 66.7}, false}, {[]float64{1, 1}, false}, {[]float64{95, 5}, false},
	} {
		m := SampleRatio(ratio([]int64{500, 400}, tt.weights...), 0, 0)
		a, r := NewAssignments(tt.weights, 0, nil)
		if m.Refused != nil || r != nil || (len(m.Warnings) == 1) != tt.warned || (len(a.Doubt().Warnings) == 1) != tt.warned {
			t.Errorf("%v: warnings %q and %q", tt.weights, m.Warnings, a.Doubt().Warnings)
		}
	}
	a, _ := NewAssignments([]float64{1, 1, 0}, 0, nil)
	if a.Add(2, 7); len(a.Doubt().Warnings) != 1 {
		t.Errorf("seven units in an arm of weight 0: warnings %q", a.Doubt().Warnings)
	}
}

func TestSampleRatioShares(t *testing.T) {
	c := Counts{Observed: []int64{44700, 45489, 0}, Weights: []float64{1, 1, 0}}
	shares := c.Shares(0.05, 0)
	if len(shares) != 3 || shares[2] != (Interval{}) {
		t.Fatalf("shares %v", shares)
	}
	seen := 44700. / 90189
	if !shares[0].Contains(seen) || !shares[0].Contains(0.5) || !near(shares[0].Low, 1-shares[1].High, 1e-9) {
		t.Errorf("shares %v, seen %v", shares, seen)
	}
	// The interval leaves the promised share when the e-value reaches 1/alpha.
	m := SampleRatio([]Counts{c}, 0, 0)
	if shares := c.Shares(math.Exp(-m.LogE)*1.0001, 0); m.LogE > 0 && shares[0].Contains(0.5) {
		t.Errorf("at alpha = 1/e the share 0.5 is within %v", shares[0])
	}
	if (Counts{Observed: []int64{1}, Weights: []float64{1}}).Shares(0, 0) != nil {
		t.Error("shares of one arm")
	}
	for _, s := range (Counts{Observed: []int64{0, 0}, Weights: []float64{1, 1}}).Shares(0, 0) {
		if !s.Contains(0.01) || !s.Contains(0.99) {
			t.Errorf("no units exclude shares beyond %v", s)
		}
	}
}

func TestSampleRatioRefuses(t *testing.T) {
	for name, m := range map[string]SRM{
		"no epochs":        SampleRatio(nil, 0, 0),
		"missing weight":   SampleRatio(ratio([]int64{1, 2}, 1), 0, 0),
		"negative weight":  SampleRatio(ratio([]int64{1, 2}, 1, -1), 0, 0),
		"NaN weight":       SampleRatio(ratio([]int64{1, 2}, 1, math.NaN()), 0, 0),
		"infinite weight":  SampleRatio(ratio([]int64{1, 2}, 1, math.Inf(1)), 0, 0),
		"one arm":          SampleRatio(ratio([]int64{1, 2}, 1, 0), 0, 0),
		"negative count":   SampleRatio(ratio([]int64{-1, 2}, 1, 1), 0, 0),
		"alpha":            SampleRatio(ratio([]int64{1, 2}, 1, 1), 1, 0),
		"negative k":       SampleRatio(ratio([]int64{1, 2}, 1, 1), 0, -1),
		"second epoch bad": SampleRatio(append(ratio([]int64{1, 2}, 1, 1), Counts{}), 0, 0),
	} {
		if m.Refused == nil || m.Alarm || m.P != 1 || m.FixedP != 1 {
			t.Errorf("%s: %+v", name, m)
		}
		if _, err := json.Marshal(m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if m := SampleRatio(ratio([]int64{1, 2}, 1, 1), 0, 0); m.Refused != nil || len(m.Warnings) != 1 {
		t.Errorf("three units: %+v", m)
	}
}
