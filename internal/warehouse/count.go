package warehouse

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// ControlCount returns how many events of the control log are stored, and the
// sequence of the last. Both are equal when none is missing.
func (w *Warehouse) ControlCount(ctx context.Context) (rows, last uint64, err error) {
	if err := one(ctx, w.reader, `SELECT count(), max(_seq) FROM control_events FINAL`, nil, &rows, &last); err != nil {
		return 0, 0, fmt.Errorf("counting the control events: %w", err)
	}
	return rows, last, nil
}

const everyID = `
SELECT id FROM exposures FINAL UNION ALL SELECT id FROM metrics FINAL
UNION ALL SELECT id FROM deployments FINAL UNION ALL SELECT id FROM readings FINAL`

// Counted returns how many different events are stored, of any kind, and how
// many of them are reports of evaluations, which replicas make themselves.
func (w *Warehouse) Counted(ctx context.Context) (events, reports uint64, err error) {
	err = one(ctx, w.reader, `SELECT uniqExact(id), uniqExactIf(id, id IN (SELECT id FROM readings WHERE name = {reports:String})) FROM (`+everyID+`)`,
		Params{"reports": ingest.Evaluations}, &events, &reports)
	if err != nil {
		return 0, 0, fmt.Errorf("counting the events: %w", err)
	}
	return events, reports, nil
}

// Doubled returns how many rows would be counted although another row of the
// same event says the same: 0, unless the tables' own deduplication fails.
func (w *Warehouse) Doubled(ctx context.Context) (n uint64, err error) {
	const twins = `SELECT toUInt64(sum(n) - count()) FROM (
  SELECT count() AS n FROM exposures FINAL GROUP BY id, unit_kind
  UNION ALL SELECT count() FROM metrics FINAL GROUP BY id, unit_kind
  UNION ALL SELECT count() FROM deployments FINAL GROUP BY id
  UNION ALL SELECT count() FROM readings FINAL GROUP BY id)`
	if err := one(ctx, w.reader, twins, nil, &n); err != nil {
		return 0, fmt.Errorf("looking for doubled events: %w", err)
	}
	return n, nil
}

// Unstored returns those of the ids that no stored event has. It reads every
// id that is stored: it is for checking the house, not for running it.
func (w *Warehouse) Unstored(ctx context.Context, ids []event.ID) ([]event.ID, error) {
	var out []event.ID
	for part := range slices.Chunk(ids, idsAtOnce) {
		digits := make([]string, len(part))
		for i, id := range part {
			digits[i] = hex.EncodeToString(id[:])
		}
		rows, err := query(ctx, w.reader, `SELECT toFixedString(unhex(x), 16) AS wanted
FROM (SELECT arrayJoin({ids:Array(String)}) AS x) WHERE wanted NOT IN (SELECT id FROM (`+everyID+`))`, Params{"ids": digits})
		if err != nil {
			return nil, fmt.Errorf("looking for events: %w", err)
		}
		for rows.Next() {
			var id event.ID
			if err := rows.Scan(&id); err != nil {
				return nil, fmt.Errorf("looking for events: %w", firstError(err, rows.Close()))
			}
			out = append(out, id)
		}
		if err := firstError(rows.Err(), rows.Close()); err != nil {
			return nil, fmt.Errorf("looking for events: %w", err)
		}
	}
	return out, nil
}
