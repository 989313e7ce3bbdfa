package decisions

import "github.com/sluice-hq/sluice/stats"

// fails reports whether a metric counts failures.
func (f *foresight) fails(metric string) bool { return f.Metrics[metric].Aggregate == stats.Failures }

// failing returns the share of the units of the past that failed; ok is false
// when there were none.
func (f *foresight) failing(metric string) (share float64, ok bool) {
	s := f.past.Metrics[metric]
	if s.N == 0 {
		return 0, false
	}
	return float64(s.X) / float64(s.N), true
}

// fewer fills in how many units exclude that failures are so many times those of
// control, where they are the same; see excludeFailures.
func (f *foresight) fewer(a Asked) Asked {
	share, ok := f.failing(a.Metric)
	if !ok {
		a.Refused = f.metrics[a.Metric].refused
		return a
	}
	p := stats.EventDesign{Rate: share, Exclude: 1 + a.Size, Alpha: stats.ExcludeAlpha, Power: a.Power}.Solve()
	if p.Refused != nil {
		a.Refused = p.Refused.Message
		return a
	}
	a.Units = p.Units[0]
	a.Days = days(f.until(float64(a.Units), f.age(a.Metric)))
	return a
}

// reachFailures returns how much more often so many units of each arm exclude
// that failures come, 0 where they exclude nothing.
func (f *foresight) reachFailures(a Asked, units float64) float64 {
	share, _ := f.failing(a.Metric)
	if share == 0 || units < 1 {
		return 0
	}
	d := stats.EventDesign{Rate: share, Exclude: 2, Alpha: stats.ExcludeAlpha, Power: a.Power, Units: units} // any ratio is the start
	return max(d.Solve().MDE-1, 0)
}

// seesFailures returns what so many units of each arm show of a guardrail on
// failures; see guardFailures. A rate of 0 has no multiple that could be told.
func (f *foresight) seesFailures(g Guardrail, units float64) []Seen {
	share, ok := f.failing(g.Metric)
	if !ok || share == 0 || units < 1 {
		return nil
	}
	stop := stats.EventDesign{Rate: share, Margin: 1 + g.Margin.Fraction(), Alpha: alphaHarm / float64(f.stops()), Units: units}.Solve()
	advance := stats.EventDesign{Rate: share, Exclude: 2, Alpha: stats.ExcludeAlpha, Units: units}.Solve() // the smallest ratio is asked for: any is the start
	return []Seen{{Metric: g.Metric, Detects: stop.MDE, Excludes: max(advance.MDE-1, 0)}}
}
