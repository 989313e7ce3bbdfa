package calculator

import "github.com/sluice-hq/sluice/stats"

// kindEvents is what a metric of rare failures is called in power.
const kindEvents = "events"

// watch plans a watch over failures, which is asked at each of them: the margin
// is a share of control's rate that is to be excluded.
func (q powerJSON) watch() (stats.Planned, *stats.Refusal) {
	if r := q.unwatched(); r != nil {
		return stats.Planned{}, r
	}
	var arms stats.Design
	if r := q.arms(&arms); r != nil {
		return stats.Planned{}, r
	}
	if arms.Weights != nil && len(arms.Weights) != 2 {
		return stats.Planned{}, bad("arms", "a watch over events compares two arms")
	}
	d := stats.EventDesign{Rate: *q.Metric.Rate, Effect: q.Effect, Absolute: q.Absolute, Alpha: given(q.Alpha), Power: given(q.Power),
		Units: arms.Units, Weights: arms.Weights}
	if q.Margin != nil {
		d.Exclude = 1 + *q.Margin
	}
	p := d.Solve()
	if q.Margin != nil {
		p.MDE--
	}
	return p, nil
}

// unwatched refuses what would be ignored.
func (q powerJSON) unwatched() *stats.Refusal {
	m := q.Metric
	switch {
	case m.Rate == nil:
		return bad("metric.rate", "is missing")
	case m.Mean != nil || m.SD != nil || m.Nu != 0 || m.Density != 0 || m.Cluster != nil || m.Explained != 0:
		return bad("metric", "events have a rate alone")
	case q.Margin != nil && !(*q.Margin > 0):
		return bad("margin", "a margin to exclude is a number above 0")
	case q.Direction != "" && q.Direction != string(stats.Decrease):
		return bad("direction", "fewer failures are better: decrease")
	case q.Side != "" && q.Side != stats.Greater:
		return bad("side", "a watch over events looks for more of them: greater")
	case q.Looks != nil:
		return bad("looks", "a watch over events looks at each of them")
	}
	return uncarried("inference", string(q.Inference), "always-valid")
}
