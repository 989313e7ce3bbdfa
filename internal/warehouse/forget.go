package warehouse

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

var _ ingest.Eraser = (*Warehouse)(nil)

// covered is ingest.Forgotten.covers as a condition: a row of the unit that
// happened before the deletion, by the time bits of its id, or came before it.
const covered = `unit_kind = {kind:String} AND unit = {unit:UInt64}
  AND (id < toFixedString(unhex({before:String}), 16) OR _seq <= transform(_shard, {shards:Array(String)}, {seqs:Array(UInt64)}, toUInt64(0)))`

// ofUnits are the tables whose rows belong to one unit each.
var ofUnits = []string{ingest.TableExposures, ingest.TableMetrics}

// Erase implements ingest.Eraser. It rewrites the parts that hold such rows: a
// lightweight delete would only hide them. The parts as they were leave the
// disk with old_parts_lifetime.
func (w *Warehouse) Erase(ctx context.Context, f ingest.Forgotten) (rows uint64, err error) {
	p, err := erasure(f)
	if err != nil {
		return 0, err
	}
	for _, table := range ofUnits {
		n, err := w.erase(ctx, table, p)
		if rows += n; err != nil {
			return rows, fmt.Errorf("erasing %s from %s: %w", f.Unit, table, err)
		}
	}
	return rows, nil
}

// erase removes the rows of one table, and looks again.
func (w *Warehouse) erase(ctx context.Context, table string, p Params) (rows uint64, err error) {
	left := func() (n uint64, err error) {
		err = one(ctx, w.reader, `SELECT count() FROM `+table+` WHERE `+covered, p, &n)
		return n, err
	}
	if rows, err = left(); err != nil || rows == 0 {
		return 0, err
	}
	waiting := clickhouse.Context(ctx, clickhouse.WithParameters(p.encode()),
		clickhouse.WithSettings(clickhouse.Settings{"mutations_sync": 2})) // done on every replica when it answers
	if err := w.patient.Exec(waiting, `ALTER TABLE `+w.schema.Table(table)+` DELETE WHERE `+covered); err != nil {
		return 0, err
	}
	if n, err := left(); err != nil || n > 0 {
		return rows, firstError(err, fmt.Errorf("%d rows are still there", n))
	}
	return rows, nil
}

func erasure(f ingest.Forgotten) (Params, error) {
	unit, ok := ingest.ParseUnit(f.Unit)
	if !ok {
		return nil, event.Invalid{Path: "unit", Value: f.Unit, Why: "is not the hash of a unit", Fix: "write hash: and 16 hexadecimal digits"}
	}
	shards := slices.Sorted(maps.Keys(f.Fence))
	seqs := make([]uint64, len(shards))
	for i, s := range shards {
		seqs[i] = f.Fence[s]
	}
	behind := ingest.FirstID(f.Before.UnixMilli() + 1)
	return Params{
		"kind": f.Kind, "unit": unit, "before": hex.EncodeToString(behind[:]),
		"shards": append(shards, ""), "seqs": append(seqs, 0), // never empty: a list without elements has no type
	}, nil
}
