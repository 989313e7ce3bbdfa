package warehouse

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/ingest"
)

// twoArms is every unit that readouts leave out because it saw two arms, with
// the first of its exposures. Units are those of unitsOf.
const twoArms = `SELECT unit_epoch, kind, unit_hash, seen, met.1, met.3, met.4, met.5, met.6, met.7
FROM (
SELECT epoch AS unit_epoch, any(unit_kind) AS kind, unit AS unit_hash, toInt64(count()) AS seen,
  groupArraySorted(100)((toUnixTimestamp64Milli(at), id, toUnixTimestamp64Milli(received), arm, reason, revision,
    trimRight(attributes[{sdk:String}] || ' ' || attributes[{version:String}]))) AS met
FROM exposures FINAL
WHERE environment = {environment:String} AND flag = {flag:String} AND rollout = {rollout:String}
  AND enrolled AND NOT synthetic AND (epoch, unit) > (toInt32({epoch:Int64}), {unit:UInt64})
GROUP BY epoch, unit
HAVING min(arm) != max(arm)
)
ORDER BY unit_epoch, unit_hash
LIMIT {limit:UInt64}`

// Cohort is one unit in one epoch, as a place in a list.
type Cohort struct {
	Epoch int
	Unit  uint64
}

// TwoArms returns the units that saw two arms in one epoch of a rollout, behind
// a place, in the order of epochs and hashes, with the likely cause.
func (w *Warehouse) TwoArms(ctx context.Context, environment, flag, rollout string, after Cohort, limit int) ([]ingest.TwoArms, error) {
	rows, err := query(ctx, w.reader, twoArms, Params{
		"environment": environment, "flag": flag, "rollout": rollout, "epoch": after.Epoch, "unit": after.Unit, "limit": limit,
		"sdk": ingest.SDKName, "version": ingest.SDKVersion,
	})
	if err != nil {
		return nil, fmt.Errorf("looking for units in two arms of %s: %w", rollout, err)
	}
	defer rows.Close()
	var out []ingest.TwoArms
	for rows.Next() {
		var u ingest.TwoArms
		var epoch int32
		var unit uint64
		var m meetings
		if err := rows.Scan(&epoch, &u.Kind, &unit, &u.Exposures, &m.at, &m.received, &m.arm, &m.reason, &m.revision, &m.sdk); err != nil {
			return nil, fmt.Errorf("looking for units in two arms of %s: %w", rollout, err)
		}
		u.Epoch, u.Unit, u.Met = int(epoch), ingest.UnitText(unit), m.list()
		u.Cause, u.Why = ingest.LikelyCause(u.Met)
		out = append(out, u)
	}
	return out, rows.Err()
}

// meetings are a unit's exposures, column by column.
type meetings struct {
	at, received     []int64 // ms
	arm, reason, sdk []string
	revision         []uint64
}

func (m meetings) list() []ingest.Meeting {
	out := make([]ingest.Meeting, len(m.at))
	for i := range m.at {
		out[i] = ingest.Meeting{
			At: time.UnixMilli(m.at[i]).UTC(), Received: time.UnixMilli(m.received[i]).UTC(),
			Arm: m.arm[i], Reason: m.reason[i], SDK: m.sdk[i], Revision: m.revision[i],
		}
	}
	return out
}
