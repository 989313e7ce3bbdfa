package rehearsal

import (
	"slices"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Event is an event as services send it, as far as a rehearsal asks.
type Event struct {
	Kind       string            `json:"kind"` // exposure or metric; others are passed over
	At         time.Time         `json:"at"`
	Flag       string            `json:"flag,omitempty"`
	Variant    string            `json:"variant,omitempty"`
	Unit       EventUnit         `json:"unit,omitzero"` // of an exposure
	Name       string            `json:"name,omitempty"`
	Value      float64           `json:"value,omitempty"`
	Units      map[string]string `json:"units,omitempty"` // of a metric event: id by kind
	Attributes map[string]string `json:"attributes,omitempty"`
}

// EventUnit is the unit of an exposure.
type EventUnit struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

// Recorder turns events into units with values, by the definitions of a plan's
// metrics and over the windows that gates use. Events may come in any order.
// Caps and baselines it leaves out: both are made of all units.
type Recorder struct {
	plan    decisions.Plan
	metrics map[string]stats.Metric
	units   map[string]*recording
}

// recording is what is known of one unit so far.
type recording struct {
	first  time.Time // zero: no exposure of it is known
	arm    string
	events []Event
}

// NewRecorder returns a recorder that has heard nothing. Exposures count when
// they are of the plan's flag, kind of unit and arms.
func NewRecorder(p decisions.Plan, metrics map[string]stats.Metric) *Recorder {
	return &Recorder{plan: p, metrics: metrics, units: map[string]*recording{}}
}

// Add takes one event.
func (r *Recorder) Add(e Event) {
	switch e.Kind {
	case "exposure":
		arm := e.Variant == r.plan.Arms.Control || e.Variant == r.plan.Arms.Treatment
		if e.Flag != r.plan.Flag || e.Unit.Kind != r.plan.Unit || !arm {
			return
		}
		if u := r.unit(e.Unit.ID); u.first.IsZero() || e.At.Before(u.first) {
			u.first, u.arm = e.At, e.Variant
		}
	case "metric":
		if id := e.Units[r.plan.Unit]; id != "" {
			u := r.unit(id)
			u.events = append(u.events, e)
		}
	}
}

func (r *Recorder) unit(id string) *recording {
	u := r.units[id]
	if u == nil {
		u = &recording{}
		r.units[id] = u
	}
	return u
}

// Recorded returns the units that were exposed, in the order in which they
// came.
func (r *Recorder) Recorded() (*Recorded, error) {
	out := &Recorded{Metrics: r.plan.Measured()}
	var first time.Time
	ids := make([]string, 0, len(r.units))
	for id, u := range r.units {
		if u.first.IsZero() {
			continue
		}
		ids = append(ids, id)
		if first.IsZero() || u.first.Before(first) {
			first = u.first
		}
	}
	if len(ids) == 0 {
		return nil, event.Invalids{{Path: "events", Why: "name nobody who met the flag", Fix: "record exposures of the plan's flag, unit and variants"}}
	}
	slices.SortFunc(ids, func(a, b string) int {
		if c := r.units[a].first.Compare(r.units[b].first); c != 0 {
			return c
		}
		if a < b {
			return -1
		}
		return 1
	})
	for _, id := range ids {
		u := r.units[id]
		unit := RecordedUnit{After: u.first.Sub(first), Arm: u.arm}
		for _, key := range out.Metrics {
			unit.Values = append(unit.Values, u.value(r.metrics[key]))
		}
		out.Units = append(out.Units, unit)
	}
	return out, nil
}

// value is what the events of a unit make of a metric.
func (u *recording) value(def stats.Metric) RecordedValue {
	sum, n := u.sum(def.Source(), def)
	switch def.Aggregate {
	case stats.Conversion, stats.Retention, stats.Failures:
		return RecordedValue{Value: float64(min(n, 1))}
	case stats.Count:
		return RecordedValue{Value: float64(n)}
	case stats.Average:
		if n == 0 {
			return RecordedValue{None: true}
		}
		return RecordedValue{Value: sum / float64(n)}
	case stats.Ratio:
		size, _ := u.sum(*def.Denominator, def)
		return RecordedValue{Value: sum, Size: size}
	case stats.Sum, stats.Quantile:
	}
	return RecordedValue{Value: sum}
}

// sum adds up the unit's events of a source that lie in the metric's window.
func (u *recording) sum(of stats.Source, def stats.Metric) (sum float64, n int) {
	from, to, open := def.Span(true)
	for _, e := range u.events {
		after := e.At.Sub(u.first)
		if e.Name != of.Event || after < from || !open && after >= to || !meets(e, of.Where) {
			continue
		}
		sum += e.Value
		n++
	}
	return sum, n
}

func meets(e Event, where []stats.Condition) bool {
	return !slices.ContainsFunc(where, func(c stats.Condition) bool {
		return slices.Contains(c.Values, e.Attributes[c.Attribute]) == c.Not
	})
}
