package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/stats"
)

// split says which tests of the sample ratio cried wolf.
type split struct{ process, square, pooled bool }

// split looks at the counts of the arms after every ten units.
func splitting(r *rand.Rand, stages []stage) (s split) {
	var epochs []stats.Counts
	for i, st := range stages {
		epochs = append(epochs, stats.Counts{Epoch: i, Observed: []int64{0, 0}, Weights: []float64{1 - st.treated, st.treated}})
		now := &epochs[i]
		for n := int64(0); n < st.units; n += 10 {
			treated := binomial(r, 10, st.treated)
			now.Observed[0] += 10 - treated
			now.Observed[1] += treated
			m := stats.SampleRatio(epochs, 0, 0)
			s.process, s.square = s.process || m.Alarm, s.square || m.FixedP < stats.RatioAlpha
		}
		all := stats.Counts{Observed: []int64{0, 0}, Weights: now.Weights}
		for _, e := range epochs {
			all.Observed[0], all.Observed[1] = all.Observed[0]+e.Observed[0], all.Observed[1]+e.Observed[1]
		}
		s.pooled = stats.SampleRatio([]stats.Counts{all}, 0, 0).FixedP < stats.RatioAlpha
	}
	return s
}

// dividing is the sample-ratio test where nothing is wrong.
func dividing(p plan) *table {
	runs := p.runs(5000)
	t := &table{title: "Sample ratio: false alarms", under: fmt.Sprintf(
		"%d rollouts a row of 10,000 units, with a look after every ten, alarm at 0.001. Promised: at most 0.001 for the e-process. The last column is chi-square of all units against the present weights, once at the end.", runs),
		head: []string{"traffic treated", "e-process", "chi-square, any look", "pooled, last look"}}
	for i, c := range []struct {
		name   string
		stages []stage
	}{{"50 %", []stage{{0.5, 10_000}}}, {"10 %", []stage{{0.1, 10_000}}},
		{"1 to 50 %", []stage{{0.01, 2000}, {0.05, 2000}, {0.1, 2000}, {0.25, 2000}, {0.5, 2000}}}} {
		all := repeat(p.seed+uint64(i), runs, func(r *rand.Rand) split { return splitting(r, c.stages) })
		t.add(c.name, t.atMost(share(all, func(s split) bool { return s.process }), 0.001, runs, c.name),
			rate(share(all, func(s split) bool { return s.square })), rate(share(all, func(s split) bool { return s.pooled })))
	}
	return t
}
