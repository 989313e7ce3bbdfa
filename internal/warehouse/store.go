package warehouse

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

var _ ingest.Store = (*Warehouse)(nil)

// Insert implements ingest.Store. Each table gets one insert with the block's
// token, which is enough to keep the tables' windows apart; a block that was
// stored in part is completed by its repeat.
func (w *Warehouse) Insert(ctx context.Context, b ingest.Block) error {
	for _, in := range []struct {
		table   string
		rows    int
		columns func() []column
	}{
		{ingest.TableExposures, len(b.Exposures), func() []column { return exposureColumns(b.Exposures) }},
		{ingest.TableMetrics, len(b.Metrics), func() []column { return metricColumns(b.Metrics) }},
		{ingest.TableDeployments, len(b.Deployments), func() []column { return deploymentColumns(b.Deployments) }},
		{ingest.TableReadings, len(b.Readings), func() []column { return readingColumns(b.Readings) }},
		{ingest.TableControl, len(b.Control), func() []column { return controlColumns(b.Control) }},
	} {
		if in.rows == 0 {
			continue
		}
		if err := w.insert(ctx, in.table, b.Token, in.columns()); err != nil {
			return fmt.Errorf("inserting %d rows into %s (%s): %w", in.rows, in.table, b.Token, err)
		}
	}
	return nil
}

// insert stores one block of one table. The statement's text is made of the
// names in this package.
func (w *Warehouse) insert(ctx context.Context, table, token string, columns []column) error {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithColumnNamesAndTypes(describe(columns)),
		clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": token}))
	batch, err := w.writer.PrepareBatch(ctx, "INSERT INTO "+table+" ("+strings.Join(names, ", ")+")")
	if err != nil {
		return err
	}
	defer batch.Close()
	for i, c := range columns {
		if c.outOfRange() {
			return fmt.Errorf("%w: column %s has a time before 1970 or after 2149", ingest.ErrRejected, c.name)
		}
		if err := batch.Column(i).Append(c.values); err != nil {
			return fmt.Errorf("%w: column %s: %w", ingest.ErrRejected, c.name, err)
		}
	}
	return rejected(batch.Send())
}

// refusals are ClickHouse's codes for rows that it will never take.
var refusals = map[int32]string{
	6: "CANNOT_PARSE_TEXT", 27: "CANNOT_PARSE_INPUT_ASSERTION_FAILED", 33: "CANNOT_READ_ALL_DATA", 53: "TYPE_MISMATCH",
	70: "CANNOT_CONVERT_TYPE", 117: "INCORRECT_DATA", 131: "TOO_LARGE_STRING_SIZE", 321: "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
	469: "VIOLATED_CONSTRAINT",
}

func rejected(err error) error {
	var e *clickhouse.Exception
	if errors.As(err, &e) && refusals[e.Code] != "" {
		return fmt.Errorf("%w: %w", ingest.ErrRejected, err)
	}
	return err
}

// inRange selects the rows of a range of messages. Their _ver holds sequence
// and index in one number, which is counted at a third of what the pair costs.
const inRange = ` WHERE _shard = {shard:String} AND _seq BETWEEN {from:UInt64} AND {to:UInt64}`

// Count implements ingest.Store.
func (w *Warehouse) Count(ctx context.Context, shard string, from, to uint64) (uint64, error) {
	return w.count(ctx, `SELECT sum(n) FROM (
SELECT uniqExact(_ver) AS n FROM exposures`+inRange+` GROUP BY unit_kind
UNION ALL SELECT uniqExact(_ver) FROM metrics`+inRange+` GROUP BY unit_kind
UNION ALL SELECT uniqExact(_ver) FROM deployments`+inRange+`
UNION ALL SELECT uniqExact(_ver) FROM readings`+inRange+`
UNION ALL SELECT uniqExact(_ver) FROM control_events`+inRange+`)`, shard, from, to)
}

// Events implements ingest.Store.
func (w *Warehouse) Events(ctx context.Context, shard string, from, to uint64) (uint64, error) {
	return w.count(ctx, `SELECT uniqExact(_ver) FROM (
SELECT _ver FROM exposures`+inRange+`
UNION ALL SELECT _ver FROM metrics`+inRange+`
UNION ALL SELECT _ver FROM deployments`+inRange+`
UNION ALL SELECT _ver FROM readings`+inRange+`
UNION ALL SELECT _ver FROM control_events`+inRange+`)`, shard, from, to)
}

func (w *Warehouse) count(ctx context.Context, sql, shard string, from, to uint64) (n uint64, err error) {
	if err := one(ctx, w.reader, sql, Params{"shard": shard, "from": from, "to": to}, &n); err != nil {
		return 0, fmt.Errorf("counting %s %d to %d: %w", shard, from, to, err)
	}
	return n, nil
}

// lookups find the stored keys among some ids; days keeps the search in the
// partitions where they can be.
var lookups = map[string]string{
	ingest.TableExposures:   `SELECT environment, flag, unit_kind, unit, id FROM exposures WHERE ` + amongIDs,
	ingest.TableMetrics:     `SELECT environment, name, unit_kind, unit, id FROM metrics WHERE ` + amongIDs,
	ingest.TableDeployments: `SELECT environment, service, '', toUInt64(0), id FROM deployments WHERE ` + amongIDs,
	ingest.TableReadings:    `SELECT environment, name, '', toUInt64(0), id FROM readings WHERE ` + amongIDs,
	ingest.TableControl:     `SELECT '', type, '', toUInt64(0), id FROM control_events WHERE ` + amongIDs,
}

const amongIDs = `day IN (SELECT toDate(arrayJoin({days:Array(String)})))
AND id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))`

// idsAtOnce bounds the length of a statement's parameters, which travel in
// the request line.
const idsAtOnce = 4000

// Missing implements ingest.Store.
func (w *Warehouse) Missing(ctx context.Context, b ingest.Block) (ingest.Rows, error) {
	wanted := map[string]map[event.ID]bool{}
	b.Each(func(k ingest.Key, _ ingest.Place) {
		if wanted[k.Table] == nil {
			wanted[k.Table] = map[event.ID]bool{}
		}
		wanted[k.Table][k.ID] = true
	})
	days := blockDays(b)
	stored := map[ingest.Key]bool{}
	for table, ids := range wanted {
		for part := range slices.Chunk(slices.Collect(maps.Keys(ids)), idsAtOnce) {
			if err := w.lookup(ctx, table, days[table], part, stored); err != nil {
				return ingest.Rows{}, fmt.Errorf("looking for rows of %s in %s: %w", b.Token, table, err)
			}
		}
	}
	return b.Keep(func(k ingest.Key, _ ingest.Place) bool { return !stored[k] }), nil
}

func (w *Warehouse) lookup(ctx context.Context, table string, days []string, ids []event.ID, stored map[ingest.Key]bool) error {
	digits := make([]string, len(ids))
	for i, id := range ids {
		digits[i] = hex.EncodeToString(id[:])
	}
	rows, err := query(ctx, w.reader, lookups[table], Params{"days": days, "ids": digits})
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		k := ingest.Key{Table: table}
		if err := rows.Scan(&k.Environment, &k.Name, &k.UnitKind, &k.Unit, &k.ID); err != nil {
			return err
		}
		stored[k] = true
	}
	return rows.Err()
}

// blockDays returns the days of a block's rows, by table.
func blockDays(b ingest.Block) map[string][]string {
	days := map[string]map[ingest.Day]bool{}
	add := func(table string, d ingest.Day) {
		if days[table] == nil {
			days[table] = map[ingest.Day]bool{}
		}
		days[table][d] = true
	}
	for _, r := range b.Exposures {
		add(ingest.TableExposures, r.Day)
	}
	for _, r := range b.Metrics {
		add(ingest.TableMetrics, r.Day)
	}
	for _, r := range b.Deployments {
		add(ingest.TableDeployments, r.Day)
	}
	for _, r := range b.Readings {
		add(ingest.TableReadings, r.Day)
	}
	for _, r := range b.Control {
		add(ingest.TableControl, r.Day)
	}
	out := map[string][]string{}
	for table, set := range days {
		for d := range set {
			out[table] = append(out[table], d.Time().Format("2006-01-02"))
		}
	}
	return out
}
