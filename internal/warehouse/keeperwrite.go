package warehouse

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/sluice-hq/sluice/stats"
)

// writing is one leaf that is being written.
type writing struct {
	w     *Warehouse
	p     Params
	marks uint64
}

// arrivals are what messages hold: how many exposures, events of which names,
// and the days of both.
type arrivals struct {
	exposures uint64
	names     []string
	days      []string
}

const arrivalsSQL = `SELECT (SELECT count() FROM exposures WHERE ` + ofMessages + `), groupUniqArray(name) AS names,
  arraySort(arrayUnion(groupUniqArray(toString(day)), (SELECT groupUniqArray(toString(day)) FROM exposures WHERE ` + ofMessages + `)))
FROM metrics WHERE ` + ofMessages

const ofMessages = `_shard = {shard:String} AND _seq BETWEEN {from_seq:UInt64} AND {to_seq:UInt64}`

func (l *writing) arrivals(ctx context.Context) (a arrivals, err error) {
	err = one(ctx, l.w.reader, arrivalsSQL, Params{"shard": l.p["shard"], "from_seq": l.p["from_seq"], "to_seq": l.p["to_seq"]}, &a.exposures, &a.names, &a.days)
	return a, err
}

// fold writes the assignments that new exposures change, then for each measure
// the totals of the units that this moves and of those that have new events.
func (l *writing) fold(ctx context.Context, wanted map[string]Measure, numbers map[string]uint64) error {
	a, err := l.arrivals(ctx)
	if err != nil {
		return err
	}
	l.p["days"] = append(a.days, "1970-01-01") // never empty: a list without elements has no type
	if a.exposures > 0 {
		if err := l.assign(ctx, wanted, numbers); err != nil {
			return err
		}
	}
	for _, definition := range sorted(wanted) {
		if m := wanted[definition]; slices.ContainsFunc(names(m.Metric), func(name string) bool { return slices.Contains(a.names, name) }) {
			if err := l.total(ctx, m, numbers[definition], arrivedSQL); err != nil {
				return err
			}
		}
	}
	return nil
}

// movedRolloutsSQL says of which rollouts the leaf has units.
const movedRolloutsSQL = `SELECT groupUniqArray(rollout) FROM assignments WHERE leaf = {leaf:UInt64} AND n != 0`

func (l *writing) assign(ctx context.Context, wanted map[string]Measure, numbers map[string]uint64) error {
	for _, sql := range []string{assignSQL, seenSQL} {
		if err := l.mark(ctx, sql, l.p); err != nil {
			return err
		}
	}
	var moved []string
	if err := one(ctx, l.w.reader, movedRolloutsSQL, Params{"leaf": l.p["leaf"]}, &moved); err != nil {
		return err
	}
	for _, definition := range sorted(wanted) {
		if m := wanted[definition]; slices.Contains(moved, m.Rollout) {
			if err := l.total(ctx, m, numbers[definition], movedSQL); err != nil {
				return err
			}
		}
	}
	return nil
}

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
		"optimize_move_to_prewhere_if_final": 1, // what is asked of the key, as units are, is sorted out before copies are merged
		"insert_deduplicate":                 0, // a leaf is written once
	})), sql)
}

// readBack counts the rows of the leaf, and refuses it unless every statement
// left its mark.
func (l *writing) readBack(ctx context.Context) (rows uint64, err error) {
	var marks []uint64
	err = one(ctx, l.w.reader, rowsSQL,
		Params{"leaf": l.p["leaf"]}, &rows, &marks)
	if err != nil {
		return 0, fmt.Errorf("reading back a leaf: %w", err)
	}
	if want := upTo(l.marks); !slices.Equal(marks, want) {
		return 0, fmt.Errorf("reading back a leaf: the statements %v were acknowledged, and %v are stored", want, marks)
	}
	return rows, nil
}

// rowsSQL counts the rows of a leaf and lists its marks, each as often as it is
// there: a statement that was carried out twice is as wrong as none.
const rowsSQL = `SELECT sum(rows), arraySort(arrayFlatten(groupArray(marks))) FROM (
  SELECT count() AS rows, groupArrayIf(unit, rollout = '') AS marks FROM assignments WHERE leaf = {leaf:UInt64}
  UNION ALL
  SELECT count(), groupArrayIf(unit, measure = 0) FROM unit_totals WHERE leaf = {leaf:UInt64})`

// upTo returns the marks of n statements.
func upTo(n uint64) []uint64 {
	marks := make([]uint64, n)
	for i := range marks {
		marks[i] = uint64(i) + 1
	}
	return marks
}

// names returns the events that a metric is made of.
func names(m stats.Metric) []string {
	if m.Denominator == nil {
		return []string{m.Event}
	}
	return []string{m.Event, m.Denominator.Event}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
