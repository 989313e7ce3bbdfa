package warehouse

import (
	"fmt"

	"github.com/sluice-hq/sluice/stats"
)

// The totals of a unit, by the name of their column. All other numbers of a
// metric follow from them.
const (
	events        = "k"     // its events within the window
	values        = "s"     // sum of their values
	divisor       = "d"     // sum of the values of the denominator's events within the window
	eventsBefore  = "pk"    // its events in the lookback before first exposure
	valuesBefore  = "ps"    // sum of their values
	divisorBefore = "pd"    // sum of the values of the denominator's events then
	eventsBelow   = "below" // its events within the window that do not exceed the quantile's bucket
)

// shape is what is added up over the units of an arm to make a sample: some
// whole numbers of each unit, written over its totals, and the products of any
// two of them. Both the raw events and the kept totals are read through it.
type shape struct {
	values []string  // SQL, of type Int128
	scales []float64 // what 1 of each value stands for
	of     string    // SQL: whether a unit is in the sample
	needs  []string  // totals that the values are made of
}

// finer is how many parts of the fixed point the mean of a unit's values is
// counted in, towards zero, so that sums of means are exact too.
const finer = 1000

// shapeOf returns the shape of a metric, or says that there is none.
func shapeOf(m stats.Metric) (shape, error) {
	s := shape{of: "true", needs: []string{events}}
	switch m.Aggregate {
	case stats.Conversion, stats.Retention, stats.Failures: // a unit fails once, by its first failure
		s.add("k > 0", 1).baseline(m, eventsBefore, 1)
	case stats.Count:
		s.capped(m, events, eventsBefore, 1)
	case stats.Sum:
		s.needs = append(s.needs, values)
		s.capped(m, values, valuesBefore, m.FixedPoint())
	case stats.Average:
		s.of = "k > 0" // a unit without events has no mean
		s.needs = append(s.needs, values)
		s.capped(m, mean(values, events), mean(valuesBefore, eventsBefore), m.FixedPoint()/finer)
	case stats.Ratio:
		s.ratio(m)
	case stats.Quantile:
		s.needs = append(s.needs, eventsBelow)
		s.add(eventsBelow, 1).add(events, 1)
	default:
		return shape{}, fmt.Errorf("%q is not an aggregate that can be counted", m.Aggregate)
	}
	return s, nil
}

func (s *shape) add(value string, scale float64) *shape {
	s.values, s.scales = append(s.values, "toInt128("+value+")"), append(s.scales, scale)
	return s
}

// capped adds a value and the same before first exposure, both cut alike.
func (s *shape) capped(m stats.Metric, value, before string, scale float64) {
	s.add(cut(m, value, capValue), scale).baseline(m, cut(m, before, capValue), scale)
}

// baseline adds what a unit did before its first exposure, and whether it did
// nothing at all then: new units are not units that did little.
func (s *shape) baseline(m stats.Metric, value string, scale float64) {
	if m.Lookback == 0 {
		return
	}
	s.needs = append(s.needs, eventsBefore, valuesBefore)
	s.add(value, scale).add("pk = 0", 1)
}

func (s *shape) ratio(m stats.Metric) {
	s.needs = append(s.needs, values, divisor)
	s.add(cut(m, values, capValue), m.FixedPoint()).add(cut(m, divisor, capDivisor), m.FixedPoint())
	if m.Lookback > 0 {
		s.needs = append(s.needs, valuesBefore, divisorBefore)
		s.add(cut(m, valuesBefore, capValue), m.FixedPoint()).add(cut(m, divisorBefore, capDivisor), m.FixedPoint())
	}
}

// mean divides the values of a unit by their number.
func mean(values, events string) string {
	return fmt.Sprintf("if(%s = 0, toInt128(0), intDiv(%s * %d, toInt128(%[1]s)))", events, values, finer)
}

// The parameters of caps.
const (
	capValue   = "cap"
	capDivisor = "cap_denominator"
)

// cut keeps a value between the cap and its negative.
func cut(m stats.Metric, value, limit string) string {
	if m.Cap == 0 {
		return value
	}
	return fmt.Sprintf("greatest(least(toInt128(%s), {%s:Int128}), -{%[2]s:Int128})", value, limit)
}
