package main

import (
	"fmt"
	"math"
	"strings"

	"github.com/sluice-hq/sluice/decisions/rehearsal"
	"github.com/sluice-hq/sluice/event"
)

// alpha is the chance of a false rollback, over all guardrails and looks, and
// of a false ship.
const alpha = 0.05

// calmly is how often a release without any effect should come to the end of
// the stage that decides undisturbed.
const calmly = 0.8

var head = []string{"scenario", "undisturbed", "rolled back", "paused", "shipped", "stopped", "after, half of them", "nine in ten", "harmed units, half of them", "nine in ten", "a week stops", "a week harms"}

// cells is one row of the table. What is not as promised is noted as a fault.
func (b *bench) cells(r row, s rehearsal.Summary) []string {
	of := func(n int) float64 { return float64(n) / float64(s.Runs) }
	out := []string{
		r.Name, b.atLeast(of(s.Undisturbed), r.calm, r.Name), b.atMost(of(s.Rollbacks), r.harmless, r.Name+", false rollbacks"),
		rate(of(s.Ended[rehearsal.Paused])), b.atMost(of(s.Ships), r.unfit, r.Name+", false ships"), "", "", "", "", "", "", "",
	}
	if r.calm {
		return out
	}
	out[5] = rate(of(s.Detected))
	if s.Detection.N > 0 {
		out[6], out[7] = hours(s.Detection.Middle), hours(s.Detection.High)
	}
	if s.Harmed.High > 0 {
		out[8], out[9] = count(s.Harmed.Middle), count(s.Harmed.High)
		out[10], out[11] = rate(of(s.Fixed.Stopped)), count(s.Fixed.Harmed.Middle)
	}
	return out
}

// atMost writes a share that is promised to be at most alpha.
func (b *bench) atMost(share float64, promised bool, what string) string {
	most := alpha + 2*math.Sqrt(alpha*(1-alpha)/float64(b.seeds.Count))
	return b.mark(share, promised && share > most, fmt.Sprintf("%s: %.4f exceeds %.4f", what, share, most))
}

// atLeast writes a share that is promised to be at least that of calm releases.
func (b *bench) atLeast(share float64, promised bool, what string) string {
	least := calmly - 2*math.Sqrt(calmly*(1-calmly)/float64(b.seeds.Count))
	return b.mark(share, promised && share < least, fmt.Sprintf("%s: only %.4f come to their end undisturbed", what, share))
}

func (b *bench) mark(share float64, fault bool, what string) string {
	if !fault {
		return rate(share)
	}
	b.faults = append(b.faults, what)
	return rate(share) + " !"
}

func rate(share float64) string { return fmt.Sprintf("%.3f", share) }

func hours(h float64) string { return event.Duration(math.Round(h) * 3600e9).String() }

func count(x float64) string { return fmt.Sprintf("%.0f", x) }

func (b *bench) line(cells []string) { b.print("| %s |\n", strings.Join(cells, " | ")) }
