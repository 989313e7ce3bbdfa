package warehouse

import "strings"

// Statements of the keeper. {leaf} is the one that is written, {leaves} are
// those that count; the messages {from_seq} to {to_seq} are those that are folded, and
// everything up to {to_seq} is what raw events are read as of. Raw rows up to a
// message never change under FINAL, since the first arrival stays.

// state is what the totals say of one unit.
const state = `epoch, unit, first, stage, arm, fresh, k, s, d, pk, ps, pd`

const marked = `
UNION ALL SELECT {leaf:UInt64}, 0, 0, {mark:UInt64}, 0, '', '', 0, 0, 0, 0, 0, 0, 0, 0`

const intoTotals = `INSERT INTO unit_totals (leaf, measure, ` + state + `, n)
`

// totaled are the totals that are kept, in the order of state.
var totaled = []string{events, values, divisor, eventsBefore, valuesBefore, divisorBefore}

// recomputed are the states of some units, from rows of raw events. units has the
// columns measure, epoch, unit, first, stage and arm. A unit without events
// has a state too, so that everything that is asked of units is asked of states.
func (b batch) recomputed(units, rows string) string {
	var sums strings.Builder
	for _, name := range totaled {
		sums.WriteString(", " + spanned(name) + " AS " + name)
	}
	return `
  SELECT measure, epoch, unit, any(first) AS since, any(stage) AS unit_stage, any(arm) AS unit_arm, maxIf(event_fresh, own AND event_at >= first) AS fresh` + sums.String() + `
  FROM (
  ` + each(rows) + `
  ) AS e
  RIGHT JOIN (` + units + `
  ) AS u ON e.event_measure = u.measure AND e.event_unit = u.unit
  GROUP BY measure, epoch, unit`
}

// measured is the number of every measure of the batch that a row of the
// assignments matters to.
const measured = `arrayJoin(arrayFilter((number, r, k) -> r = rollout AND k = kind, {measures:Array(UInt64)}, {rollouts:Array(String)}, {kinds:Array(String)})) AS measure`

// moved are the states of units whose assignment the leaf that is written
// changed, and movedTo is what those units are now.
const (
	moved   = `SELECT ` + measured + `, epoch, unit FROM assignments WHERE leaf = {leaf:UInt64} AND rollout IN {rollouts:Array(String)} AND seen = 0`
	movedTo = `
    SELECT ` + measured + `, epoch, unit, first, stage, arm FROM assignments
    WHERE leaf = {leaf:UInt64} AND rollout IN {rollouts:Array(String)} AND seen = 0 AND n > 0 AND NOT two`
)

// moves takes back what the units were whose assignment changed and adds
// what they are now, from raw events: events may have come before the exposure
// that makes them count, and a unit of two arms counts nowhere.
func (b batch) moves(p Params) string {
	return `SELECT {leaf:UInt64}, measure, ` + state + `, sum(sign) AS n FROM (
  SELECT measure, ` + state + `, -n AS sign FROM unit_totals
  WHERE leaf IN {leaves:Array(UInt64)} AND (measure, epoch, unit) IN (` + moved + `)
  UNION ALL
  SELECT measure, epoch, unit, since, unit_stage, unit_arm, fresh, k, s, d, pk, ps, pd, toInt64(1) FROM (` + b.recomputed(movedTo, b.asOfMoved(p)) + `)
)
GROUP BY measure, ` + state + ` HAVING n != 0`
}

// met are the states that new events may change: the newest that is written of
// a unit stands, unless it takes back what there was. One that this leaf moved
// has been made of all events.
func (b batch) met(p Params) string {
	return `
    SELECT measure, epoch, unit, first, stage, arm, fresh, k, s, d, pk, ps, pd, n FROM unit_totals
    WHERE leaf IN {leaves:Array(UInt64)} AND (measure, unit) IN (
        SELECT {measures:Array(UInt64)}[intDiv(arrayJoin(` + b.roles(p) + `), 2)], unit FROM metrics WHERE ` + ofSources + ` AND ` + ofMessage + `)
      AND (measure, epoch, unit) NOT IN (` + moved + `)
    ORDER BY leaf DESC, n DESC LIMIT 1 BY measure, epoch, unit`
}

// arrivals adds the events that are new to the states of units whose
// assignment stands: what a unit was is taken back, and what it is now added.
func (b batch) arrivals(p Params) string {
	var is, before, after strings.Builder
	for _, name := range totaled {
		is.WriteString(", any(" + name + ") AS " + name + "_then, " + name + "_then + " + spanned(name) + " AS " + name + "_now")
		before.WriteString(", " + name + "_then")
		after.WriteString(", " + name + "_now")
	}
	return `SELECT {leaf:UInt64}, measure, epoch, unit, since, unit_stage, unit_arm, side.1, side.2, side.3, side.4, side.5, side.6, side.7, side.8
FROM (SELECT measure, epoch, unit, since, unit_stage, unit_arm,
  arrayJoin([(fresh_then` + before.String() + `, toInt64(-1)), (fresh_now` + after.String() + `, toInt64(1))]) AS side
FROM (
  SELECT measure, epoch, unit, any(first) AS since, any(stage) AS unit_stage, any(arm) AS unit_arm,
    any(fresh) AS fresh_then, greatest(fresh_then, maxIf(event_fresh, own AND event_at >= first)) AS fresh_now` + is.String() + `
  FROM (
  ` + each(b.arrived(p)) + `
  ) AS e
  INNER JOIN (` + b.met(p) + `
  ) AS u ON e.event_measure = u.measure AND e.event_unit = u.unit
  WHERE n > 0
  GROUP BY measure, epoch, unit
)
WHERE (fresh_then` + before.String() + `) != (fresh_now` + after.String() + `))`
}

// foldSQL writes what new exposures and new events make of the totals.
func (b batch) foldSQL(moves, events bool, p Params) string {
	b.put(p)
	var parts []string
	if moves {
		parts = append(parts, b.moves(p))
	}
	if events {
		parts = append(parts, b.arrivals(p))
	}
	return intoTotals + strings.Join(parts, "\nUNION ALL\n") + marked
}

// standing are the units of the rollouts as the leaves say.
const standing = `
    SELECT ` + measured + `, epoch, unit, first, stage, arm FROM (
      SELECT rollout, kind, epoch, unit, first, stage, arm FROM assignments
      WHERE leaf IN {leaves:Array(UInt64)} AND rollout IN {rollouts:Array(String)} AND seen = 0
      GROUP BY rollout, kind, epoch, unit, first, stage, arm, two HAVING sum(n) > 0 AND NOT two)`

// wholeSQL computes the states of all units.
func (b batch) wholeSQL(p Params) string {
	b.put(p)
	return intoTotals + `SELECT {leaf:UInt64}, measure, epoch, unit, since, unit_stage, unit_arm, fresh, k, s, d, pk, ps, pd, toInt64(1) FROM (` +
		b.recomputed(standing, b.asOf(p)) + `)` + marked
}

// mergeTotalsSQL writes the leaves as one, without what cancels out and without
// measures that are kept no more.
const mergeTotalsSQL = intoTotals + `SELECT {leaf:UInt64}, measure, ` + state + `, sum(n) AS signs FROM unit_totals
WHERE leaf IN {leaves:Array(UInt64)} AND measure IN {measures:Array(UInt64)} AND measure != 0
GROUP BY measure, ` + state + ` HAVING signs != 0` + marked
