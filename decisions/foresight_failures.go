package decisions

import (
	"fmt"
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// fails reports whether a metric counts failures.
func (f *foresight) fails(metric string) bool { return f.Metrics[metric].Aggregate == stats.Failures }

// failures is what the past says of a failure.
type failures struct {
	share float64 // of the units that fail; where none did, the largest that so many leave possible
	none  bool    // nobody failed
	units int64
}

// failing returns that of a metric; ok is false when nothing is known.
func (f *foresight) failing(metric string) (past failures, ok bool) {
	s := f.past.Metrics[metric]
	if s.N == 0 {
		return failures{}, false
	}
	past = failures{share: float64(s.X) / float64(s.N), none: s.X == 0, units: s.N}
	if past.none {
		past.share = mostUnseen(s.N)
	}
	return past, true
}

// mostUnseen is the largest share of failures that none among n units leaves
// possible: they are as few in one past of twenty. Of many units it is 3/n
// (Hanley & Lippman-Hand 1983, JAMA 249:1743).
func mostUnseen(n int64) float64 { return -math.Expm1(math.Log(0.05) / float64(n)) }

// fewer fills in how many units exclude that failures are so many times those of
// control, where they are the same; see excludeFailures. Where nobody failed in
// the past it is at least so many.
func (f *foresight) fewer(a Asked) Asked {
	past, ok := f.failing(a.Metric)
	if !ok {
		a.Refused = f.metrics[a.Metric].refused
		return a
	}
	p := stats.EventDesign{Rate: past.share, Exclude: 1 + a.Size, Alpha: stats.ExcludeAlpha, Power: a.Power}.Solve()
	a.AtLeast = past.none
	switch {
	case p.Refused != nil && past.none: // it takes more failures than are followed one by one: that is for ever
		return a
	case p.Refused != nil:
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
	past, ok := f.failing(a.Metric)
	if !ok || past.none || units < 1 {
		return 0
	}
	d := stats.EventDesign{Rate: past.share, Exclude: 2, Alpha: stats.ExcludeAlpha, Power: a.Power, Units: units} // any ratio is the start
	return max(d.Solve().MDE-1, 0)
}

// seesFailures returns what so many units of each arm show of a guardrail on
// failures; see guardFailures. Where nobody failed in the past there is no
// multiple to be told, but how many failures stop, and which share is noticed.
func (f *foresight) seesFailures(g Guardrail, units float64) []Seen {
	past, ok := f.failing(g.Metric)
	if !ok || units < 1 {
		return nil
	}
	rule := f.stopFailures(g)
	stop := stats.EventDesign{Rate: past.share, Margin: rule.Margin, Alpha: rule.Alpha, Units: units}
	if past.none {
		stop.Rate, stop.Absolute = 0, true
		return []Seen{{Metric: g.Metric, Stops: rule.First([2]float64{1, 1}), Notices: stop.Solve().MDE}}
	}
	advance := stats.EventDesign{Rate: past.share, Exclude: 2, Alpha: stats.ExcludeAlpha, Units: units}.Solve() // the smallest ratio is asked for: any is the start
	return []Seen{{Metric: g.Metric, Detects: stop.Solve().MDE, Excludes: max(advance.MDE-1, 0)}}
}

// stopFailures is the stop test of a guardrail on failures; see guardFailures.
func (f *foresight) stopFailures(g Guardrail) stats.Events {
	return stats.Events{Margin: 1 + g.Margin.Fraction(), Alpha: alphaHarm / float64(f.stops())}
}

// unfailing says of every guardrail on failures that nobody had in the past what
// that means for it.
func (f *foresight) unfailing() (out []string) {
	for _, g := range f.Plan.Metrics.Guardrails {
		past, ok := f.failing(g.Metric)
		if !ok || !past.none || g.Margin == nil || !f.fails(g.Metric) {
			continue
		}
		out = append(out, fmt.Sprintf("Nobody failed by %s among %s units of the past, so that %s at most do: %d failing units of the treated stop in equal arms, where none of control fails%s",
			g.Metric, count(past.units), percent(past.share), f.stopFailures(g).First([2]float64{1, 1}), f.noticed(g)))
	}
	return out
}

// noticed says how many units it takes until the rate is noticed that the metric
// declares, where it declares one.
func (f *foresight) noticed(g Guardrail) string {
	rate, rule := f.Metrics[g.Metric].Rate, f.stopFailures(g)
	if rate == 0 {
		return ""
	}
	p := stats.EventDesign{Effect: rate, Absolute: true, Margin: rule.Margin, Alpha: rule.Alpha}.Solve()
	if p.Refused != nil {
		return ""
	}
	return fmt.Sprintf("; were the declared %s of them to fail, %s units in each arm would show it", percent(rate), count(p.Units[0]))
}
