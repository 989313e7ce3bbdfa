package ingest

import (
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Metric is the document that declares a metric (kind: Metric). An event whose
// name no metric declares waits in the dead letters.
type Metric struct {
	Key           string          `json:"key" yaml:"key"`
	Description   string          `json:"description,omitempty" yaml:"description,omitempty"`
	Owner         string          `json:"owner,omitempty" yaml:"owner,omitempty"`
	Event         string          `json:"event,omitempty" yaml:"event,omitempty"` // name of the events; empty: the key
	Aggregate     stats.Aggregate `json:"aggregate" yaml:"aggregate"`
	Quantile      float64         `json:"quantile,omitempty" yaml:"quantile,omitempty"` // 0 to 1, of the aggregate quantile
	Direction     stats.Direction `json:"direction" yaml:"direction"`                   // which way is better
	UnitOfMeasure string          `json:"unitOfMeasure,omitempty" yaml:"unitOfMeasure,omitempty"`
	Cap           *Cap            `json:"cap,omitempty" yaml:"cap,omitempty"`
	Window        event.Duration  `json:"window,omitempty" yaml:"window,omitempty"`         // after first exposure; zero: while enrolled
	GateWindow    event.Duration  `json:"gateWindow,omitempty" yaml:"gateWindow,omitempty"` // zero: the shorter of window and 24h
	Baseline      *Baseline       `json:"baseline,omitempty" yaml:"baseline,omitempty"`
	Denominator   *Denominator    `json:"denominator,omitempty" yaml:"denominator,omitempty"`
	Rate          Share           `json:"rate,omitempty" yaml:"rate,omitempty"`             // of failures per unit, where there is no control
	SignOfLife    string          `json:"signOfLife,omitempty" yaml:"signOfLife,omitempty"` // event that comes as long as somebody reports failures; empty: their own
	Retention     *Retention      `json:"retention,omitempty" yaml:"retention,omitempty"`
	Where         []Condition     `json:"where,omitempty" yaml:"where,omitempty"`
}

// Cap limits what one unit can add to a metric.
type Cap struct {
	Percentile float64 `json:"percentile" yaml:"percentile"` // 0.5 to 1, of the totals per unit
}

// Baseline is the time before first exposure whose events explain variance.
type Baseline struct {
	Lookback event.Duration `json:"lookback" yaml:"lookback"`
}

// Denominator is what a ratio divides by. The metric's own conditions are of
// its numerator alone.
type Denominator struct {
	Event string      `json:"event" yaml:"event"`
	Where []Condition `json:"where,omitempty" yaml:"where,omitempty"`
}

// Retention is when a unit must come back, after its first exposure.
type Retention struct {
	From event.Duration `json:"from" yaml:"from"`
	To   event.Duration `json:"to" yaml:"to"`
}

// Condition keeps the events that have an attribute among, or not among,
// values.
type Condition struct {
	Attribute string   `json:"attribute" yaml:"attribute"`
	Op        string   `json:"op" yaml:"op"` // in, not_in
	Values    []string `json:"values" yaml:"values"`
}

// EventName returns the name of the events that count.
func (m Metric) EventName() string {
	if m.Event == "" {
		return m.Key
	}
	return m.Event
}

// Stats returns what the metric means to the statistics.
func (m Metric) Stats() stats.Metric {
	s := stats.Metric{
		Key: m.Key, Event: m.EventName(), Aggregate: m.Aggregate, Direction: m.Direction, UnitOfMeasure: m.UnitOfMeasure,
		Scale: Millionths, Window: time.Duration(m.Window), GateWindow: time.Duration(m.GateWindow),
		Where: conditions(m.Where), Nu: m.Quantile, Rate: m.Rate.Float(), SignOfLife: m.SignOfLife,
	}
	if m.Cap != nil {
		s.Cap = m.Cap.Percentile
	}
	if m.Baseline != nil {
		s.Lookback = time.Duration(m.Baseline.Lookback)
	}
	if d := m.Denominator; d != nil {
		s.Denominator = &stats.Source{Event: d.Event, Where: conditions(d.Where)}
	}
	if r := m.Retention; r != nil {
		s.Return = &stats.Return{From: time.Duration(r.From), To: time.Duration(r.To)}
	}
	return s
}

func conditions(where []Condition) (out []stats.Condition) {
	for _, c := range where {
		out = append(out, stats.Condition{Attribute: c.Attribute, Not: c.Op == "not_in", Values: c.Values})
	}
	return out
}

// Validate returns everything that is wrong with the document, by path.
func (m Metric) Validate() error {
	var v event.Invalids
	if why := event.CheckKey(m.Key); why != "" {
		v.Add("key", m.Key, why, "write a key such as checkout_completed")
	}
	if len(m.EventName()) > maxKey {
		v.Add("event", m.Event, "is longer than 128 bytes", "shorten the name of the event")
	}
	m.checkChoices(&v)
	m.checkParts(&v)
	m.checkTimes(&v)
	checkWhere(&v, "where", m.Where)
	if m.Denominator != nil {
		checkWhere(&v, "denominator.where", m.Denominator.Where)
	}
	return v.Err()
}

func (m Metric) checkChoices(v *event.Invalids) {
	if err := new(stats.Aggregate).UnmarshalText([]byte(m.Aggregate)); err != nil {
		v.Add("aggregate", m.Aggregate, "is not an aggregate",
			"write conversion, count, sum, mean, ratio, quantile, retention or events")
	}
	if err := new(stats.Direction).UnmarshalText([]byte(m.Direction)); err != nil {
		v.Add("direction", m.Direction, "is not a direction", "write increase or decrease, whichever is better")
	}
	if m.Description == "" {
		v.Add("description", nil, "is missing", "say in a sentence what the metric measures")
	}
	if m.Owner == "" {
		v.Add("owner", nil, "is missing", "name a person or a team")
	}
}

// checkParts checks the fields that belong to one aggregate alone.
func (m Metric) checkParts(v *event.Invalids) {
	m.part(v, "quantile", m.Quantile != 0, stats.Quantile, "write a number between 0 and 1, such as 0.95")
	m.part(v, "denominator", m.Denominator != nil, stats.Ratio, "write denominator: {event: …}")
	m.part(v, "retention", m.Retention != nil, stats.Retention, "write retention: {from: 6d, to: 7d}")
	if m.Rate != 0 && m.Aggregate != stats.Failures {
		v.Add("rate", m.Rate, "belongs to the aggregate events", "remove it")
	}
	if m.SignOfLife != "" && m.Aggregate != stats.Failures {
		v.Add("signOfLife", m.SignOfLife, "belongs to the aggregate events", "remove it: what others have is seen to come or not")
	}
	if len(m.SignOfLife) > maxKey {
		v.Add("signOfLife", m.SignOfLife, "is longer than 128 bytes", "shorten the name of the event")
	}
	if m.Aggregate == stats.Quantile && m.Quantile != 0 && !(m.Quantile > 0 && m.Quantile < 1) {
		v.Add("quantile", m.Quantile, "is not between 0 and 1", "write 0.95 for the 95th percentile")
	}
	if m.Denominator != nil && m.Denominator.Event == "" {
		v.Add("denominator.event", nil, "is missing", "name the event to divide by")
	}
	if m.Cap != nil && !(m.Cap.Percentile >= 0.5 && m.Cap.Percentile < 1) {
		v.Add("cap.percentile", m.Cap.Percentile, "is not between 0.5 and 1", "write 0.999 to cap one unit in a thousand")
	}
	if m.Cap != nil && (m.Aggregate == stats.Quantile || m.Aggregate.Kind() == stats.KindProportion) {
		v.Add("cap", nil, "does not go with the aggregate "+string(m.Aggregate), "remove it")
	}
	if m.Baseline != nil && m.Aggregate == stats.Quantile {
		v.Add("baseline", nil, "does not go with the aggregate quantile", "remove it")
	}
}

// part checks that a field is there exactly when the aggregate wants it.
func (m Metric) part(v *event.Invalids, field string, given bool, wants stats.Aggregate, fix string) {
	switch {
	case m.Aggregate == wants && !given:
		v.Add(field, nil, "is missing", fix)
	case m.Aggregate != wants && given:
		v.Add(field, nil, "belongs to the aggregate "+string(wants), "remove it")
	}
}

func (m Metric) checkTimes(v *event.Invalids) {
	if m.Window > 0 && m.GateWindow > m.Window {
		v.Add("gateWindow", m.GateWindow, "is longer than window", "write at most "+m.Window.String())
	}
	if r := m.Retention; r != nil && (m.Window != 0 || m.GateWindow != 0) {
		v.Add("window", nil, "does not go with the aggregate retention", "remove window and gateWindow: retention says both ends")
	}
	if r := m.Retention; r != nil && r.From >= r.To {
		v.Add("retention", nil, "does not end after it begins", "write retention: {from: 6d, to: 7d}")
	}
	if m.Baseline != nil && m.Baseline.Lookback == 0 {
		v.Add("baseline.lookback", nil, "is missing", "write baseline: {lookback: 14d}")
	}
}

func checkWhere(v *event.Invalids, path string, where []Condition) {
	for i, c := range where {
		v.Under(fmt.Sprintf("%s[%d]", path, i), c.faults())
	}
}

func (c Condition) faults() event.Invalids {
	var v event.Invalids
	if c.Attribute == "" || len(c.Attribute) > maxKey {
		v.Add("attribute", c.Attribute, "is not the name of an attribute", "name an attribute of the events")
	}
	if c.Op != "in" && c.Op != "not_in" {
		v.Add("op", c.Op, "is not an operator of metrics", "write in or not_in")
	}
	if len(c.Values) == 0 {
		v.Add("values", nil, "is empty", "list at least one value")
	}
	return v
}
