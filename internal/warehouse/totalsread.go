package warehouse

import (
	"context"
	"strings"

	"github.com/sluice-hq/sluice/stats"
)

// keeps returns the numbers of a metric in the totals, if they hold it.
// Breakdowns ask for attributes, which are in the raw rows alone.
func (r *reading) keeps(m stats.Metric) ([]uint64, bool) {
	if r.by != "" {
		return nil, false
	}
	return r.kept.numbers(r.measure(m))
}

// keptSQL adds up what the shape says over the states of the units: states that
// were taken back count against themselves. It is metricSQL without the events.
// How fresh a metric is, is no sum: units of two arms are left out by name.
func (r *reading) keptSQL(s shape, numbers []uint64, p Params) string {
	r.fromKept(numbers, p)
	return `SELECT toUInt64(0) AS part, epoch, stage, arm,
  maxIf(fresh, n > 0 AND (` + r.keptEpoch() + `, unit) NOT IN (
    SELECT epoch, unit FROM assignments WHERE leaf IN {leaves:Array(UInt64)} AND rollout = {rollout:String} AND kind = {kind:String} AND two AND n > 0)),
  toUInt64(sumIf(n, k > 0)), ` + s.signed().sums() + `
FROM ` + r.keptRows(tableTotals) + `
WHERE ` + r.keptStates() + `
GROUP BY epoch, stage, arm HAVING sum(n) > 0
ORDER BY epoch, stage, arm`
}

func (r *reading) keptStates() string {
	return `leaf IN {leaves:Array(UInt64)} AND measure IN {measures:Array(UInt64)} AND ` + r.keptFresh() + ` AND first <= {mature:Int64}`
}

// liveSQL are the states that stand, one for each unit: what is not a sum over
// units is made of them.
func (r *reading) liveSQL(numbers []uint64, p Params) string {
	r.fromKept(numbers, p)
	return `
  SELECT ` + state + ` FROM ` + r.keptRows(tableTotals) + `
  WHERE ` + r.keptStates() + `
  GROUP BY ` + state + ` HAVING sum(n) > 0`
}

func (r *reading) fromKept(numbers []uint64, p Params) {
	p["leaves"], p["measures"] = r.kept.leaves, numbers
}

// keptUnitsSQL counts units as the assignments say. Rows in which exposures were
// seen count those, also of units of another kind than the rollout's.
func (r *reading) keptUnitsSQL() string {
	return `SELECT toUInt64(0), epoch, stage, arm, toUInt8(two), toUInt64(sumIf(n, ` + r.keptFresh() + ` AND first <= {until:Int64})), sum(seen), minIf(first, n > 0), max(newest), kind
FROM ` + r.keptRows(tableAssignments) + `
WHERE leaf IN {leaves:Array(UInt64)} AND rollout = {rollout:String} AND (kind = {kind:String} OR seen > 0)
GROUP BY kind, epoch, stage, arm, two, seen > 0 HAVING sum(n) > 0 OR sum(seen) > 0
ORDER BY epoch, stage, arm, two, kind`
}

// startsSQL says when the first unit of each stratum came: those that moved to
// another left it with nothing.
func (r *reading) startsSQL() string {
	return `SELECT epoch, stage, arm, min(first) FROM (
  SELECT epoch, first, stage, arm FROM ` + r.keptRows(tableAssignments) + `
  WHERE leaf IN {leaves:Array(UInt64)} AND rollout = {rollout:String} AND kind = {kind:String} AND seen = 0 AND NOT two
  GROUP BY epoch, unit, first, stage, arm HAVING sum(n) > 0)
GROUP BY epoch, stage, arm
ORDER BY epoch, stage, arm`
}

// starts corrects when the strata began, where that decides their order.
func (w *Warehouse) starts(ctx context.Context, r *reading, all []counted, p Params) error {
	if !staged(all) {
		return nil
	}
	asked := r.ask(OfUnits, r.startsSQL(), p)
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return err
	}
	defer rows.Close()
	began := map[Count]int64{}
	for rows.Next() {
		var epoch int32
		var at Count
		var first int64
		if err := rows.Scan(&epoch, &at.Stage, &at.Arm, &first); err != nil {
			return err
		}
		at.Epoch = int(epoch)
		began[at] = first
	}
	for i, c := range all {
		all[i].first = began[Count{Epoch: c.Epoch, Stage: c.Stage, Arm: c.Arm}]
	}
	return rows.Err()
}

// staged reports whether an epoch has more than one stage.
func staged(all []counted) bool {
	stages := map[int]string{}
	for _, c := range all {
		if s, ok := stages[c.Epoch]; ok && s != c.Stage {
			return true
		}
		stages[c.Epoch] = c.Stage
	}
	return false
}

// signed is the shape of states that can be taken back: each counts n times.
func (s shape) signed() signedShape { return signedShape{s} }

type signedShape struct{ shape }

// sums are those of the shape, over signed states.
func (s signedShape) sums() string {
	var b strings.Builder
	b.WriteString("toUInt64(sumIf(n, " + s.of + "))")
	for _, v := range s.values {
		b.WriteString(",\n  sumIf(n * " + v + ", " + s.of + ")")
	}
	for i, v := range s.values {
		for _, o := range s.values[i:] {
			b.WriteString(",\n  sumIf(n * toInt256(" + v + ") * toInt256(" + o + "), " + s.of + ")")
		}
	}
	return b.String()
}
