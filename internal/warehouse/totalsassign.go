package warehouse

// newcomers are the units whose assignment the exposures of the messages may
// change: those that have none, those first seen earlier than was thought, and
// those that saw another arm. All others keep theirs, which is what makes a
// fold cost what is new. What units were and what they meet now is grouped, not
// joined: that takes half as long.
const newcomers = `
    SELECT unit FROM (
      SELECT rollout, unit_kind AS kind, epoch, unit, toUnixTimestamp64Milli(at) AS first, arm, false AS two, toInt64(0) AS n, toUInt64(0) AS leaf
      FROM exposures
      WHERE ` + enrolled + ` AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64}
      UNION ALL
      SELECT rollout, kind, epoch, unit, first, arm, two, n, leaf
      FROM assignments
      WHERE leaf IN {leaves:Array(UInt64)} AND seen = 0
        AND unit IN (SELECT unit FROM exposures WHERE ` + enrolled + ` AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64})
    )
    GROUP BY rollout, kind, epoch, unit
    HAVING countIf(n = 0) > 0 AND (sum(n) = 0
      OR minIf(first, n = 0) <= argMaxIf(first, leaf, n > 0)
      OR NOT argMaxIf(two, leaf, n > 0) AND groupUniqArrayIf(arm, n = 0) != [argMaxIf(arm, leaf, n > 0)])`

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

// moment orders exposures as the raw path does.
const moment = `bitShiftLeft(toUInt128(toUnixTimestamp64Milli(at)), 64) + reinterpretAsUInt64(substring(id, 9, 8))`

const intoAssignments = `INSERT INTO assignments (leaf, ` + place + `, n, seen, newest)
`

// nobody is the place of a row that counts exposures. The server wants the
// zeros of both halves of a union to be of one type each.
const nobody = `toInt32(0), toUInt64(0), toInt64(0), '', '', false, toInt64(0)`

// assignSQL writes what the units of new exposures were, taken back, and what
// they are now. What did not change cancels out. It also counts the exposures
// that are new: the first copy of each, unless an earlier message had one.
var assignSQL = intoAssignments + `SELECT {leaf:UInt64}, ` + place + `, sum(sign) AS n, toUInt64(0), toInt64(0) FROM (
  SELECT ` + place + `, -n AS sign FROM assignments
  WHERE leaf IN {leaves:Array(UInt64)} AND seen = 0 AND unit IN (` + newcomers + `)
  UNION ALL
  ` + assigned(` AND unit IN (`+newcomers+`)`) + `
)
GROUP BY ` + place + ` HAVING n != 0
UNION ALL
SELECT {leaf:UInt64}, rollout, unit_kind, ` + nobody + `, count() AS seen, toUnixTimestamp64Milli(max(least(at, received))) FROM (
  SELECT environment, flag, rollout, unit_kind, at, received, enrolled, synthetic, _shard FROM exposures
  WHERE _shard = {shard:String} AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64}
    AND (environment, flag, unit_kind, unit, id) NOT IN (
      SELECT environment, flag, unit_kind, unit, id FROM exposures
      PREWHERE ` + instant + ` IN (SELECT ` + instant + ` FROM exposures WHERE _shard = {shard:String} AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64})
      WHERE day IN {days:Array(Date)} AND _shard = {shard:String} AND _seq < {from_seq:UInt64})
  ORDER BY environment, flag, unit_kind, unit, id, _ver DESC LIMIT 1 BY environment, flag, unit_kind, unit, id
)
WHERE ` + enrolled + `
GROUP BY rollout, unit_kind HAVING seen > 0` + markedAssignments

// instant is the lower part of the milliseconds in an id: copies of an event
// agree on it, and are of one day. To look for every id that is stored among those of the messages
// cost more than all else in a fold, and grew with what is stored; few share
// an instant with one of them, and that is cheap to see.
const instant = `bitAnd(reinterpretAsUInt64(id), 0x0000FFFFFFFF0000)`

// assignAllSQL writes all units and exposures as of {to_seq}.
var assignAllSQL = intoAssignments + `SELECT {leaf:UInt64}, *, toUInt64(0), toInt64(0) FROM (` + assigned("") + `)
UNION ALL
SELECT {leaf:UInt64}, rollout, unit_kind, ` + nobody + `, count() AS seen, toUnixTimestamp64Milli(max(least(at, received)))
FROM exposures FINAL
WHERE ` + enrolled + ` AND _seq <= {to_seq:UInt64}
GROUP BY rollout, unit_kind` + markedAssignments

// movedSQL says of which rollouts the leaf has units, and in how many rows.
const movedSQL = `SELECT rollout, count() FROM assignments WHERE leaf = {leaf:UInt64} AND n != 0 GROUP BY rollout`

// mergeAssignmentsSQL writes the leaves as one, without what cancels out.
const mergeAssignmentsSQL = intoAssignments + `SELECT {leaf:UInt64}, ` + place + `, sum(n) AS signs, sum(seen) AS all, max(newest) FROM assignments
WHERE leaf IN {leaves:Array(UInt64)}
GROUP BY ` + place + `, seen > 0 HAVING signs != 0 OR all > 0` + markedAssignments

// markedAssignments and marked end a statement that writes assignments or
// totals with a row that says that it was carried out: servers have
// acknowledged inserts and dropped them. A mark is of no rollout and of no
// measure.
const markedAssignments = `
UNION ALL SELECT {leaf:UInt64}, '', '', toInt32(0), {mark:UInt64}, toInt64(0), '', '', false, toInt64(0), toUInt64(0), toInt64(0)`
