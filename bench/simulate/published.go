package main

import (
	"fmt"
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// experiment is a real one whose answer others have published.
type experiment struct {
	name                string
	control, treatment  stats.Sample
	estimate, low, high float64 // as published
}

// experiments are "Cookie Cats" (Tactile; 90,189 players, whose first gate was
// moved from level 30 to level 40) and the free-trial screener of Udacity's
// course "A/B Testing by Google", clicks of the 23 days that have outcomes, with
// the answers that are published with the data.
var experiments = []experiment{
	{"Cookie Cats, back on day 7", stats.Proportion(44_700, 8502), stats.Proportion(45_489, 8279), -0.0082, -0.0133, -0.0031},
	{"Udacity, gross conversion", stats.Proportion(17_293, 3785), stats.Proportion(17_260, 3423), -0.0206, -0.0291, -0.0120},
	{"Udacity, net conversion", stats.Proportion(17_293, 2033), stats.Proportion(17_260, 1945), -0.0049, -0.0116, 0.0019},
}

// publishing is whether the answers are those that others found.
func publishing(plan) *table {
	t := &table{title: "Real experiments: published answers", under: "Treatment minus control. The always-valid interval is what somebody might have read on any day.",
		head: []string{"", "estimate", "fixed", "published", "always valid"}}
	for _, e := range experiments {
		c := stats.Compare([]stats.Stratum{{Control: e.control, Treatment: e.treatment}}, stats.Options{})
		t.add(e.name, fmt.Sprintf("%.4f", c.Estimate), points(c.Fixed.Low, c.Fixed.High), points(e.low, e.high), points(c.Band.Low, c.Band.High))
		if max(math.Abs(c.Estimate-e.estimate), math.Abs(c.Fixed.Low-e.low), math.Abs(c.Fixed.High-e.high)) > 6e-5 {
			t.faults = append(t.faults, fmt.Sprintf("%s: %.5f [%.5f, %.5f] is not what was published", e.name, c.Estimate, c.Fixed.Low, c.Fixed.High))
		}
	}
	return t
}

func points(low, high float64) string { return fmt.Sprintf("[%.4f, %.4f]", low, high) }
