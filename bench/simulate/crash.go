package main

import (
	"fmt"
	"math"

	"github.com/sluice-hq/sluice/stats"
	"github.com/sluice-hq/sluice/stats/peers"
)

// crashing is a failure that never existed before: 0 of 10,000 control units,
// some of 10,000 treated ones.
func crashing(plan) *table {
	t := &table{title: "A failure that never existed: 0 of 10,000 against a few", under: "What each method says at that one look. Nothing here is made up by chance. A relative change of nothing does not exist. The formulae of other programs are those of stats/peers.",
		head: []string{"failing", "method", "answer", "p or e", "interval"}}
	for _, x := range []int64{5, 20, 500} {
		failing := fmt.Sprint(x)
		strata := []stats.Stratum{{Control: stats.Proportion(10_000, 0), Treatment: stats.Proportion(10_000, x)}}
		e := stats.Events{}.Judge([]stats.EventCounts{{Treatment: x, Traffic: [2]float64{1, 1}}})
		t.add(failing, "events", string(e.State), fmt.Sprintf("e = %.3g", math.Exp(e.LogE)), "rate × "+between(math.Exp(e.LogRatio.Low), math.Exp(e.LogRatio.High)))
		if x >= 20 && e.State != stats.Breached {
			t.faults = append(t.faults, fmt.Sprintf("%d new failures are %s", x, e.State))
		}
		t.guardrail(failing, strata)
		for _, i := range []stats.Inference{stats.FixedHorizon, stats.AlwaysValid, stats.Bayes} {
			t.comparison(failing, "difference, "+string(i), stats.Compare(strata, stats.Options{Inference: i}))
		}
		t.comparison(failing, "relative change", stats.Compare(strata, stats.Options{Relative: true}))
		for _, name := range peers.Names() {
			t.comparison(failing, string(name)+", difference", peers.Compare(name, strata, stats.Options{}))
			t.comparison(failing, string(name)+", relative change", peers.Compare(name, strata, stats.Options{Relative: true}))
		}
	}
	return t
}

// guardrail adds what a guardrail says that tolerates 0.1 percentage points.
func (t *table) guardrail(failing string, strata []stats.Stratum) {
	f, _ := stats.Freeze(strata)
	j := stats.Guardrail{Margin: 0.001, Absolute: true, Direction: stats.Decrease}.Judge(strata, f)
	answer := string(j.State)
	if j.Refused != nil {
		answer = string(j.Refused.Code)
	}
	t.add(failing, "guardrail, 0.1 points", answer, fmt.Sprintf("e = %.3g", math.Exp(j.LogBreach)), between(j.Bounds.Low, j.Bounds.High))
}

// comparison adds what a comparison says.
func (t *table) comparison(failing, name string, c stats.Comparison) {
	if c.Refused != nil {
		t.add(failing, name, string(c.Refused.Code), "–", "–")
		return
	}
	interval, p := c.Answer()
	t.add(failing, name, fmt.Sprintf("%.4f", c.Estimate), fmt.Sprintf("p = %.2g", p), between(interval.Low, interval.High))
}

// between tells an interval; an open side is a dash.
func between(low, high float64) string {
	side := func(x float64) string {
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return "–"
		}
		return fmt.Sprintf("%.3g", x)
	}
	return "[" + side(low) + ", " + side(high) + "]"
}
