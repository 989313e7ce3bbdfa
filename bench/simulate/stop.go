package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/stats"
)

// The harm that the simulated guardrails tolerate, a share of the control
// mean, and the harm that those which tolerate none are sharpest for.
const (
	margin = 0.10
	detect = 0.05
)

// peeked is the least share of rollouts in which the interval of one look, asked
// at every look, must be wrong for a row to show anything: above its own error.
// While few units are beside many it is wide.
const peeked = 0.055

// cries says which methods were wrong about a rollout.
type cries struct {
	breach bool // the guardrail: worse than its margin
	band   bool // the always-valid interval left the truth
	fixed  bool // the interval of one look left the truth at any of them
	last   bool // … at the last
	pooled bool // … at the last, of strata taken for one
}

// watch asks everybody at every look of a rollout.
func (w rollout) watch(r *rand.Rand, g stats.Guardrail) cries {
	var c cries
	var f first
	var end []stats.Stratum
	w.walk(r, func(_ int64, strata []stats.Stratum) bool {
		if !f.look(strata) {
			return true
		}
		c, end = c.hear(g.Judge(strata, f.frozen), w.effect), strata
		return true
	})
	c.pooled = len(end) > 0 && !stats.Compare(pooled(end), stats.Options{Relative: true}).Fixed.Contains(w.effect)
	return c
}

// hear adds what a guardrail says at a look, when truth is the effect.
func (c cries) hear(j stats.Judgement, truth float64) cries {
	c.breach = c.breach || j.Breached
	c.band = c.band || !j.Band.Contains(truth)
	c.last = !j.Fixed.Contains(truth)
	c.fixed = c.fixed || c.last
	return c
}

var rare = conversion("conversion 1 %", 0.01)

// kinds is a population of each kind of metric.
var kinds = []population{rare, conversion("conversion 20 %", 0.2), revenue, ties, clicks, history("spending with CUPED", 1)}

// guardrails are those that are asked about a population. Of a rare outcome half
// may go: few treated units have so few that chance leaves none.
func (p population) guardrails() []stats.Guardrail {
	out := []stats.Guardrail{{Detect: detect, Direction: p.better}, {Margin: margin, Direction: p.better}}
	if p.name == rare.name {
		out = append(out, stats.Guardrail{Margin: 0.5, Direction: p.better})
	}
	return out
}

// unharmed asks guardrails about rollouts that do no harm beyond what they
// tolerate: nothing where the margin is 0, exactly the margin where it is not.
func unharmed(t *table, p plan, make func(population, float64) rollout) {
	runs := p.runs(1000)
	for i, from := range kinds {
		for k, g := range from.guardrails() {
			w := make(from, from.worse(g.Margin))
			all := repeat(p.seed+uint64(10*i+k), runs, func(r *rand.Rand) cries { return w.watch(r, g) })
			what := fmt.Sprintf("%s, margin %.0f %%", from.name, 100*g.Margin)
			t.add(from.name, percent(g.Margin),
				t.atMost(share(all, func(c cries) bool { return c.breach }), 0.05, runs, what),
				t.atMost(share(all, func(c cries) bool { return c.band }), 0.05, runs, what+", band"),
				rate(share(all, func(c cries) bool { return c.last })),
				t.within(share(all, func(c cries) bool { return c.fixed }), peeked, 1, what+", peeking shows nothing"),
				rate(share(all, func(c cries) bool { return c.pooled })))
		}
	}
}

// stopping is rollouts with equal arms, looked at after every 100 units.
func stopping(p plan) *table {
	t := &table{title: "Stop: false alarms of equal arms", under: fmt.Sprintf(
		"%d rollouts a row of %d units, half of them treated, with a look after every 100. The harm is exactly the margin. Promised: at most 0.05 for breached and band, whatever the looks.",
		p.runs(1000), p.units), head: []string{"metric", "margin", "breached", "band leaves truth", "fixed, last look", "fixed, any look", "pooled, last look"}}
	unharmed(t, p, func(from population, effect float64) rollout { return even(from, p.units, effect) })
	return t
}

// ramping is the same over a ramp, while the mean of all units grows by half.
func ramping(p plan) *table {
	t := &table{title: "Stop: false alarms over a ramp with a drifting baseline", under: fmt.Sprintf(
		"%d rollouts a row of %d units, of which 1, 5, 10, 25 and 50 %% are treated in five equal stages, while the mean of all grows by half, with a look after every 100. The harm is exactly the margin. Promised: at most 0.05 for breached and band; pooling takes the stages for one.",
		p.runs(1000), p.units), head: []string{"metric", "margin", "breached", "band leaves truth", "fixed, last look", "fixed, any look", "pooled, last look"}}
	unharmed(t, p, func(from population, effect float64) rollout {
		w := ramp(from, p.units, 0.5)
		w.effect = effect
		return w
	})
	return t
}

func percent(share float64) string { return fmt.Sprintf("%.4g %%", 100*share) }
