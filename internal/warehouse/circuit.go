package warehouse

import "strings"

// Circuit says how the epochs of a rollout come again: the same arms are compared
// once more among the same audience, and whoever was there is in the arm that he
// was in. He counts in the first of these epochs alone, since he would be two
// units otherwise. His events still say how fresh a metric is.
type Circuit struct {
	Behind int // the epoch behind which it begins
	Epochs int // how many there are, before the first comes again; 0: none does
}

// again labels the rows of units that were there in an earlier lap with an epoch
// below 0. What is labelled so has a time, and is in no number.
const again = `SELECT * REPLACE (toInt32(if(EPOCH <= {behind:Int32} OR (EPOCH, UNIT) IN (
    SELECT min(EPOCH), UNIT FROM (FIRST
    ) WHERE EPOCH > {behind:Int32} GROUP BY UNIT, (EPOCH - {behind:Int32} - 1) % {circuit:Int32}), EPOCH, -EPOCH)) AS EPOCH)
  FROM `

var (
	againRaw  = strings.NewReplacer("EPOCH", "unit_epoch", "UNIT", "unit_hash", "FIRST", wholeUnits).Replace(again)
	againKept = strings.NewReplacer("EPOCH", "epoch", "UNIT", "unit", "FIRST", `
      SELECT epoch, unit FROM assignments
      WHERE leaf IN {leaves:Array(UInt64)} AND rollout = {rollout:String} AND kind = {kind:String} AND seen = 0
      GROUP BY epoch, unit, first, stage, arm, two HAVING sum(n) > 0`).Replace(again)
)

// circles reports whether epochs of the question come again.
func (r *reading) circles() bool { return r.Circuit.Epochs > 0 && r.past == nil && r.served == nil }

// lapped are units with the labels of the circuit.
func (r *reading) lapped(units string) string {
	if !r.circles() {
		return units
	}
	return "\n  " + againRaw + "(" + units + ")"
}

// keptRows are the rows of a table of the totals, with the same labels.
func (r *reading) keptRows(table string) string {
	if !r.circles() {
		return table
	}
	return "(\n  " + againKept + table + " WHERE leaf IN {leaves:Array(UInt64)})"
}

// keptEpoch is the epoch of such a row, whatever its label.
func (r *reading) keptEpoch() string {
	if !r.circles() {
		return "epoch"
	}
	return "toInt32(abs(epoch))"
}
