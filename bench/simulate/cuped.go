package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/sluice-hq/sluice/stats"
)

// history is units of which something is known before: what they spent then,
// which half of the variance of what they spend now follows. One unit in five is
// new and has no history.
func history(name string, slope float64) population {
	return population{name, 3, stats.Increase, func(r *rand.Rand, n int64, level float64) stats.Sample {
		values, all := make([]float64, n), make([]float64, 0, 3*n)
		for i := range values {
			before, fresh := 3+r.NormFloat64(), 0.0
			y := 3 + slope*(before-3) + r.ExpFloat64() - 1
			if r.Float64() < 0.2 {
				before, fresh = 0, 1
			}
			values[i] = y + 3*(level-1)
			all = append(all, values[i], before, fresh)
		}
		return stats.Mean(moments(values)).With(joint(3, all))
	}}
}

// adjusted is a comparison with one way to use what was known before.
type adjusted struct {
	estimate, variance float64
	holds              bool
}

// covariates are the ways to use what was known before.
var covariates = []stats.Covariate{stats.Unadjusted, stats.Pooled, stats.ArmSpecific}

// adjusting is what CUPED saves, and whether its interval is right.
func adjusting(p plan) *table {
	runs := p.runs(5000)
	t := &table{title: "CUPED: variance and coverage", under: fmt.Sprintf(
		"%d comparisons a row of 10,000 units. Half of the variance follows what was known before, of four units in five; in the last rows the treated follow it half as much. Variance is the spread of the estimates, and in brackets what the comparison says it is, as shares of the unadjusted. Promised: a coverage of 0.95 ± 0.01.", runs),
		head: []string{"treated", "slopes of the arms", "covariate", "variance", "coverage"}}
	for i, c := range []struct {
		treated float64
		slope   float64
		name    string
	}{{0.5, 1, "equal"}, {0.02, 1, "equal"}, {0.5, 0.5, "differ"}, {0.02, 0.5, "differ"}} {
		nt := int64(10_000 * c.treated)
		control, treatment := history("", 1), history("", c.slope)
		all := repeat(p.seed+uint64(i), runs, func(r *rand.Rand) (out [3]adjusted) {
			strata := []stats.Stratum{{Control: control.more(r, 10_000-nt, 1), Treatment: treatment.more(r, nt, 1.1)}}
			for k, covariate := range covariates {
				got := stats.Compare(strata, stats.Options{Covariate: covariate})
				out[k] = adjusted{got.Estimate, got.SE * got.SE, got.Fixed.Contains(0.3)}
			}
			return out
		})
		base, _ := spreads(all, 0)
		for k, covariate := range covariates {
			seen, said := spreads(all, k)
			held := share(all, func(a [3]adjusted) bool { return a[k].holds })
			slack := 2 * deviation(0.95, runs)
			t.add(percent(c.treated), c.name, string(covariate), fmt.Sprintf("%.3f (%.3f)", seen/base, said/base),
				t.within(held, 0.94-slack, 0.96+slack, fmt.Sprintf("%s treated, slopes %s, %s", percent(c.treated), c.name, covariate)))
		}
	}
	return t
}

// spreads returns the variance that the estimates have, and the one that they
// are said to have.
func spreads(all [][3]adjusted, k int) (seen, said float64) {
	values := make([]float64, len(all))
	for i, a := range all {
		values[i] = a[k].estimate
		said += a[k].variance / float64(len(all))
	}
	return moments(values).Variance(), said
}
