package rehearsal

import (
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/stats"
)

// fault is a scenario under way: since when.
type fault struct {
	Scenario
	plan    decisions.Plan
	metrics map[string]stats.Metric
	from    time.Time // zero: it has not begun
}

// begin notes that a stage was entered.
func (f *fault) begin(stage string, at time.Time) {
	if f.from.IsZero() && (f.Stage == "" || f.Stage == stage) {
		f.from = at.Add(time.Duration(f.After))
	}
}

// on reports whether it goes on at a time.
func (f *fault) on(at time.Time) bool {
	return !f.from.IsZero() && !at.Before(f.from) && (f.Lasts == 0 || at.Before(f.from.Add(time.Duration(f.Lasts))))
}

// wrong reports whether the scenario is one in which a release should stop.
// What a release must bear (repeats, late events, an outage) is none.
func (f *fault) wrong() bool { return !f.By.IsZero() || f.Kind == Missing || f.Kind == SRM }

// harmful reports whether units that come at a time are harmed. What breaks
// stays broken, however long an outage lasts.
func (f *fault) harmful(at time.Time) bool {
	return !f.By.IsZero() && !f.from.IsZero() && !at.Before(f.from)
}

// level is what multiplies a metric's mean in treated units that come at a
// time.
func (f *fault) level(metric string, at time.Time) float64 {
	level := 1.0
	if f.Kind == Better {
		level += f.gain(metric)
	}
	if metric != f.Metric || !f.harmful(at) {
		return level
	}
	size := f.By.Relative()
	if f.Kind == Slow {
		size *= min(1, at.Sub(f.from).Seconds()/time.Duration(f.Grows).Seconds())
	}
	return max(0, level-sign(f.metrics[metric].Direction)*size)
}

// gain is by how much a success metric changes when the change is what it is
// hoped to be.
func (f *fault) gain(metric string) float64 {
	for _, s := range f.plan.Metrics.Success {
		if s.Metric == metric {
			return sign(f.metrics[metric].Direction) * s.MDE.Fraction()
		}
	}
	return 0
}

// sign is 1 where more is better.
func sign(d stats.Direction) float64 {
	if d == stats.Decrease {
		return -1
	}
	return 1
}

// silent reports whether the events of a metric are missing, or exposures, which
// have no name.
func (f *fault) silent(metric string, at time.Time) bool {
	return f.Kind == Missing && f.on(at) && (f.Metric == "" || f.Metric == metric)
}

// lost is the share of treated units whose exposures are lost.
func (f *fault) lost(at time.Time) float64 {
	if f.Kind == SRM && f.on(at) {
		return f.Share.Fraction()
	}
	return 0
}

// late is the share of units whose events come late.
func (f *fault) late(at time.Time) float64 {
	if f.Kind == Late && f.on(at) {
		return f.Share.Fraction()
	}
	return 0
}
