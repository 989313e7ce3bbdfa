package stats

import "time"

// Condition keeps the events that have an attribute among, or not among,
// values. An event without the attribute has the empty value.
type Condition struct {
	Attribute string   `json:"attribute"`
	Not       bool     `json:"not,omitempty"` // keeps the events whose value is none of Values
	Values    []string `json:"values"`
}

// Source is which events make a value: those of a name that meet every
// condition.
type Source struct {
	Event string      `json:"event"`
	Where []Condition `json:"where,omitempty"`
}

// Return is when a unit must come back, counted from its first exposure.
type Return struct {
	From time.Duration `json:"from"` // the first moment that counts
	To   time.Duration `json:"to"`   // the first that no longer does
}

// Source returns which events make the metric's value.
func (m Metric) Source() Source { return Source{Event: m.Event, Where: m.Where} }

// Span returns which events of a unit count, from and until how long after its
// first exposure. open says that there is no end while the unit is enrolled.
// gate asks for what gates use: of failures all that a readout has, unless a
// gate window is given, so that none goes unseen.
func (m Metric) Span(gate bool) (from, to time.Duration, open bool) {
	switch {
	case m.Return != nil:
		return m.Return.From, m.Return.To, false
	case gate && m.Aggregate == Failures && m.GateWindow > 0:
		return 0, m.GateWindow, false
	case gate && m.Aggregate == Failures:
		return 0, m.Window, m.Window == 0
	case gate:
		return 0, m.Gate(), false
	}
	return 0, m.Window, m.Window == 0
}

// Age returns how long ago the first exposure of a unit must be for the unit to
// count. A gate asks only units that had the time that the others had; who
// shall come back within a week cannot be asked before it is over. Who failed
// has failed, however young: how failures divide between the arms asks nothing
// of the units that did not fail.
func (m Metric) Age(gate bool) time.Duration {
	if m.Return == nil && (!gate || m.Aggregate == Failures) {
		return 0
	}
	_, to, _ := m.Span(gate)
	return to
}

// Kind returns what the samples of an aggregate are made of.
func (a Aggregate) Kind() Kind {
	switch a {
	case Conversion, Retention, Failures:
		return KindProportion
	case Ratio:
		return KindRatio
	case Quantile:
		return KindQuantile
	}
	return KindMean
}
