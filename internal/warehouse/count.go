package warehouse

import (
	"context"
	"fmt"
	"maps"
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
// id that is stored, in slices by their last byte: it is for checking the house,
// not for running it.
func (w *Warehouse) Unstored(ctx context.Context, ids []event.ID) ([]event.ID, error) {
	wanted := make(map[event.ID]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	parts := min(1+len(ids)/100_000, 256) // so that one is far below max_result_rows
	for i := range parts {
		if err := w.strike(ctx, wanted, i, parts); err != nil {
			return nil, fmt.Errorf("looking for events: %w", err)
		}
	}
	return slices.Collect(maps.Keys(wanted)), nil
}

// strike removes the stored events of one slice.
func (w *Warehouse) strike(ctx context.Context, wanted map[event.ID]bool, slice, of int) error {
	rows, err := query(ctx, w.reader, `SELECT DISTINCT id FROM (`+everyID+`)
WHERE reinterpretAsUInt8(substring(id, 16, 1)) % {of:UInt16} = {slice:UInt16}`, Params{"slice": slice, "of": of})
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id event.ID
		if err := rows.Scan(&id); err != nil {
			return err
		}
		delete(wanted, id)
	}
	return rows.Err()
}
