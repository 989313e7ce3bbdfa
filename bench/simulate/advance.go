package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/stats"
)

// advance is how the tests of one stage ended.
type advance struct {
	look    bool    // by alpha spending, at the looks of the plan
	anytime bool    // by the e-process, until the plan's information is used up
	fixed   bool    // by one look, when the plan's information is used up
	naive   bool    // by the test of one look, at every look
	used    float64 // of the plan's information, when the spending test ended
	sooner  float64 // the same for the e-process; 1 if it never excluded
}

// oneLook is what Z must exceed for the one-sided error of 0.05 at one look.
const oneLook = 1.6449

// advance walks until the plan's information is used up.
func (w rollout) advance(r *rand.Rand, n stats.NonInferiority) advance {
	a := advance{used: 1, sooner: 1}
	var f first
	var past []stats.Look
	ended := false
	w.walk(r, func(_ int64, strata []stats.Stratum) bool {
		if !f.look(strata) {
			return true
		}
		at := n.Anytime(strata, f.frozen)
		a.fixed = at.Z >= oneLook
		a.naive = a.naive || a.fixed
		if at.Excluded && !a.anytime {
			a.anytime, a.sooner = true, min(at.Fraction, 1)
		}
		if e := n.Look(strata, f.frozen, past); !ended && e.Taken != nil {
			past = append(past, *e.Taken)
			ended, a.look, a.used = e.Ended, e.Excluded, min(e.Fraction, 1)
		}
		return at.Fraction < 1
	})
	return a
}

// advancing is the test that lets a rollout go on: whether it excludes harm
// that is not there, and harm that is.
func advancing(p plan) *table {
	runs := p.runs(400)
	t := &table{title: "Advance: harm of 10 % is excluded", under: fmt.Sprintf(
		"%d rollouts a row, looked at after every 250 units until the information planned for 80 %% power is used up. Without harm the share is power, with harm of exactly 10 %% it is an error. Promised: 0.80, and at most 0.05. In brackets the mean share of the plan's information that was needed.", runs),
		head: []string{"metric", "harm", "alpha spending", "e-process", "one look, at the end", "one look, at any time"}}
	for i, from := range []population{conversion("conversion 5 %", 0.05), conversion("conversion 20 %", 0.2), ties, clicks} {
		for k, harm := range []float64{0, margin} {
			w := even(from, 400_000, from.worse(harm))
			w.every = 250
			n := stats.NonInferiority{Size: margin, Direction: from.better}
			all := repeat(p.seed+uint64(10*i+k), runs, func(r *rand.Rand) advance { return w.advance(r, n) })
			t.advance(from.name, harm, all)
		}
	}
	return t
}

func (t *table) advance(name string, harm float64, all []advance) {
	look, anytime := share(all, func(a advance) bool { return a.look }), share(all, func(a advance) bool { return a.anytime })
	var used, sooner float64
	for _, a := range all {
		used, sooner = used+a.used/float64(len(all)), sooner+a.sooner/float64(len(all))
	}
	what := fmt.Sprintf("%s, harm %s", name, percent(harm))
	var spending, process string
	if harm > 0 {
		spending, process = t.atMost(look, 0.05, len(all), what), t.atMost(anytime, 0.05, len(all), what+", e-process")
	} else {
		spending, process = t.within(look, 0.78-2*deviation(0.8, len(all)), 1, what), rate(anytime)
	}
	t.add(name, percent(harm), fmt.Sprintf("%s (%.2f)", spending, used), fmt.Sprintf("%s (%.2f)", process, sooner),
		rate(share(all, func(a advance) bool { return a.fixed })), rate(share(all, func(a advance) bool { return a.naive })))
}
