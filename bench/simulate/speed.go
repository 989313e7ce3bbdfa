package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/sluice-hq/sluice/stats"
	"github.com/sluice-hq/sluice/stats/groupseq"
)

// speeding is what one answer costs, and all answers of a large readout.
func speeding(p plan) *table {
	t := &table{title: "Speed", under: "The fastest of some tries on one processor. `go test -bench . ./stats` has the allocations.",
		head: []string{"", "takes", "promised"}}
	r := rand.New(rand.NewPCG(p.seed, 0))
	means := []stats.Stratum{{Control: ties.more(r, 10_000, 1), Treatment: ties.more(r, 10_000, 1)}}
	known := history("", 1)
	before := []stats.Stratum{{Control: known.more(r, 10_000, 1), Treatment: known.more(r, 10_000, 1)}}
	f, _ := stats.Freeze(means)
	g := stats.Guardrail{Margin: margin, Direction: stats.Decrease}
	t.speed("comparison of one metric", 0, func() { stats.Compare(means, stats.Options{Relative: true}) })
	t.speed("comparison of one metric with CUPED, always valid", 0, func() { stats.Compare(before, stats.Options{Relative: true, Inference: stats.AlwaysValid}) })
	t.speed("guardrail of one metric", 0, func() { g.Judge(means, f) })
	readout := func(strata []stats.Stratum) func() {
		return func() {
			for range 50 * 10 * 3 {
				stats.Compare(strata, stats.Options{Relative: true})
			}
		}
	}
	t.speed("readout of 50 metrics, 10 segments, 4 arms", 5*time.Millisecond, readout(means))
	t.speed("the same with CUPED", 5*time.Millisecond, readout(before))
	t.speed("bounds of 50 looks", 50*time.Millisecond, func() { bounds(50) })
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

// bounds computes the bounds of so many equal looks.
func bounds(looks int) (groupseq.Boundary, error) {
	d := groupseq.Design{Alpha: 0.025}
	for i := range looks {
		d.Information = append(d.Information, float64(i+1)/float64(looks))
	}
	return d.Boundary()
}
