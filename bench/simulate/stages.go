package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/stats/groupseq"
)

// stopped is a group-sequential test at its end.
type stopped struct {
	crossed bool // a bound was crossed
	holds   bool // the interval of its stages holds the truth
	plain   bool // so does the one that takes the last look for the only one
	above   bool // the estimate is above the truth
	z       bool // so is the plain one
}

// stop draws Z at the looks of a test, until it crosses a bound.
func stop(r *rand.Rand, b groupseq.Boundary, drift float64) (s stopped) {
	walked, last := 0.0, 0.0
	for i, t := range b.Information {
		walked += drift*(t-last) + math.Sqrt(t-last)*r.NormFloat64()
		last = t
		z := walked / math.Sqrt(t)
		s.crossed = math.Abs(z) >= b.Z[i]
		if !s.crossed && i < len(b.Z)-1 {
			continue
		}
		low, high := b.Interval(i, z, b.Alpha)
		at, wide := walked/t, 1.959963984540054/math.Sqrt(t)
		s.holds, s.plain = low <= drift && drift <= high, math.Abs(at-drift) <= wide
		s.above, s.z = b.Estimate(i, z) > drift, at > drift
		break
	}
	return s
}

// staging is what is known when a group-sequential test ends.
func staging(p plan) *table {
	runs := p.runs(1000)
	t := &table{title: "Group-sequential tests: coverage when they end", under: fmt.Sprintf(
		"%d tests a row with two sides at 0.05, looked at at a fifth, two, three and four fifths and all of the information. Drift is the effect in standard errors at the end. Promised: an error of 0.05 at drift 0, coverage 0.95 ± 0.01, and estimates above the truth in half of the tests. Plain takes the last look for the only one.", runs),
		head: []string{"spending", "drift", "crossed", "coverage", "plain", "estimate above truth", "plain"}}
	for i, family := range []groupseq.Family{groupseq.OBrienFleming, groupseq.Pocock} {
		b, err := groupseq.Design{Alpha: 0.05, Sides: 2, Information: []float64{0.2, 0.4, 0.6, 0.8, 1}, Spending: groupseq.Spending{Family: family}}.Boundary()
		if err != nil {
			t.faults = append(t.faults, err.Error())
			continue
		}
		for k, drift := range []float64{0, 1.5, 3} {
			all := repeat(p.seed+uint64(10*i+k), runs, func(r *rand.Rand) stopped { return stop(r, b, drift) })
			what := fmt.Sprintf("%s, drift %g", family, drift)
			crossed := rate(share(all, func(s stopped) bool { return s.crossed }))
			if drift == 0 {
				crossed = t.atMost(share(all, func(s stopped) bool { return s.crossed }), 0.05, runs, what)
			}
			slack := 2 * deviation(0.95, runs)
			t.add(string(family), fmt.Sprint(drift), crossed,
				t.within(share(all, func(s stopped) bool { return s.holds }), 0.94-slack, 0.96+slack, what),
				rate(share(all, func(s stopped) bool { return s.plain })),
				t.within(share(all, func(s stopped) bool { return s.above }), 0.5-3*deviation(0.5, runs), 0.5+3*deviation(0.5, runs), what+", estimate"),
				rate(share(all, func(s stopped) bool { return s.z })))
		}
	}
	return t
}
