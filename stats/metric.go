package stats

import (
	"fmt"
	"strings"
	"time"
)

// Metric is what a declared metric means to the statistics: which events of a
// unit become which value, and which way is better.
type Metric struct {
	Key           string        `json:"key"`
	Event         string        `json:"event"`                   // name of the events that count
	Aggregate     Aggregate     `json:"aggregate"`               // how the events of a unit become its value
	Direction     Direction     `json:"direction"`               // which way is better
	UnitOfMeasure string        `json:"unitOfMeasure,omitempty"` // of the values: "ms", "EUR"
	Scale         float64       `json:"scale,omitempty"`         // value of 1 in the stored fixed point; zero means DefaultScale
	Window        time.Duration `json:"window,omitempty"`        // events within this long after first exposure count; zero: while enrolled
	GateWindow    time.Duration `json:"gateWindow,omitempty"`    // what gates use, of units that old; zero: see Gate
	Where         []Condition   `json:"where,omitempty"`         // which of the events count; none: all
	Cap           float64       `json:"cap,omitempty"`           // percentile of the units' values other than 0, as a share, that none exceeds; zero: no cap
	Lookback      time.Duration `json:"lookback,omitempty"`      // how long before first exposure events explain variance; zero: none do
	Denominator   *Source       `json:"denominator,omitempty"`   // of a ratio
	Nu            float64       `json:"quantile,omitempty"`      // of a quantile, above 0 and below 1
	Return        *Return       `json:"retention,omitempty"`     // of a retention; it has no windows
	Rate          float64       `json:"rate,omitempty"`          // of failures: share of units that is declared to fail; zero: none is
	SignOfLife    string        `json:"signOfLife,omitempty"`    // of failures: name of an event that comes as long as somebody reports them; empty: their own
}

// DefaultScale is the fixed point that values are stored in: millionths.
const DefaultScale = 1e-6

// DefaultGateWindow is the longest time that a gate waits for the events of a
// unit unless the metric says otherwise.
const DefaultGateWindow = 24 * time.Hour

// FixedPoint returns the scale of the stored values.
func (m Metric) FixedPoint() float64 {
	if m.Scale == 0 {
		return DefaultScale
	}
	return m.Scale
}

// Gate returns how long after its first exposure a unit's events count for a
// gate: GateWindow, else the shorter of Window and DefaultGateWindow. Who shall
// come back has until then.
func (m Metric) Gate() time.Duration {
	switch {
	case m.Return != nil:
		return m.Return.To
	case m.GateWindow > 0:
		return m.GateWindow
	case m.Window > 0:
		return min(m.Window, DefaultGateWindow)
	}
	return DefaultGateWindow
}

// Aggregate says how the events of one unit become one value.
type Aggregate string

// The aggregates of a metric.
const (
	Conversion Aggregate = "conversion" // 1 if the unit had the event, else 0
	Count      Aggregate = "count"      // number of events of the unit
	Sum        Aggregate = "sum"        // sum of the events' values
	Average    Aggregate = "mean"       // mean of the events' values, of units that have any
	Ratio      Aggregate = "ratio"      // sum of the values over that of another event
	Quantile   Aggregate = "quantile"   // of the events' values, clustered in units
	Retention  Aggregate = "retention"  // 1 if the unit came back within an interval
	Failures   Aggregate = "events"     // rare failures, judged by Events
)

var aggregates = []Aggregate{Conversion, Count, Sum, Average, Ratio, Quantile, Retention, Failures}

// Proportion reports whether the value of a unit is 0 or 1, so that its sample
// is a pair of integers.
func (a Aggregate) Proportion() bool { return a.Kind() == KindProportion }

// MarshalText implements encoding.TextMarshaler.
func (a Aggregate) MarshalText() ([]byte, error) { return []byte(a), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It refuses a name that is
// not an aggregate.
func (a *Aggregate) UnmarshalText(b []byte) error {
	return choose(a, string(b), "aggregate", aggregates)
}

// Direction says which way a metric gets better.
type Direction string

// The directions of a metric.
const (
	Increase Direction = "increase" // more is better
	Decrease Direction = "decrease" // less is better
)

// harm is the sign of a harmful change: times an effect it is positive where
// the effect is bad.
func (d Direction) harm() float64 {
	if d == Decrease {
		return 1
	}
	return -1
}

// MarshalText implements encoding.TextMarshaler.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It refuses a name that is
// not a direction.
func (d *Direction) UnmarshalText(b []byte) error {
	return choose(d, string(b), "direction", []Direction{Increase, Decrease})
}

// choose sets to to the named choice, or says which there are.
func choose[T ~string](to *T, name, what string, choices []T) error {
	names := make([]string, len(choices))
	for i, c := range choices {
		if string(c) == name {
			*to = c
			return nil
		}
		names[i] = string(c)
	}
	return fmt.Errorf("%q is not %s %s; write one of %s", name, article(what), what, strings.Join(names, ", "))
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an"
	}
	return "a"
}
