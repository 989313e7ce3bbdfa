package warehouse

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/sluice-hq/sluice/stats"
)

// total carries out a statement that writes totals of a measure.
func (l *writing) total(ctx context.Context, m Measure, number uint64, sql func(stats.Metric, Params) string) error {
	p := maps.Clone(l.p)
	m.put(p)
	p["measure"] = number
	return l.mark(ctx, sql(m.Metric, p), p)
}

// mark carries out a statement that leaves a mark.
func (l *writing) mark(ctx context.Context, sql string, p Params) error {
	l.marks++
	return l.exec(ctx, sql, p.with("mark", l.marks))
}

// exec carries out an INSERT SELECT. Its blocks may be large, unlike those of
// the loader: nobody repeats them, and each is a part.
func (l *writing) exec(ctx context.Context, sql string, p Params) error {
	return l.w.writer.Exec(clickhouse.Context(ctx, clickhouse.WithParameters(p.encode()), clickhouse.WithSettings(clickhouse.Settings{
		"min_insert_block_size_rows": 1 << 20, "min_insert_block_size_bytes": 256 << 20,
		"optimize_aggregation_in_order": 1, "do_not_merge_across_partitions_select_final": 1, "join_use_nulls": 0,
		"insert_deduplicate": 0, // a leaf is written once
	})), sql)
}

// readBack counts the rows of the leaf, and refuses it unless every statement
// left its mark.
func (l *writing) readBack(ctx context.Context) (rows uint64, err error) {
	var marks, assigned uint64
	p := Params{"leaf": l.p["leaf"]}
	if err := one(ctx, l.w.reader, `SELECT count(), countIf(measure = 0) FROM unit_totals WHERE leaf = {leaf:UInt64}`, p, &rows, &marks); err != nil {
		return 0, fmt.Errorf("reading back a leaf: %w", err)
	}
	if err := one(ctx, l.w.reader, `SELECT count() FROM assignments WHERE leaf = {leaf:UInt64}`, p, &assigned); err != nil {
		return 0, fmt.Errorf("reading back a leaf: %w", err)
	}
	if marks != l.marks {
		return 0, fmt.Errorf("reading back a leaf: %d of %d statements were acknowledged and are not stored", l.marks-marks, l.marks)
	}
	return rows + assigned, nil
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
