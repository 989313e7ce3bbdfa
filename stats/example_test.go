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
