package warehouse

import (
	"context"
	"fmt"
	"time"
)

// Moments returns when the looks at a rollout were that are not younger than a
// time, the oldest first, without what they saw: there are too many to read
// them whole for one picture.
func (w *Warehouse) Moments(ctx context.Context, rollout string, until time.Time) ([]Look, error) {
	rows, err := query(ctx, w.reader, `SELECT at, stage, action, decision FROM looks FINAL
WHERE rollout = {rollout:String} AND at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC') ORDER BY at`,
		Params{"rollout": rollout, "until": until.UnixMilli()})
	if err != nil {
		return nil, fmt.Errorf("reading the times of the looks at %s: %w", rollout, err)
	}
	defer rows.Close()
	var out []Look
	for rows.Next() {
		l := Look{Rollout: rollout}
		if err := rows.Scan(&l.At, &l.Stage, &l.Action, &l.Decision); err != nil {
			return nil, fmt.Errorf("reading the times of the looks at %s: %w", rollout, err)
		}
		out = append(out, l)
	}
	return out, rows.Err()
}

// LooksAt returns the looks at a rollout at some times, the oldest first, with
// the units and one metric alone of all that they saw: with sixty metrics a look
// is so large that a picture of a few hundred is not made of whole ones.
func (w *Warehouse) LooksAt(ctx context.Context, rollout, metric string, at []time.Time) ([]Look, error) {
	times := []int64{-1} // of no look: a list without elements has no type
	for _, t := range at {
		times = append(times, t.UnixMilli())
	}
	rows, err := query(ctx, w.reader, `SELECT at, stage, action, decision,
  concat('[', arrayStringConcat(arrayFilter(m -> JSONExtractString(m, 'metric') = {metric:String}, JSONExtractArrayRaw(data)), ','), ']') AS measured,
  JSONExtractRaw(record, 'evidence', 'units') AS units
FROM looks FINAL
WHERE rollout = {rollout:String} AND toUnixTimestamp64Milli(at) IN {times:Array(Int64)} ORDER BY at`,
		Params{"rollout": rollout, "metric": metric, "times": times})
	if err != nil {
		return nil, fmt.Errorf("reading %s at the looks at %s: %w", metric, rollout, err)
	}
	defer rows.Close()
	var out []Look
	for rows.Next() {
		l := Look{Rollout: rollout}
		var measured, units string
		if err := rows.Scan(&l.At, &l.Stage, &l.Action, &l.Decision, &measured, &units); err != nil {
			return nil, fmt.Errorf("reading %s at the looks at %s: %w", metric, rollout, err)
		}
		l.Data = document(measured)
		if units != "" {
			l.Record = document(`{"evidence":{"units":` + units + `}}`)
		}
		out = append(out, l)
	}
	return out, rows.Err()
}
