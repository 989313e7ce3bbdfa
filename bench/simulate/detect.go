package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/sluice-hq/sluice/stats"
)

// found is after how many units a guardrail found harm; infinite if never.
type found struct{ harm, breach float64 }

func (w rollout) found(r *rand.Rand, g stats.Guardrail) found {
	at := found{math.Inf(1), math.Inf(1)}
	var f first
	w.walk(r, func(units int64, strata []stats.Stratum) bool {
		if !f.look(strata) {
			return true
		}
		j := g.Judge(strata, f.frozen)
		if j.Harmed {
			at.harm = min(at.harm, float64(units))
		}
		if j.Breached {
			at.breach = float64(units)
		}
		return !j.Breached
	})
	return at
}

// sizes are the harms of which the time to detect is told, in margins.
var sizes = []float64{0.5, 1, 1.5, 2, 3, 5, 8}

// detecting is how soon harm is found, by its size.
func detecting(p plan) *table {
	runs := p.runs(500)
	t := &table{title: "Stop: time to detect, by size of harm", under: fmt.Sprintf(
		"%d rollouts a row of at most %d units, half of them treated, conversion 20 %%, margin 10 %%, with a look after every 100. Units of both arms after which half, and nine tenths, of the rollouts are known to be harmed, and breached.", runs, p.units),
		head: []string{"harm", "harmed", "half after", "nine tenths after", "breached", "half after", "nine tenths after"}}
	from := conversion("conversion 20 %", 0.2)
	g := stats.Guardrail{Margin: margin, Direction: from.better}
	for i, size := range sizes {
		w := even(from, p.units, from.worse(size*margin))
		all := repeat(p.seed+uint64(i), runs, func(r *rand.Rand) found { return w.found(r, g) })
		harm, breach := times(all, func(f found) float64 { return f.harm }), times(all, func(f found) float64 { return f.breach })
		cells := []string{percent(size * margin)}
		cells = append(append(cells, told(harm)...), told(breach)...)
		if size <= 1 {
			cells[4] = t.atMost(ever(breach), 0.05, runs, "breached by "+cells[0])
		}
		t.add(cells...)
	}
	return t
}

// times returns one of the times of all rollouts in order.
func times(all []found, of func(found) float64) []float64 {
	out := make([]float64, len(all))
	for i, f := range all {
		out[i] = of(f)
	}
	slices.Sort(out)
	return out
}

// ever is the share of times that are not infinite.
func ever(sorted []float64) float64 {
	return share(sorted, func(x float64) bool { return !math.IsInf(x, 1) })
}

func told(sorted []float64) []string {
	return []string{rate(ever(sorted)), after(sorted, 0.5), after(sorted, 0.9)}
}

func after(sorted []float64, part float64) string {
	x := quantile(sorted, part)
	if math.IsInf(x, 1) {
		return "–"
	}
	return fmt.Sprintf("%.0f", x)
}

// quantile returns the smallest of the values which that part of them does not
// exceed.
func quantile(sorted []float64, part float64) float64 {
	return sorted[int(math.Ceil(part*float64(len(sorted))))-1]
}
