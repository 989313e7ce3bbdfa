package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// speeding is what one answer costs, and all answers of a large readout.
func speeding(p plan) *table {
	t := &table{title: "Speed", under: "The fastest of some tries on one processor. `go test -bench . ./stats` has the allocations.",
		head: []string{"", "takes", "promised"}}
	r := rand.New(rand.NewPCG(p.seed, 0))
	means := []stats.Stratum{{Control: ties.more(r, 10_000, 1), Treatment: ties.more(r, 10_000, 1)}}
	f, _ := stats.Freeze(means)
	g := stats.Guardrail{Margin: margin, Direction: stats.Decrease}
	t.speed("comparison of one metric", 0, func() { stats.Compare(means, stats.Options{Relative: true}) })
	t.speed("guardrail of one metric", 0, func() { g.Judge(means, f) })
	t.speed("readout of 50 metrics, 10 segments, 4 arms", 5*time.Millisecond, func() {
		for range 50 * 10 * 3 {
			stats.Compare(means, stats.Options{Relative: true})
		}
	})
	return t
}

// speed adds a line, and a fault when it took longer than promised.
func (t *table) speed(what string, promised time.Duration, do func()) {
	best := time.Hour
	for range 20 {
		from := time.Now()
		do()
		best = min(best, time.Since(from))
	}
	limit := "–"
	if promised > 0 {
		limit = promised.String()
		if best > promised {
			t.faults = append(t.faults, fmt.Sprintf("%s took %s", what, best))
		}
	}
	t.add(what, best.Round(10*time.Nanosecond).String(), limit)
}
