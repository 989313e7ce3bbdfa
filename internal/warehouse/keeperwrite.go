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

// arrivals are what messages hold: how many exposures, how many events of each
// name, and the days of both.
type arrivals struct {
	exposures uint64
	events    map[string]uint64
	days      []string
}

const arrivalsSQL = `SELECT '' AS of, count() AS rows, groupUniqArray(toString(day)) AS days FROM exposures WHERE ` + ofMessages + `
UNION ALL SELECT name, count(), groupUniqArray(toString(day)) FROM metrics WHERE ` + ofMessages + ` GROUP BY name`

const ofMessages = `_shard = {shard:String} AND ` + ofMessage

func (l *writing) arrivals(ctx context.Context) (arrivals, error) {
	a := arrivals{events: map[string]uint64{}, days: []string{"1970-01-01"}} // never empty: a list without elements has no type
	rows, err := query(ctx, l.w.reader, arrivalsSQL, Params{"shard": l.p["shard"], "from_seq": l.p["from_seq"], "to_seq": l.p["to_seq"]})
	if err != nil {
		return a, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var n uint64
		var days []string
		if err := rows.Scan(&name, &n, &days); err != nil {
			return a, err
		}
		a.days = append(a.days, days...)
		if name == "" { // no event is called that
			a.exposures = n
		} else {
			a.events[name] = n
		}
	}
	a.days = distinct(a.days)
	return a, rows.Err()
}

// fold writes the assignments that new exposures change, then the totals of the
// units that this moves and of those that have new events.
func (l *writing) fold(ctx context.Context, wanted map[string]Measure, numbers map[string]uint64) error {
	a, err := l.arrivals(ctx)
	if err != nil {
		return err
	}
	l.p["days"] = a.days
	moved := map[string]uint64{}
	if a.exposures > 0 {
		if moved, err = l.assign(ctx); err != nil {
			return err
		}
	}
	work := func(m Measure) uint64 { return moved[m.Rollout] + a.of(m) }
	for _, b := range batches(wanted, numbers, work) {
		moves := slices.ContainsFunc(b, func(m numbered) bool { return moved[m.Rollout] > 0 })
		events := slices.ContainsFunc(b, func(m numbered) bool { return a.of(m.Measure) > 0 })
		p := maps.Clone(l.p)
		if err := l.mark(ctx, b.foldSQL(moves, events, p), p); err != nil {
			return err
		}
	}
	return nil
}

// of is how many events there are that may be of a measure.
func (a arrivals) of(m Measure) (n uint64) {
	for _, name := range eventNames(m.Metric) {
		n += a.events[name]
	}
	return n
}

// assign writes the assignments, and returns of which rollouts units moved.
func (l *writing) assign(ctx context.Context) (map[string]uint64, error) {
	if err := l.mark(ctx, assignSQL, l.p); err != nil {
		return nil, err
	}
	rows, err := query(ctx, l.w.reader, movedSQL, Params{"leaf": l.p["leaf"]})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	moved := map[string]uint64{}
	for rows.Next() {
		var rollout string
		var n uint64
		if err := rows.Scan(&rollout, &n); err != nil {
			return nil, err
		}
		moved[rollout] = n
	}
	return moved, rows.Err()
}

// whole computes the totals of a measure for all units.
func (l *writing) whole(ctx context.Context, m numbered) error {
	p := maps.Clone(l.p)
	return l.mark(ctx, batch{m}.wholeSQL(p), p)
}

// mark carries out a statement that leaves a mark.
func (l *writing) mark(ctx context.Context, sql string, p Params) error {
	l.marks++
	return l.exec(ctx, sql, p.with("mark", l.marks))
}

// exec carries out an INSERT SELECT. Its blocks may be large, unlike those of
// the loader: nobody repeats them, and each is a part.
func (l *writing) exec(ctx context.Context, sql string, p Params) error {
	return l.w.patient.Exec(clickhouse.Context(ctx, clickhouse.WithParameters(p.encode()), clickhouse.WithSettings(clickhouse.Settings{
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

// eventNames returns the events that a metric is made of.
func eventNames(m stats.Metric) []string {
	if m.Denominator == nil || m.Denominator.Event == m.Event {
		return []string{m.Event}
	}
	return []string{m.Event, m.Denominator.Event}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
