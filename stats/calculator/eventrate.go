package calculator

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// withoutControl holds the failures of treatment against a declared rate. Its
// bounds are of the log ratio to that rate, as those of two arms are.
func (q eventsJSON) withoutControl() (any, *stats.Refusal) {
	switch {
	case len(q.Counts) != 1:
		return nil, bad("counts", "against a rate, are the failing units of treatment alone")
	case q.Traffic != nil:
		return nil, bad("traffic", "is of two arms; a rate needs the units")
	case q.Units == nil:
		return nil, bad("units", "is missing: how many the failing units are of")
	}
	failing, r := q.Counts[0].count("counts[0]")
	units, r2 := q.Units.count("units")
	if r := first(r, r2); r != nil {
		return nil, r
	}
	rate := given(q.Rate)
	j := stats.EventRate{Rate: rate, Margin: given(q.Margin), Alpha: given(q.Alpha), K: given(q.K)}.Judge(failing, units)
	if j.Refused != nil {
		return nil, j.Refused
	}
	return eventsAnswer{State: j.State, LogE: j.LogE, P: j.P, Estimate: &j.Estimate,
		Low: bounded(math.Log(j.Bounds.Low / rate)), High: bounded(math.Log(j.Bounds.High / rate)), doubtful: worded(j.Doubt)}, nil
}
