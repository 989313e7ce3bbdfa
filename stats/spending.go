package stats

import (
	"math"

	"github.com/sluice-hq/sluice/stats/groupseq"
)

// looksPlanned is how many looks a plan has: one whenever the clock crosses the
// next twentieth of its information. The times of looks must not depend on the
// estimate; crossing a fixed fraction does not.
const looksPlanned = 20

// inflation is how much more information twenty looks with O'Brien-Fleming-type
// spending need than one, for the same power. It is between 1.03 and 1.06 for
// errors of 1 to 5 % and powers of 80 to 99 % (see TestInflation).
const inflation = 1.06

// inflation returns that of the test's own spending.
func (n NonInferiority) inflation() float64 {
	if n.Spending == (groupseq.Spending{}) || n.Spending == (groupseq.Spending{Family: groupseq.OBrienFleming}) {
		return inflation
	}
	planned := groupseq.Design{Alpha: n.Alpha, Information: groupseq.Equal(looksPlanned), Spending: n.Spending}
	b, err := planned.Boundary()
	if err != nil {
		return inflation // unreachable unless fault has let a spending pass that is none
	}
	return b.Inflation(1 - n.Power)
}

// Look says whether the data exclude the size, given the looks taken so far. A
// look is taken when the clock has crossed the next twentieth of the planned
// information since the last; the caller must record Taken and give it back
// with the others at the next call, or the error is spent twice. A call
// between looks costs nothing and answers what the last look did.
func (n NonInferiority) Look(strata []Stratum, f Frozen, past []Look) Exclusion {
	n = n.defaults()
	e, y, ok := n.start("non-inferiority with "+n.form()+" alpha spending at twentieths of the planned information", strata, f)
	if !ok {
		return e
	}
	last := 0.0
	for _, l := range past {
		e.Excluded = e.Excluded || l.Excluded
		e.Critical, last = l.Bound, l.Clock
		if l.Bounds != nil {
			e.Bounds = *l.Bounds
		}
	}
	if e.Ended = e.Excluded || last >= e.Needed; e.Ended {
		return e
	}
	e.Next = next(last, e.Needed)
	if e.Clock < e.Next {
		return e
	}
	return e.take(n, y.shown(f), past)
}

// form names how the error is spent.
func (n NonInferiority) form() string {
	switch n.Spending.Family {
	case groupseq.Pocock:
		return "Pocock-type"
	case groupseq.Power:
		return "power-family"
	case groupseq.HSD:
		return "gamma-family"
	}
	return "O'Brien-Fleming-type"
}

// next returns the clock at which a look is due after one at last: the next
// twentieth of the plan, unless that is the same look again.
func next(last, plan float64) float64 {
	due := (math.Floor(looksPlanned*last/plan) + 1) / looksPlanned * plan
	return math.Max(due, last*(1+2*groupseq.Same))
}

// take carries out a look that is due.
func (e Exclusion) take(n NonInferiority, y yardstick, past []Look) Exclusion {
	var p groupseq.Path
	last := 0.0
	for _, l := range past {
		if l.Clock > last { // a look at less information was never taken
			p, last = p.To(l.Clock/e.Needed).Stop(math.Inf(-1), l.Bound), l.Clock
		}
	}
	spent, _ := p.Crossed()
	e.Critical = p.To(e.Fraction).Upper(n.Spending.Spent(n.Alpha, e.Fraction) - spent)
	e.Excluded = e.Z >= e.Critical
	e.Bounds = y.interval(func(t score) float64 { return t.z() - e.Critical })
	e.Taken = &Look{Clock: e.Clock, Bound: e.Critical, Z: e.Z, Excluded: e.Excluded, Bounds: &e.Bounds}
	e.Ended = e.Excluded || e.Clock >= e.Needed
	e.Next = 0
	if !e.Ended {
		e.Next = next(e.Clock, e.Needed)
	}
	return e
}
