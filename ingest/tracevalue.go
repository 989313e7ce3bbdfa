package ingest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// TracedEvent is one metric event, and what it counts for.
type TracedEvent struct {
	ID      event.ID  `json:"id"`
	Message string    `json:"message" doc:"shard, sequence and index" example:"facts-0.12.3"`
	At      time.Time `json:"at"`
	Name    string    `json:"name"`
	Value   float64   `json:"value"`
	Uses    []Use     `json:"uses" doc:"for each metric of the plan that is made of events of this name, and each epoch of the unit"`
	Why     string    `json:"why,omitempty" doc:"it counts for nothing at all"`
}

// Part is what an event is in the value of a metric.
type Part string

// What an event can be.
const (
	PartNone     Part = ""
	PartValue    Part = "value"
	PartDivisor  Part = "divisor"  // of a ratio
	PartBaseline Part = "baseline" // it explains variance
)

// Use is what an event is for one metric in one epoch of its unit.
type Use struct {
	Metric string `json:"metric"`
	Epoch  int    `json:"epoch,omitempty" doc:"of the unit; absent: it is in none"`
	Arm    string `json:"arm,omitempty"`
	As     Part   `json:"as,omitempty" enum:"value,divisor,baseline" doc:"absent: it does not count"`
	Why    string `json:"why,omitempty" doc:"it does not count, or not yet"`
}

// role is one of the events that a metric is made of.
type role struct {
	metric int // index in the plan
	part   Part
	of     stats.Source
}

// roles are what an event of a name can be.
func (q Tracing) roles(name string) (all []role) {
	for i, m := range q.Metrics {
		if m.Event == name {
			all = append(all, role{i, PartValue, m.Source()})
		}
		if m.Denominator != nil && m.Denominator.Event == name {
			all = append(all, role{i, PartDivisor, *m.Denominator})
		}
	}
	return all
}

// follow says what a metric event counts for, and adds it up.
func (q Tracing) follow(e MetricRow, entries []Entry) TracedEvent {
	out := TracedEvent{ID: e.ID, Message: e.Place.id(), At: e.At, Name: e.Name, Value: float64(e.Value) * Millionths, Uses: []Use{}}
	roles := q.roles(e.Name)
	switch {
	case q.waits(e.Place):
		out.Why = whyWaits
	case e.Synthetic:
		out.Why = "is a test event: shown, and never analysed"
	case e.UnitKind != q.UnitKind:
		out.Why = fmt.Sprintf("is of a unit of the kind %s, and the rollout counts those of the kind %s", e.UnitKind, q.UnitKind)
	case len(roles) == 0:
		out.Why = "no metric of the plan is made of events of this name"
	case len(entries) == 0:
		out.Why = "the unit was never enrolled in this rollout"
	}
	if out.Why != "" {
		return out
	}
	for _, r := range roles {
		if why := misses(r.of, e); why != "" {
			out.Uses = append(out.Uses, Use{Metric: q.Metrics[r.metric].Key, Why: why})
			continue
		}
		for i := range entries {
			out.Uses = append(out.Uses, q.use(r, e, &entries[i]))
		}
	}
	return out
}

// misses says which condition of a source an event does not meet; empty: it
// meets all.
func misses(s stats.Source, e MetricRow) string {
	for _, w := range s.Where {
		if slices.Contains(w.Values, e.Attributes[w.Attribute]) == w.Not {
			not := ""
			if w.Not {
				not = "other than "
			}
			return fmt.Sprintf("its %s is %q, and the metric asks for %s%s", w.Attribute, e.Attributes[w.Attribute], not, listed(w.Values))
		}
	}
	return ""
}

// listed quotes values: one of them may be empty, and stands for none.
func listed(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	return strings.Join(quoted, ", ")
}

// use says what an event is in one epoch of its unit, and adds it to the value
// of that.
func (q Tracing) use(r role, e MetricRow, in *Entry) Use {
	m, v := q.Metrics[r.metric], &in.Values[r.metric]
	u := Use{Metric: m.Key, Epoch: in.Epoch, Arm: in.Arm}
	switch {
	case !e.At.Before(v.From) && (v.To.IsZero() || e.At.Before(v.To)):
		u.As = r.part
	case e.At.Before(in.First) && !e.At.Before(in.First.Add(-m.Lookback)):
		u.As = PartBaseline
	case e.At.Before(in.First):
		u.Why = apart(in.First.Sub(e.At)) + " before the first exposure"
		if m.Lookback > 0 {
			u.Why += fmt.Sprintf("; what explains variance is of the last %s", event.Duration(m.Lookback))
		}
	case e.At.Before(v.From):
		u.Why = fmt.Sprintf("%s after the first exposure; the window begins after %s", apart(e.At.Sub(in.First)), event.Duration(v.From.Sub(in.First)))
	default:
		u.Why = fmt.Sprintf("%s after the first exposure; the window ends after %s", apart(e.At.Sub(in.First)), event.Duration(v.To.Sub(in.First)))
	}
	v.add(u.As, r.part, float64(e.Value)*m.FixedPoint())
	if u.As != PartNone && !v.Counted {
		u.As, u.Why = PartNone, "it is in the window, but "+v.Why
	}
	return u
}

// apart is a time between two events, as far as it matters.
func apart(d time.Duration) string {
	for _, unit := range []time.Duration{time.Minute, time.Second, time.Millisecond} {
		if d >= 2*unit {
			return event.Duration(d.Truncate(unit)).String()
		}
	}
	return event.Duration(d).String()
}

// add takes an event in. Those before the first exposure are told by number, of
// the metric's own alone.
func (v *EntryValue) add(as, part Part, value float64) {
	switch {
	case as == PartValue:
		v.Events, v.sum = v.Events+1, v.sum+value
	case as == PartDivisor:
		v.divisor += value
	case as == PartBaseline && part == PartValue:
		v.Before++
	}
}

// values are those of all metrics in an entry, before any event.
func (q Tracing) values(e Entry) []EntryValue {
	all := make([]EntryValue, len(q.Metrics)) // never null in JSON
	for i, m := range q.Metrics {
		from, to, open := m.Span(q.Gate)
		v := EntryValue{Metric: m.Key, From: e.First.Add(from)}
		if !open {
			v.To = e.First.Add(to)
		}
		old := e.First.Add(m.Age(q.Gate))
		switch {
		case e.Standing != StandsCounted:
			v.Why = e.Why
		case old.After(q.Until):
			v.Why = "the unit is asked once it is old enough, from " + old.UTC().Format(time.RFC3339) + " on"
		default:
			v.Counted = true
		}
		all[i] = v
	}
	return all
}

// evaluate makes of the events what the metric makes of them.
func (v *EntryValue) evaluate(of stats.Aggregate) {
	value, none := v.sum, false
	switch of {
	case stats.Conversion, stats.Retention, stats.Failures:
		value = float64(min(v.Events, 1))
	case stats.Count:
		value = float64(v.Events)
	case stats.Average:
		if none = v.Events == 0; none {
			v.Counted, v.Why = false, cmp.Or(v.Why, "a unit without events has no mean")
		}
		value /= float64(v.Events)
	case stats.Ratio:
		none = v.divisor == 0
		value /= v.divisor
	case stats.Quantile:
		none = true // its events count one by one
	case stats.Sum:
	}
	if !none {
		v.Value = &value
	}
}
