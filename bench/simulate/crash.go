package main

import (
	"fmt"
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// crashing is a failure that never existed before: 0 of 10,000 control units,
// some of 10,000 treated ones.
func crashing(plan) *table {
	t := &table{title: "A failure that never existed: 0 of 10,000 against a few", under: "What each method says at that one look. Nothing here is made up by chance.",
		head: []string{"failing", "method", "answer", "p or e", "interval"}}
	for _, x := range []int64{5, 20, 500} {
		strata := []stats.Stratum{{Control: stats.Proportion(10_000, 0), Treatment: stats.Proportion(10_000, x)}}
		e := stats.Events{}.Judge([]stats.EventCounts{{Treatment: x, Traffic: [2]float64{1, 1}}})
		failing := fmt.Sprint(x)
		t.add(failing, "events", string(e.State), fmt.Sprintf("e = %.3g", math.Exp(e.LogE)), "rate × "+between(math.Exp(e.LogRatio.Low), math.Exp(e.LogRatio.High)))
		for _, o := range []stats.Options{{}, {Relative: true}} {
			t.comparison(failing, strata, o)
		}
		g := stats.Guardrail{Margin: 0.001, Absolute: true, Direction: stats.Decrease}
		f, _ := stats.Freeze(strata)
		j := g.Judge(strata, f)
		t.add(failing, "guardrail, 0.1 points", state(j), fmt.Sprintf("e = %.3g", math.Exp(j.LogBreach)), between(j.Bounds.Low, j.Bounds.High))
		if want := stats.Breached; e.State != want && x >= 20 {
			t.faults = append(t.faults, fmt.Sprintf("%d new failures are %s", x, e.State))
		}
	}
	return t
}

func (t *table) comparison(failing string, strata []stats.Stratum, o stats.Options) {
	c := stats.Compare(strata, o)
	name := "difference"
	if o.Relative {
		name = "relative change"
	}
	if c.Refused != nil {
		t.add(failing, name, c.Refused.Error(), "p = 1", "–")
		return
	}
	t.add(failing, name, fmt.Sprintf("%.4f", c.Estimate), fmt.Sprintf("p = %.2g", c.P), between(c.Fixed.Low, c.Fixed.High))
	t.add(failing, name+", always valid", fmt.Sprintf("%.4f", c.Estimate), fmt.Sprintf("p = %.2g", c.BandP), between(c.Band.Low, c.Band.High))
}

func state(j stats.Judgement) string {
	if j.Refused != nil {
		return j.Refused.Error()
	}
	return string(j.State)
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
