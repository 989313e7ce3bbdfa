package stats

import "testing"

// Of 150 treated units none has an outcome that 1 % of the others have, which
// happens every fifth time: that is no evidence of harm, nor of its absence,
// although the treated ones do not vary at all.
func TestNoneOfFewUnits(t *testing.T) {
	f := frozen(t, arms(14850, 149, 150, 2))
	for _, better := range []Direction{Increase, Decrease} {
		g := Guardrail{Margin: 0.1, Direction: better}
		strata := arms(14850, 149, 150, 0)
		if j := g.Judge(strata, f); j.State != Unknown || max(j.LogBreach, j.LogSafe) > 1 || !j.Band.Contains(0) {
			t.Errorf("%s: %s, log e-values %v and %v, band %v", better, j.State, j.LogBreach, j.LogSafe, j.Band)
		}
		if e := g.Exclude(0.1, 1).Anytime(strata, f); e.Excluded || e.Z > 1.7 {
			t.Errorf("%s: excluded %v with z %v", better, e.Excluded, e.Z)
		}
	}
}
