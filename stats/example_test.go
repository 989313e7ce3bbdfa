package stats_test

import (
	"fmt"
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// The first gate of Cookie Cats was moved from level 30 to level 40: fewer
// players came back on day 7.
func ExampleGuardrail_Judge() {
	strata := []stats.Stratum{{Epoch: 1, Stage: "experiment",
		Control: stats.Proportion(44700, 8502), Treatment: stats.Proportion(45489, 8279)}}
	frozen, _ := stats.Freeze(strata)
	g := stats.Guardrail{Margin: 0, Detect: 0.04, Direction: stats.Increase}
	j := g.Judge(strata, frozen)
	fmt.Printf("%s: %.1f %% [%.1f, %.1f], e = %.0f\n", j.State, 100*j.Estimate, 100*j.Bounds.Low, 100*j.Bounds.High, math.Exp(j.LogBreach))
	// Output: breached: -4.3 % [-7.9, -0.5], e = 57
}

// A failure that never existed before needs no baseline.
func ExampleEvents_Judge() {
	j := stats.Events{}.Judge([]stats.EventCounts{{Control: 0, Treatment: 7, Traffic: [2]float64{0.5, 0.5}}})
	fmt.Printf("%s, e = %.0f\n", j.State, math.Exp(j.LogE))
	// Output: breached, e = 32
}

// The grades of Lin 2013, table 2: what the students had at school explains a
// part of what they have now.
func ExampleCompare_cuped() {
	arm := func(n int64, mean, before, squares, products, squaresBefore float64) stats.Sample {
		j := stats.Joint{N: n, Means: []float64{mean, before}, M: []float64{squares, products, squaresBefore}}
		return stats.Mean(j.Moments(0)).With(j)
	}
	c := stats.Compare([]stats.Stratum{{
		Control:   arm(99, 1.8560, 78.584, 91.7526, 176.4835, 1936.494),
		Treatment: arm(58, 1.8198, 79.129, 51.9965, 79.7353, 1026.300),
	}}, stats.Options{})
	fmt.Printf("%.3f ± %.3f, %.0f %% of the variance gone\n", c.Estimate, c.SE, 100*c.CUPED.Reduction)
	// Output: -0.083 ± 0.149, 12 % of the variance gone
}

// Requests of one session are alike: the share of slow ones is a ratio over
// sessions.
func ExampleRatioSample() {
	slow := func(n int64, share, spread float64) stats.Sample {
		return stats.RatioSample(stats.Joint{N: n, Means: []float64{20 * share, 20}, M: []float64{spread, 0, float64(n) * 25}})
	}
	c := stats.Compare([]stats.Stratum{{Control: slow(5000, 0.05, 1e4), Treatment: slow(5000, 0.06, 1.2e4)}}, stats.Options{})
	fmt.Printf("%.3f [%.4f, %.4f]\n", c.Estimate, c.Fixed.Low, c.Fixed.High)
	// Output: 0.010 [0.0070, 0.0130]
}
