package warehouse

import (
	"strings"

	"github.com/sluice-hq/sluice/stats"
)

// Statements of the keeper. {leaf} is the one that is written, {leaves} are
// those that count; the messages {from_seq} to {to_seq} are those that are folded, and
// everything up to {to_seq} is what raw events are read as of. Raw rows up to a
// message never change under FINAL, since the first arrival stays.

// newcomers are the units whose assignment the exposures of the messages may
// change: those that have none, those first seen earlier than was thought, and
// those that saw another arm. All others keep theirs, which is what makes a
// fold cost what is new.
const newcomers = `
    SELECT unit FROM (
      SELECT rollout, unit_kind AS kind, epoch, unit, toUnixTimestamp64Milli(min(at)) AS earliest, groupUniqArray(arm) AS arms
      FROM exposures
      WHERE ` + enrolled + ` AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64}
      GROUP BY rollout, kind, epoch, unit
    ) AS e
    LEFT JOIN (
      SELECT rollout, kind, epoch, unit, sum(n) AS alive, argMaxIf((first, arm, two), leaf, n > 0) AS live
      FROM assignments
      WHERE leaf IN {leaves:Array(UInt64)} AND seen = 0
        AND unit IN (SELECT unit FROM exposures WHERE ` + enrolled + ` AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64})
      GROUP BY rollout, kind, epoch, unit
    ) AS a ON e.rollout = a.rollout AND e.kind = a.kind AND e.epoch = a.epoch AND e.unit = a.unit
    WHERE alive = 0 OR earliest <= live.1 OR NOT live.3 AND arms != [live.2]`

// enrolled are the exposures that make units of a rollout, which names its own
// environment and flag.
const enrolled = `_shard = {shard:String} AND enrolled AND NOT synthetic AND startsWith(rollout, concat(environment, '/', flag, '/'))`

const place = `rollout, kind, epoch, unit, first, stage, arm, two`

// assigned are the units of the shard as raw exposures have them as of {to_seq}.
func assigned(which string) string {
	return `SELECT rollout, kind, epoch, unit, first, place.1, place.2, two, toInt64(1) FROM (
    SELECT rollout, unit_kind AS kind, epoch, unit, toUnixTimestamp64Milli(min(at)) AS first, argMin((stage, arm), ` + moment + `) AS place,
      min(arm) != max(arm) AS two
    FROM exposures FINAL
    WHERE ` + enrolled + ` AND _seq <= {to_seq:UInt64}` + which + `
    GROUP BY rollout, kind, epoch, unit)`
}

const intoAssignments = `INSERT INTO assignments (leaf, ` + place + `, n, seen, newest)
`

// assignSQL writes what the units of new exposures were, taken back, and what
// they are now. What did not change cancels out.
var assignSQL = intoAssignments + `SELECT {leaf:UInt64}, ` + place + `, sum(sign) AS n, toUInt64(0), toInt64(0) FROM (
  SELECT ` + place + `, -n AS sign FROM assignments
  WHERE leaf IN {leaves:Array(UInt64)} AND seen = 0 AND unit IN (` + newcomers + `)
  UNION ALL
  ` + assigned(` AND unit IN (`+newcomers+`)`) + `
)
GROUP BY ` + place + ` HAVING n != 0` + markedAssignments

// nobody is the place of a row that counts exposures. The server wants the
// zeros of both halves of a union to be of one type each.
const nobody = `toInt32(0), toUInt64(0), toInt64(0), '', '', false, toInt64(0)`

// assignAllSQL and seenAllSQL write all units and exposures as of {to_seq}.
var assignAllSQL = intoAssignments + `SELECT {leaf:UInt64}, *, toUInt64(0), toInt64(0) FROM (` + assigned("") + `)` + markedAssignments

const seenAllSQL = intoAssignments + `SELECT {leaf:UInt64}, rollout, unit_kind, ` + nobody + `, count() AS seen, toUnixTimestamp64Milli(max(least(at, received)))
FROM exposures FINAL
WHERE ` + enrolled + ` AND _seq <= {to_seq:UInt64}
GROUP BY rollout, unit_kind` + markedAssignments

// moment orders exposures as the raw path does.
const moment = `bitShiftLeft(toUInt128(toUnixTimestamp64Milli(at)), 64) + reinterpretAsUInt64(substring(id, 9, 8))`

// instant is the lower part of the milliseconds in an id: copies of an event
// agree on it. To look for every id that is stored among those of the messages
// cost more than all else in a fold, and grew with what is stored; few share
// an instant with one of them, and that is cheap to see.
const instant = `bitAnd(reinterpretAsUInt64(id), 0x0000FFFFFFFF0000)`

// seenSQL counts the exposures that are new: the first copy of each, unless an
// earlier message had one. Copies are of one day.
const seenSQL = intoAssignments + `SELECT {leaf:UInt64}, rollout, unit_kind, ` + nobody + `, count() AS seen, toUnixTimestamp64Milli(max(least(at, received))) FROM (
  SELECT environment, flag, rollout, unit_kind, unit, id, at, received, enrolled, synthetic, _shard FROM exposures
  WHERE _shard = {shard:String} AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64}
    AND (environment, flag, unit_kind, unit, id) NOT IN (
      SELECT environment, flag, unit_kind, unit, id FROM exposures
      PREWHERE ` + instant + ` IN (SELECT ` + instant + ` FROM exposures WHERE _shard = {shard:String} AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64})
      WHERE day IN {days:Array(Date)} AND _shard = {shard:String} AND _seq < {from_seq:UInt64}
        AND id IN (SELECT id FROM exposures WHERE _shard = {shard:String} AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64}))
  ORDER BY _ver DESC LIMIT 1 BY environment, flag, unit_kind, unit, id
)
WHERE ` + enrolled + `
GROUP BY rollout, unit_kind HAVING seen > 0` + markedAssignments

// state is what the totals say of one unit.
const state = `epoch, unit, first, stage, arm, fresh, k, s, d, pk, ps, pd`

// markedAssignments and marked end a statement that writes assignments or
// totals with a row that says that it was carried out: servers have
// acknowledged inserts and dropped them. A mark is of no rollout and of no
// measure.
const markedAssignments = `
UNION ALL SELECT {leaf:UInt64}, '', '', toInt32(0), {mark:UInt64}, toInt64(0), '', '', false, toInt64(0), toUInt64(0), toInt64(0)`

const marked = `
UNION ALL SELECT {leaf:UInt64}, 0, 0, {mark:UInt64}, 0, '', '', 0, 0, 0, 0, 0, 0, 0, 0`

const intoTotals = `INSERT INTO unit_totals (leaf, measure, ` + state + `, n)
`

// eventsOf are the rows of metrics that a measure is made of, before they are
// told apart by what they hold; see reading.events.
func eventsOf(m stats.Metric, p Params) string {
	names, under := []string{m.Event}, "false"
	own := meets("own", m.Source(), p)
	if m.Denominator != nil {
		names, under = append(names, m.Denominator.Event), meets("under", *m.Denominator, p)
	}
	p["names"] = names
	return `SELECT unit AS event_unit, toUnixTimestamp64Milli(at) AS event_at, value, toUnixTimestamp64Milli(least(at, received)) AS event_fresh,
      ` + own + ` AS own, ` + under + ` AS under
    FROM /*rows*/
    WHERE NOT synthetic AND (own OR under)`
}

// ofNames are a measure's rows of the shard, whatever they hold.
const ofNames = `environment = {environment:String} AND name IN {names:Array(String)} AND unit_kind = {kind:String} AND _shard = {shard:String}`

// asOf are the rows up to {to_seq}, of some units: the first arrivals.
func asOf(units string) string {
	return `(SELECT unit, at, received, value, name, attributes, synthetic FROM metrics FINAL
      WHERE ` + ofNames + ` AND _seq <= {to_seq:UInt64}` + units + `)`
}

// arrived are the rows of the messages of which no earlier message had a copy.
const arrived = `(SELECT unit, at, received, value, name, attributes, synthetic FROM metrics
      WHERE ` + ofNames + ` AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64}
        AND (name, unit, id) NOT IN (
          SELECT name, unit, id FROM metrics
          PREWHERE ` + instant + ` IN (SELECT ` + instant + ` FROM metrics WHERE ` + ofNames + ` AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64})
          WHERE day IN {days:Array(Date)} AND ` + ofNames + ` AND _seq < {from_seq:UInt64}
            AND id IN (SELECT id FROM metrics WHERE ` + ofNames + ` AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64}))
      ORDER BY _ver DESC LIMIT 1 BY name, unit, id)`

// totaled are the totals that are kept, in the order of state.
var totaled = []string{events, values, divisor, eventsBefore, valuesBefore, divisorBefore}

// kept is the SQL of a total, of the type that it is kept in.
func kept(name string) string {
	if name == events || name == eventsBefore {
		return "toInt64(" + totalSQL[name] + ")"
	}
	return totalSQL[name]
}

// recomputed are the states of some units, from raw events as of {to_seq}. units has
// the columns epoch, unit, first, stage and arm. A unit without events has a
// state too, so that everything that is asked of units is asked of states.
func recomputed(m stats.Metric, units, of string, p Params) string {
	var b strings.Builder
	for _, name := range totaled {
		b.WriteString(", " + kept(name) + " AS " + name)
	}
	return `
  SELECT epoch, unit, any(first) AS since, any(stage) AS unit_stage, any(arm) AS unit_arm, maxIf(event_fresh, own AND event_at >= first) AS fresh` + b.String() + `
  FROM (
    ` + strings.ReplaceAll(eventsOf(m, p), "/*rows*/", asOf(of)) + `
  ) AS e
  RIGHT JOIN (` + units + `
  ) AS u ON e.event_unit = u.unit
  GROUP BY epoch, unit`
}

// moved are the units of a rollout whose assignment the leaf that is written
// changed, and what they are now.
const (
	moved = `SELECT unit FROM assignments
    WHERE leaf = {leaf:UInt64} AND rollout = {rollout:String} AND kind = {kind:String} AND seen = 0`
	movedTo = `
    SELECT epoch, unit, first, stage, arm FROM assignments
    WHERE leaf = {leaf:UInt64} AND rollout = {rollout:String} AND kind = {kind:String} AND seen = 0 AND n > 0 AND NOT two`
)

// movedSQL takes back what the units were whose assignment changed and adds
// what they are now, from raw events: events may have come before the exposure
// that makes them count, and a unit of two arms counts nowhere.
func movedSQL(m stats.Metric, p Params) string {
	return intoTotals + `SELECT {leaf:UInt64}, {measure:UInt64}, ` + state + `, sum(sign) AS n FROM (
  SELECT ` + state + `, -n AS sign FROM unit_totals
  WHERE leaf IN {leaves:Array(UInt64)} AND measure = {measure:UInt64}
    AND (epoch, unit) IN (` + strings.Replace(moved, "SELECT unit", "SELECT epoch, unit", 1) + `)
  UNION ALL
  SELECT epoch, unit, since, unit_stage, unit_arm, fresh, k, s, d, pk, ps, pd, toInt64(1) FROM (` +
		recomputed(m, movedTo, ` AND unit IN (`+moved+`)`, p) + `)
)
GROUP BY ` + state + ` HAVING n != 0` + marked
}

// arrivedSQL adds the events that are new to the states of units whose
// assignment stands: what a unit was is taken back, and what it is now added.
func arrivedSQL(m stats.Metric, p Params) string {
	fresh := strings.ReplaceAll(eventsOf(m, p), "/*rows*/", arrived)
	var was, is, before, after strings.Builder
	for _, name := range totaled {
		was.WriteString(", sum(" + name + " * n) AS " + name + "_was")
		is.WriteString(", any(" + name + "_was) AS " + name + "_then, " + name + "_then + " + kept(name) + " AS " + name + "_now")
		before.WriteString(", " + name + "_then")
		after.WriteString(", " + name + "_now")
	}
	return intoTotals + `SELECT {leaf:UInt64}, {measure:UInt64}, epoch, unit, since, unit_stage, unit_arm,
  side.1, side.2, side.3, side.4, side.5, side.6, side.7, side.8
FROM (SELECT epoch, unit, since, unit_stage, unit_arm,
  arrayJoin([(fresh_then` + before.String() + `, toInt64(-1)), (fresh_now` + after.String() + `, toInt64(1))]) AS side
FROM (
  SELECT epoch, unit, any(first) AS since, any(stage) AS unit_stage, any(arm) AS unit_arm,
    any(fresh_was) AS fresh_then, greatest(fresh_then, maxIf(event_fresh, own AND event_at >= first)) AS fresh_now` + is.String() + `
  FROM (
    ` + fresh + `
  ) AS e
  INNER JOIN (
    SELECT *, live.1 AS first, live.2 AS stage, live.3 AS arm, live.4 AS fresh_was FROM (
    SELECT epoch, unit, argMaxIf((first, stage, arm, fresh), leaf, n > 0) AS live` + was.String() + `
    FROM unit_totals
    WHERE leaf IN {leaves:Array(UInt64)} AND measure = {measure:UInt64}
      AND unit IN (SELECT unit FROM metrics WHERE ` + ofNames + ` AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64}) AND (epoch, unit) NOT IN (` + strings.Replace(moved, "SELECT unit", "SELECT epoch, unit", 1) + `)
    GROUP BY epoch, unit HAVING sum(n) > 0)
  ) AS u ON e.event_unit = u.unit
  GROUP BY epoch, unit
)
WHERE (fresh_then` + before.String() + `) != (fresh_now` + after.String() + `))` + marked
}

// standing are the units of a rollout as the leaves say.
const standing = `
    SELECT epoch, unit, first, stage, arm FROM assignments
    WHERE leaf IN {leaves:Array(UInt64)} AND rollout = {rollout:String} AND kind = {kind:String} AND seen = 0
    GROUP BY epoch, unit, first, stage, arm, two HAVING sum(n) > 0 AND NOT two`

// wholeSQL computes the states of all units of a rollout.
func wholeSQL(m stats.Metric, p Params) string {
	return intoTotals + `SELECT {leaf:UInt64}, {measure:UInt64}, epoch, unit, since, unit_stage, unit_arm, fresh, k, s, d, pk, ps, pd, toInt64(1) FROM (` +
		recomputed(m, standing, "", p) + `)` + marked
}

// Leaves that are folded into one lose what cancels out, and measures that are
// kept no more.
const (
	mergeAssignmentsSQL = intoAssignments + `SELECT {leaf:UInt64}, ` + place + `, sum(n) AS signs, sum(seen) AS all, max(newest) FROM assignments
WHERE leaf IN {leaves:Array(UInt64)}
GROUP BY ` + place + `, seen > 0 HAVING signs != 0 OR all > 0` + markedAssignments
	mergeTotalsSQL = intoTotals + `SELECT {leaf:UInt64}, measure, ` + state + `, sum(n) AS signs FROM unit_totals
WHERE leaf IN {leaves:Array(UInt64)} AND measure IN {measures:Array(UInt64)} AND measure != 0
GROUP BY measure, ` + state + ` HAVING signs != 0` + marked
)
