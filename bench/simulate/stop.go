package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/stats"
)

// The harm that the simulated guardrails tolerate, a share of the control
// mean, and the harm that those which tolerate none are sharpest for.
const (
	margin = 0.10
	detect = 0.05
)

// cries says which methods were wrong about a rollout.
type cries struct {
	breach bool // the guardrail: worse than its margin
	band   bool // the always-valid interval left the truth
	fixed  bool // the interval of one look left the truth at any of them
	walked bool // a random walk left the bounds of one look at any of the same times
	last   bool // … at the last
	pooled bool // … at the last, of strata taken for one
}

// watch asks everybody at every look of a rollout.
func (w rollout) watch(r *rand.Rand, g stats.Guardrail) cries {
	var c cries
	var f first
	var end []stats.Stratum
	var clock []float64
	w.walk(r, func(_ int64, strata []stats.Stratum) bool {
		if !f.look(strata) {
			return true
		}
		j := g.Judge(strata, f.frozen)
		c, end, clock = c.hear(j, w.effect), strata, append(clock, j.Information)
		return true
	})
	c.walked = leaves(r, clock)
	c.pooled = len(end) > 0 && !stats.Compare(pooled(end), stats.Options{Relative: true}).Fixed.Contains(w.effect)
	return c
}

// leaves draws a random walk at these times, and reports whether it is ever
// farther off than chance takes it in nineteen of twenty: what an interval of one
// look comes to that is asked at every look, by theory.
func leaves(r *rand.Rand, clock []float64) bool {
	at, s := 0.0, 0.0
	for _, v := range clock {
		if v <= at {
			continue
		}
		s += math.Sqrt(v-at) * r.NormFloat64()
		if at = v; math.Abs(s) > 1.96*math.Sqrt(v) {
			return true
		}
	}
	return false
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
				t.peeking(from, all, what),
				rate(share(all, func(c cries) bool { return c.walked })),
				rate(share(all, func(c cries) bool { return c.pooled })))
		}
	}
}

// peeking returns how often the interval of one look is wrong that is asked at
// every look, which theory knows: as often as a random walk leaves its bounds at
// the same times, up to three standard errors of both shares and what values that
// are not normal make of it. An interval that were too narrow, or so wide that
// peeking did no harm, is told; and so is one that leaves the always-valid one.
// Where few units of skewed values are treated they are taken to vary as many do,
// so that their interval is wide and peeking does less harm.
func (t *table) peeking(from population, all []cries, what string) string {
	seen, walked := share(all, func(c cries) bool { return c.fixed }), share(all, func(c cries) bool { return c.walked })
	slack := 3*math.Sqrt2*deviation(walked, len(all)) + 0.05
	least := walked
	if from.name == revenue.name {
		least /= 3
	}
	if outside := share(all, func(c cries) bool { return c.band && !c.fixed }); outside > 0 {
		t.faults = append(t.faults, fmt.Sprintf("%s: %s: the band leaves the truth before the fixed interval in %s", t.title, what, rate(outside)))
	}
	return t.within(seen, least-slack, walked+slack, what+", fixed at any look")
}

// stopping is rollouts with equal arms, looked at after every 100 units.
func stopping(p plan) *table {
	t := &table{title: "Stop: false alarms of equal arms", under: fmt.Sprintf(
		"%d rollouts a row of %d units, half of them treated, with a look after every 100. The harm is exactly the margin. Promised: at most 0.05 for breached and band, whatever the looks; the fixed interval at any look is wrong as often as a random walk leaves its bounds at the same times.",
		p.runs(1000), p.units), head: []string{"metric", "margin", "breached", "band leaves truth", "fixed, last look", "fixed, any look", "random walk", "pooled, last look"}}
	unharmed(t, p, func(from population, effect float64) rollout { return even(from, p.units, effect) })
	return t
}

// ramping is the same over a ramp, while the mean of all units grows by half.
func ramping(p plan) *table {
	t := &table{title: "Stop: false alarms over a ramp with a drifting baseline", under: fmt.Sprintf(
		"%d rollouts a row of %d units, of which 1, 5, 10, 25 and 50 %% are treated in five equal stages, while the mean of all grows by half, with a look after every 100. The harm is exactly the margin. Promised: at most 0.05 for breached and band; pooling takes the stages for one.",
		p.runs(1000), p.units), head: []string{"metric", "margin", "breached", "band leaves truth", "fixed, last look", "fixed, any look", "random walk", "pooled, last look"}}
	unharmed(t, p, func(from population, effect float64) rollout {
		w := ramp(from, p.units, 0.5)
		w.effect = effect
		return w
	})
	return t
}

func percent(share float64) string { return fmt.Sprintf("%.4g %%", 100*share) }
