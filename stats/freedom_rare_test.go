package stats

import (
	"encoding/json"
	"testing"
)

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

// Of two or three units no statistic excludes anything: the bound that Z must
// reach is out of reach, and a number. It was NaN.
func TestCriticalOfFewUnits(t *testing.T) {
	unit := func(n int64) Sample { return Mean(Moments{N: n, Mean: 1, M2: float64(n - 1)}) }
	f := Frozen{Variance: 1, ControlMean: 1, Units: 200}
	for _, n := range []int64{2, 3, 5, 20} {
		e := NonInferiority{Size: 0.5, Direction: Decrease}.Anytime([]Stratum{{Control: unit(5000), Treatment: unit(n)}}, f)
		if _, err := json.Marshal(e); err != nil || e.Excluded || !(e.Critical > e.Z) {
			t.Errorf("%d units: excluded %v, z %v, critical %v, %v", n, e.Excluded, e.Z, e.Critical, err)
		}
	}
}
