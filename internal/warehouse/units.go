package warehouse

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// countable leaves out what is behind the watermark. The loader fills one table
// after the other: a unit whose exposure is stored and whose events are not yet
// would count as one that did nothing. What is before the watermark counts
// whatever its sender's clock says, so that a watermark alone says which events
// an answer is made of; the time of the question says which units are old
// enough to be in it.
const countable = `
    AND _seq <= transform(_shard, {shards:Array(String)}, {seqs:Array(UInt64)}, toUInt64(0))`

// unitsOf is every unit of a rollout by its first exposure in each epoch. FINAL
// leaves one row of each exposure, the first that arrived; of exposures at the
// same time one is chosen by its id, so that the result never depends on parts
// and merges. One number of time and id compares faster than a pair.
const unitsOf = `
  SELECT epoch AS unit_epoch, unit AS unit_hash, toUnixTimestamp64Milli(min(at)) AS first,
    argMin((stage, arm/*by*/), bitShiftLeft(toUInt128(toUnixTimestamp64Milli(at)), 64) + reinterpretAsUInt64(substring(id, 9, 8))) AS place,
    place.1 AS unit_stage, place.2 AS unit_arm, /*part*/ AS unit_part,
    min(arm) != max(arm) AS two, count() AS seen, toUnixTimestamp64Milli(max(least(at, received))) AS newest
  FROM exposures FINAL
  WHERE environment = {environment:String} AND flag = {flag:String} AND unit_kind = {kind:String} AND rollout = {rollout:String}
    AND enrolled AND NOT synthetic` + countable + `
  GROUP BY epoch, unit`

// The units of a readout are all of one part; those of a breakdown belong to
// the part that has the value of their first exposure, or to 0.
var (
	wholeUnits  = strings.NewReplacer("/*by*/", "", "/*part*/", "toUInt64(0)").Replace(unitsOf)
	brokenUnits = strings.NewReplacer("/*by*/", ", attributes[{by:String}]", "/*part*/", "indexOf({values:Array(String)}, place.3)").Replace(unitsOf)
)

// units returns every unit that the question is about.
func (r *reading) units() string {
	switch {
	case r.past != nil:
		return pastUnits
	case r.served != nil:
		return servedUnits
	case r.by == "":
		return r.lapped(wholeUnits)
	}
	return r.lapped(brokenUnits)
}

// unitsSQL counts units, and says how fresh exposures are: by the sender's
// clock, or by ours where the sender's is ahead.
func unitsSQL(units, fresh string) string {
	return `SELECT unit_part, unit_epoch, unit_stage, unit_arm, two, countIf(` + fresh + ` AND first <= {until:Int64}), sum(seen), min(first), max(newest), {kind:String}
FROM (` + units + `
)
GROUP BY unit_part, unit_epoch, unit_stage, unit_arm, two
ORDER BY unit_part, unit_epoch, unit_stage, unit_arm, two`
}

// strays counts the exposures under a rollout whose units are of kinds that it
// does not assign.
const strays = `
UNION ALL
SELECT toUInt64(0), toInt32(0), '', '', false, toUInt64(0), count(), toInt64(0), toInt64(0), unit_kind
FROM exposures FINAL
WHERE environment = {environment:String} AND flag = {flag:String} AND unit_kind != {kind:String} AND rollout = {rollout:String}
  AND enrolled AND NOT synthetic` + countable + `
GROUP BY unit_kind`

// wholeSQL also counts exposures that count nowhere else.
func wholeSQL(units, fresh string) string {
	return "SELECT * FROM (" + unitsSQL(units, fresh) + strays + "\n)\nORDER BY ALL"
}

// counted are the units of one arm of one stratum, as the server counts them.
type counted struct {
	Count
	part          uint64
	kind          string
	two           bool // they saw two arms
	exposures     uint64
	first, newest int64 // ms
}

// readUnits asks for the units of every arm and puts them into the answers.
func (w *Warehouse) readUnits(ctx context.Context, r *reading) error {
	sql, p := r.unitsSQL(), r.params()
	if r.kept != nil {
		p["leaves"] = r.kept.leaves
	}
	asked := r.ask(OfUnits, sql, p)
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return err
	}
	defer rows.Close()
	var all []counted
	for rows.Next() {
		var u counted
		if err := u.scan(rows); err != nil {
			return err
		}
		if r.answer(u.part).took(u, r.UnitKind) {
			all = append(all, u)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if r.kept != nil {
		if err := w.starts(ctx, r, all, p); err != nil {
			return err
		}
	}
	for _, u := range inOrder(all) {
		a := r.answer(u.part)
		a.Units = append(a.Units, u.Count)
	}
	return nil
}

// unitsSQL is the statement that counts the units of the question.
func (r *reading) unitsSQL() string {
	switch {
	case r.kept != nil:
		return r.keptUnitsSQL()
	case r.past == nil && r.served == nil && r.by == "":
		return wholeSQL(r.units(), r.fresh())
	}
	return unitsSQL(r.units(), r.fresh())
}

// took notes a row, and reports whether it is of units that count.
func (a *Answer) took(u counted, kind string) bool {
	if u.kind != kind {
		a.Strays = append(a.Strays, Stray{Kind: u.kind, Exposures: int64(u.exposures)})
		return false
	}
	a.Exposures += int64(u.exposures)
	a.NewestExposure = later(a.NewestExposure, u.newest)
	if u.Epoch < 0 {
		return false // they count in an earlier lap
	}
	if u.two && u.N > 0 {
		a.TwoArms += u.N
		a.Quarantined = append(a.Quarantined, u.Count)
	}
	return !u.two && u.N > 0
}

func (u *counted) scan(rows driver.Rows) error {
	var epoch int32
	var two uint8
	var n uint64
	err := rows.Scan(&u.part, &epoch, &u.Stage, &u.Arm, &two, &n, &u.exposures, &u.first, &u.newest, &u.kind)
	u.Epoch, u.two, u.N = int(epoch), two != 0, int64(n)
	return err
}

// inOrder sorts by epoch, then by the first exposure of the stage, so that
// stages stand as they happened whatever they are called, and in the same order
// in every part.
func inOrder(all []counted) []counted {
	since := map[Place]int64{}
	for _, u := range all {
		p := Place{u.Epoch, u.Stage}
		if at, ok := since[p]; !ok || u.first < at {
			since[p] = u.first
		}
	}
	slices.SortFunc(all, func(x, y counted) int {
		return cmp.Or(cmp.Compare(x.Epoch, y.Epoch), cmp.Compare(since[Place{x.Epoch, x.Stage}], since[Place{y.Epoch, y.Stage}]),
			cmp.Compare(x.Stage, y.Stage), cmp.Compare(x.Arm, y.Arm))
	})
	return all
}
