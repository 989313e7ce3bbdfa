package stats_test

import (
	"fmt"

	"github.com/sluice-hq/sluice/stats"
)

// The same answer in three ways: of one look, of every look, and as a belief.
func ExampleCompare() {
	strata := []stats.Stratum{{Control: stats.Proportion(44700, 8502), Treatment: stats.Proportion(45489, 8279)}}
	for _, i := range []stats.Inference{stats.FixedHorizon, stats.AlwaysValid, stats.Bayes} {
		c := stats.Compare(strata, stats.Options{Relative: true, Inference: i})
		bounds, p := c.Answer()
		fmt.Printf("%s: %.1f %% [%.1f, %.1f], p = %.3f\n", i, 100*c.Estimate, 100*bounds.Low, 100*bounds.High, p)
	}
	// Output:
	// fixed: -4.3 % [-6.9, -1.7], p = 0.001
	// always-valid: -4.3 % [-8.7, 0.1], p = 0.067
	// bayes: -4.3 % [-6.9, -1.7], p = 0.001
}

// Eleven events from 800 hours against 21 from 3,011.
func ExampleCompareRates() {
	c := stats.CompareRates(stats.EventCounts{Control: 21, Treatment: 11, Traffic: [2]float64{3011, 800}}, stats.Options{Relative: true})
	fmt.Printf("%.2f times the rate [%.2f, %.2f]\n", 1+c.Estimate, 1+c.Fixed.Low, 1+c.Fixed.High)
	// Output: 1.97 times the rate [0.86, 4.28]
}

// A ramp is no mismatch: each epoch has its own weights.
func ExampleSampleRatio() {
	m := stats.SampleRatio([]stats.Counts{
		{Epoch: 1, Observed: []int64{9480, 520}, Weights: []float64{95, 5}},
		{Epoch: 2, Observed: []int64{5020, 4980}, Weights: []float64{50, 50}},
	}, 0, 0)
	fmt.Println(m.Alarm, m.Leaked)
	// Output: false 0
}

// The first two of three metrics are successes, taken together.
func ExampleAdjust() {
	a := stats.Adjust([]float64{0.01, 0.02, 0.2}, stats.Holm, 0.05)
	fmt.Println(a.P, a.Rejected)
	// Output: [0.03 0.04 0.2] [true true false]
}
