package warehouse

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/stats"
)

// The SQL of each total of a unit, over its events.
var totalSQL = map[string]string{
	events:        "countIf(own AND " + within + ")",
	values:        "sumIf(toInt128(value), own AND " + within + ")",
	divisor:       "sumIf(toInt128(value), under AND " + within + ")",
	eventsBefore:  "countIf(own AND " + earlier + ")",
	valuesBefore:  "sumIf(toInt128(value), own AND " + earlier + ")",
	divisorBefore: "sumIf(toInt128(value), under AND " + earlier + ")",
	eventsBelow:   "countIf(own AND " + within + " AND " + bucket + " <= most)",
}

// within and earlier say whether an event is in the window, and in the lookback.
const (
	within  = "event_at >= first + {from:Int64} AND event_at < first + {to:Int64}"
	earlier = "event_at >= first - {lookback:Int64} AND event_at < first"
)

// bucket is the number of a value's bucket; see stats.Distribution. halved is
// how often its size is halved until nine bits are left. All of it is computed
// in integers: roundToExp2 clears all bits but the highest.
const (
	halved = `(bitCount(roundToExp2(greatest(abs(value), 256)) - 1) - 8)`
	bucket = `toInt32(sign(value) * toInt64(` + halved + ` * 256 + bitShiftRight(abs(value), ` + halved + `)))`
)

// events are those that a metric is made of. own are the metric's, under those
// of its denominator.
func (r *reading) events(m stats.Metric, p Params) string {
	names, under := []string{m.Event}, "false"
	own := meets("own", m.Source(), p)
	if m.Denominator != nil {
		names, under = append(names, m.Denominator.Event), meets("under", *m.Denominator, p)
	}
	p["names"] = names
	return `
    SELECT unit AS event_unit, toUnixTimestamp64Milli(at) AS event_at, value, toUnixTimestamp64Milli(least(at, received)) AS event_fresh,
      ` + own + ` AS own, ` + under + ` AS under
    FROM metrics FINAL
    WHERE environment = {environment:String} AND name IN {names:Array(String)} AND unit_kind = {kind:String}
      AND NOT synthetic` + countable + ` AND (own OR under)`
}

// meets returns the condition of a source, whose values become parameters that
// begin with its name.
func meets(name string, s stats.Source, p Params) string {
	var b strings.Builder
	fmt.Fprintf(&b, "(name = {%s:String}", name)
	p[name] = s.Event
	for i, c := range s.Where {
		attribute, values := fmt.Sprintf("%s%d", name, i), fmt.Sprintf("%s%d_values", name, i)
		not := ""
		if c.Not {
			not = "NOT "
		}
		fmt.Fprintf(&b, " AND %shas({%s:Array(String)}, toString(attributes[{%s:String}]))", not, values, attribute)
		p[attribute], p[values] = c.Attribute, c.Values
	}
	return b.String() + ")"
}

// grown are the units that are asked: those with one arm, and old enough. most
// is, for a quantile, the bucket up to which events are below.
func (r *reading) grown(most string) string {
	return `
    SELECT unit_part, unit_epoch, unit_stage, unit_arm, unit_hash, first, ` + most + ` AS most FROM (` + r.units() + `
    ) WHERE NOT two AND ` + r.fresh() + ` AND first <= {mature:Int64}`
}

// totals are the totals of every unit, also of those without events. The units
// are the hashed side of the join, the events stream past.
func (r *reading) totals(m stats.Metric, needs []string, most string, p Params) string {
	if numbers, ok := r.keeps(m); ok {
		return r.liveSQL(numbers, p)
	}
	var b strings.Builder
	for _, name := range slices.Compact(slices.Sorted(slices.Values(needs))) {
		fmt.Fprintf(&b, ",\n    %s AS %s", totalSQL[name], name)
	}
	return `
  SELECT unit_epoch, unit_hash, any(unit_part) AS part, any(unit_stage) AS stage, any(unit_arm) AS arm,
    maxIf(event_fresh, own AND event_at >= first) AS fresh` + b.String() + `
  FROM (` + r.events(m, p) + `
  ) AS e
  RIGHT JOIN (` + r.grown(most) + `
  ) AS u ON e.event_unit = u.unit_hash
  GROUP BY unit_epoch, unit_hash`
}

// anyBucket stands in where no bucket is asked for.
const anyBucket = "toInt64(0)"

// metricSQL adds up what the shape says of every arm of every stratum.
func (r *reading) metricSQL(m stats.Metric, s shape, most string, p Params) string {
	if numbers, ok := r.keeps(m); ok {
		return r.keptSQL(s, numbers, p)
	}
	return "SELECT part, unit_epoch, stage, arm, max(fresh), countIf(k > 0), " + s.sums() + `
FROM (` + r.totals(m, s.needs, most, p) + `
)
GROUP BY part, unit_epoch, stage, arm
ORDER BY part, unit_epoch, stage, arm`
}

// forever is longer than any rollout, and no overflow when it is added to a
// time: milliseconds.
const forever = int64(math.MaxInt64 / 4)

// spans adds the parameters that say which events of a unit count, and which
// units. Younger ones than a gate wants have had less time, in both arms, but a
// mixture that changes with every look is no sample.
func (r *reading) spans(m stats.Metric, p Params) {
	from, to, open := m.Span(r.Gate)
	p["from"], p["to"] = from.Milliseconds(), to.Milliseconds()
	if open {
		p["to"] = forever
	}
	p["lookback"] = m.Lookback.Milliseconds()
	p["mature"] = r.Until.Add(-m.Age(r.Gate)).UnixMilli()
}
