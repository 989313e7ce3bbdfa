package warehouse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/stats"
)

// batch is the measures that one statement writes the totals of. A statement
// costs the engine tens of milliseconds before it has read a row, most of them
// in planning it, so that one for all measures is much cheaper than one for each.
type batch []numbered

type numbered struct {
	Measure
	number uint64
}

// mostAtOnce bounds how many states and events a batch brings together: a
// statement holds them in memory. mostConditions bounds how many conditions its
// text has: a server refuses a text of more than 256 KiB, which one of about
// 600 conditions has.
const (
	mostAtOnce     = 2_000_000
	mostConditions = 100
)

// batches groups the measures by how much there is to do for them. Those
// without anything to do are in none.
func batches(wanted map[string]Measure, numbers map[string]uint64, work func(Measure) uint64) (out []batch) {
	var sum uint64
	var text int
	for _, definition := range sorted(wanted) {
		m := numbered{wanted[definition], numbers[definition]}
		n, c := work(m.Measure), conditions(m.Metric)
		if n == 0 {
			continue
		}
		if len(out) == 0 || sum+n > mostAtOnce || text+c > mostConditions {
			out, sum, text = append(out, nil), 0, 0
		}
		out[len(out)-1], sum, text = append(out[len(out)-1], m), sum+n, text+c
	}
	return out
}

// conditions is how many conditions say which events a metric is made of.
func conditions(m stats.Metric) int {
	n := 1 + len(m.Where)
	if m.Denominator != nil {
		n += 1 + len(m.Denominator.Where)
	}
	return n
}

// put adds the parameters of the batch. What differs between measures is in
// lists, one element for each, in the order of the batch.
func (b batch) put(p Params) {
	var numbers []uint64
	var from, to, lookback []int64
	var rollouts, kinds, environments, names []string
	for _, m := range b {
		s := Params{}
		m.put(s)
		numbers = append(numbers, m.number)
		from, to, lookback = append(from, s["from"].(int64)), append(to, s["to"].(int64)), append(lookback, s["lookback"].(int64))
		rollouts, kinds, environments = append(rollouts, m.Rollout), append(kinds, m.UnitKind), append(environments, m.Environment)
		names = append(names, eventNames(m.Metric)...)
	}
	p["measures"], p["from"], p["to"], p["lookback"], p["rollouts"], p["kinds"] = numbers, from, to, lookback, rollouts, kinds
	p["environments"], p["names"] = distinct(environments), distinct(names)
}

func distinct(all []string) []string { return slices.Compact(slices.Sorted(slices.Values(all))) }

// roles is the SQL of what a row of metrics is to the measures of the batch:
// twice the place of a measure whose event it is, and one more where it is of
// the measure's denominator. Equal conditions are the same text, which the
// engine computes once.
func (b batch) roles(p Params) string {
	known := map[string]string{}
	var all []string
	for i, m := range b {
		all = append(all, fmt.Sprintf("if(%s, %d, 0)", b.condition(m, false, known, p), 2*(i+1)))
		if m.Metric.Denominator != nil {
			all = append(all, fmt.Sprintf("if(%s, %d, 0)", b.condition(m, true, known, p), 2*(i+1)+1))
		}
	}
	return "arrayFilter(c -> c != 0 AND NOT synthetic, [" + strings.Join(all, ", ") + "])"
}

// condition says whether a row is one of the events of a measure, or of its
// denominator.
func (b batch) condition(m numbered, under bool, known map[string]string, p Params) string {
	source := m.Metric.Source()
	if under {
		source = *m.Metric.Denominator
	}
	key := fmt.Sprintf("%q %q %#v", m.Environment, m.UnitKind, source)
	if c, ok := known[key]; ok {
		return c
	}
	name := fmt.Sprintf("source%d_", len(known))
	known[key] = fmt.Sprintf("environment = {%s_environment:String} AND unit_kind = {%[1]s_kind:String} AND %s", name, meets(name, source, p))
	p[name+"_environment"], p[name+"_kind"] = m.Environment, m.UnitKind
	return known[key]
}

// ofSources are the rows of the shard that may be of a measure of the batch.
const ofSources = `environment IN {environments:Array(String)} AND name IN {names:Array(String)} AND unit_kind IN {kinds:Array(String)} AND _shard = {shard:String}`

const ofMessage = `_seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64}`

// columns are what the totals need of a row.
func (b batch) columns(p Params) string {
	return `SELECT unit AS event_unit, value, toUnixTimestamp64Milli(at) AS event_at, toUnixTimestamp64Milli(least(at, received)) AS event_fresh,
      ` + b.roles(p) + ` AS roles FROM metrics`
}

// arrived are the rows of the messages of which no earlier message had a copy.
func (b batch) arrived(p Params) string {
	return b.columns(p) + `
    WHERE ` + ofSources + ` AND ` + ofMessage + `
      AND (environment, name, unit_kind, unit, id) NOT IN (
        SELECT environment, name, unit_kind, unit, id FROM metrics
        PREWHERE ` + instant + ` IN (SELECT ` + instant + ` FROM metrics WHERE ` + ofSources + ` AND ` + ofMessage + `)
        WHERE day IN {days:Array(Date)} AND ` + ofSources + ` AND _seq < {from_seq:UInt64})` + first
}

// first leaves the first arrival of each event. The order is that of the table.
const first = `
    ORDER BY environment, name, unit_kind, unit, id, _ver DESC LIMIT 1 BY environment, name, unit_kind, unit, id`

// asOf are the rows up to {to_seq}: the first arrivals.
func (b batch) asOf(p Params) string {
	return b.columns(p) + ` FINAL
    WHERE ` + ofSources + ` AND _seq <= {to_seq:UInt64}`
}

// asOfMoved are those of the units that moved. They are few, and scattered over
// all that is stored: FINAL would read twice as much to find them.
func (b batch) asOfMoved(p Params) string {
	return b.columns(p) + `
    PREWHERE unit IN (SELECT unit FROM assignments WHERE leaf = {leaf:UInt64} AND rollout IN {rollouts:Array(String)} AND seen = 0)
    WHERE ` + ofSources + ` AND _seq <= {to_seq:UInt64}` + first
}

// each makes of every row one for each of its roles, with the spans of the
// measure.
func each(rows string) string {
	return `SELECT event_unit, value, event_at, event_fresh, {measures:Array(UInt64)}[m] AS event_measure, role % 2 = 0 AS own, role % 2 = 1 AS under,
    {from:Array(Int64)}[m] AS opens, {to:Array(Int64)}[m] AS closes, {lookback:Array(Int64)}[m] AS back
  FROM (SELECT event_unit, value, event_at, event_fresh, arrayJoin(roles) AS role, intDiv(role, 2) AS m FROM (
    ` + rows + `))`
}

// spanned is the SQL of a total, of the type that it is kept in, over the rows
// of each.
func spanned(name string) string {
	sql := strings.NewReplacer("{from:Int64}", "opens", "{to:Int64}", "closes", "{lookback:Int64}", "back").Replace(totalSQL[name])
	if name == events || name == eventsBefore {
		return "toInt64(" + sql + ")"
	}
	return sql
}
