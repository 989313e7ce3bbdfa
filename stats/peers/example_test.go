package peers_test

import (
	"fmt"

	"github.com/sluice-hq/sluice/stats"
	"github.com/sluice-hq/sluice/stats/peers"
)

// The same failures by gbstats, which refuses a control without any, and by the
// test of counts, which needs no baseline.
func Example() {
	strata := []stats.Stratum{{Control: stats.Proportion(10_000, 0), Treatment: stats.Proportion(10_000, 20)}}
	c := peers.Compare(peers.GBStats, strata, stats.Options{Relative: true})
	fmt.Println(c.P, c.Refused.Code)
	e := stats.Events{}.Judge([]stats.EventCounts{{Treatment: 20, Traffic: [2]float64{0.5, 0.5}}})
	fmt.Println(e.State)
	// Output:
	// 1 zero_variance
	// breached
}

// Sixty conversions of 1,500 against ninety: one estimate and one fixed interval,
// and three opinions of what may be said before the end.
func ExampleCompare() {
	strata := []stats.Stratum{{Control: stats.Proportion(1500, 90), Treatment: stats.Proportion(1500, 60)}}
	for _, name := range []peers.Name{peers.GBStats, peers.PostHog, peers.Statsig, peers.Eppo} {
		c := peers.Compare(name, strata, stats.Options{Relative: true})
		fmt.Printf("%s %.3f fixed [%.3f, %.3f] always valid [%.3f, %.3f]\n", name, c.Estimate, c.Fixed.Low, c.Fixed.High, c.Band.Low, c.Band.High)
	}
	// Output:
	// gbstats -0.333 fixed [-0.546, -0.121] always valid [-0.665, -0.002]
	// posthog -0.333 fixed [-0.546, -0.121] always valid [-0.665, -0.002]
	// statsig -0.333 fixed [-0.546, -0.121] always valid [-0.722, 0.055]
	// eppo -0.333 fixed [-0.546, -0.121] always valid [-0.680, 0.014]
}
