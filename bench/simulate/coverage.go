package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/stats"
)

// covering is how often the interval of one look holds the truth.
func covering(p plan) *table {
	runs := p.runs(10_000)
	t := &table{title: "Coverage of the fixed interval", under: fmt.Sprintf(
		"%d comparisons a row, each of one look. Promised: 0.95 ± 0.01; skewed values and rare outcomes in small arms are shown, not promised.", runs),
		head: []string{"metric", "units per arm", "absolute", "relative"}}
	for i, from := range kinds {
		for k, n := range []int64{200, 1000, 5000} {
			type holds struct{ absolute, relative bool }
			all := repeat(p.seed+uint64(10*i+k), runs, func(r *rand.Rand) holds {
				s := []stats.Stratum{{Control: from.more(r, n, 1), Treatment: from.more(r, n, 1.1)}}
				absolute, relative := stats.Compare(s, stats.Options{}), stats.Compare(s, stats.Options{Relative: true})
				return holds{absolute.Fixed.Contains(0.1 * from.mean), relative.Fixed.Contains(0.1)}
			})
			a, b := share(all, func(h holds) bool { return h.absolute }), share(all, func(h holds) bool { return h.relative })
			what := fmt.Sprintf("%s, %d units", from.name, n)
			if from.name == revenue.name || n*int64(1000*from.mean) < 20_000 {
				t.add(from.name, fmt.Sprint(n), rate(a), rate(b))
				continue
			}
			slack := 2 * deviation(0.95, runs)
			t.add(from.name, fmt.Sprint(n), t.within(a, 0.94-slack, 0.96+slack, what), t.within(b, 0.94-slack, 0.96+slack, what+", relative"))
		}
	}
	return t
}
