package warehouse

import (
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// column is one column of an insert: the values of all rows.
type column struct {
	name   string
	kind   string // ClickHouse type; a test compares it with the table's
	values any    // a slice
}

func pick[R, V any](name, kind string, rows []R, value func(R) V) column {
	values := make([]V, len(rows))
	for i, r := range rows {
		values[i] = value(r)
	}
	return column{name, kind, values}
}

// Types that many columns have.
const (
	keyword    = "LowCardinality(String)"
	millis     = "DateTime64(3, 'UTC')" // values are milliseconds, see outOfRange
	attributes = "Map(LowCardinality(String), String)"
)

// identity returns the columns that every row of facts and events has.
func identity[R any](rows []R, of func(R) (event.ID, ingest.Day, time.Time, ingest.Place)) []column {
	return []column{
		pick("id", "FixedString(16)", rows, func(r R) []byte { id, _, _, _ := of(r); return id[:] }),
		pick("day", "Date", rows, func(r R) time.Time { _, d, _, _ := of(r); return d.Time() }),
		pick("at", millis, rows, func(r R) int64 { _, _, at, _ := of(r); return at.UnixMilli() }),
		pick("_shard", keyword, rows, func(r R) string { _, _, _, p := of(r); return p.Shard }),
		pick("_seq", "UInt64", rows, func(r R) uint64 { _, _, _, p := of(r); return p.Seq }),
		pick("_idx", "UInt32", rows, func(r R) uint32 { _, _, _, p := of(r); return p.Idx }),
		pick("_ver", "UInt64", rows, func(r R) uint64 { _, _, _, p := of(r); return version(p) }),
	}
}

// version is greater the earlier a row arrived, so that ReplacingMergeTree
// keeps the first. A message has fewer than 65,536 events; all copies of a row
// are of one shard, so the shard does not matter.
func version(p ingest.Place) uint64 { return ^(p.Seq<<16 | uint64(p.Idx)&0xffff) }

func exposureColumns(rows []ingest.ExposureRow) []column {
	type row = ingest.ExposureRow
	return append(identity(rows, func(r row) (event.ID, ingest.Day, time.Time, ingest.Place) { return r.ID, r.Day, r.At, r.Place }),
		pick("environment", keyword, rows, func(r row) string { return r.Environment }),
		pick("flag", keyword, rows, func(r row) string { return r.Flag }),
		pick("variant", keyword, rows, func(r row) string { return r.Variant }),
		pick("unit_kind", keyword, rows, func(r row) string { return r.UnitKind }),
		pick("unit", "UInt64", rows, func(r row) uint64 { return r.Unit }),
		pick("revision", "UInt64", rows, func(r row) uint64 { return r.Revision }),
		pick("rollout", keyword, rows, func(r row) string { return r.Rollout }),
		pick("epoch", "Int32", rows, func(r row) int32 { return r.Epoch }),
		pick("stage", keyword, rows, func(r row) string { return r.Stage }),
		pick("arm", keyword, rows, func(r row) string { return r.Arm }),
		pick("enrolled", "Bool", rows, func(r row) bool { return r.Enrolled }),
		pick("differs", "Bool", rows, func(r row) bool { return r.Differs }),
		pick("reason", keyword, rows, func(r row) string { return r.Reason }),
		pick("received", millis, rows, func(r row) int64 { return r.Received.UnixMilli() }),
		pick("attributes", attributes, rows, func(r row) map[string]string { return r.Attributes }),
		pick("synthetic", "Bool", rows, func(r row) bool { return r.Synthetic }),
		pick("source", keyword, rows, func(r row) string { return string(r.Source) }),
	)
}

func metricColumns(rows []ingest.MetricRow) []column {
	type row = ingest.MetricRow
	return append(identity(rows, func(r row) (event.ID, ingest.Day, time.Time, ingest.Place) { return r.ID, r.Day, r.At, r.Place }),
		pick("environment", keyword, rows, func(r row) string { return r.Environment }),
		pick("name", keyword, rows, func(r row) string { return r.Name }),
		pick("unit_kind", keyword, rows, func(r row) string { return r.UnitKind }),
		pick("unit", "UInt64", rows, func(r row) uint64 { return r.Unit }),
		pick("value", "Int64", rows, func(r row) int64 { return r.Value }),
		pick("received", millis, rows, func(r row) int64 { return r.Received.UnixMilli() }),
		pick("attributes", attributes, rows, func(r row) map[string]string { return r.Attributes }),
		pick("synthetic", "Bool", rows, func(r row) bool { return r.Synthetic }),
	)
}

func deploymentColumns(rows []ingest.DeploymentRow) []column {
	type row = ingest.DeploymentRow
	return append(identity(rows, func(r row) (event.ID, ingest.Day, time.Time, ingest.Place) { return r.ID, r.Day, r.At, r.Place }),
		pick("environment", keyword, rows, func(r row) string { return r.Environment }),
		pick("service", keyword, rows, func(r row) string { return r.Service }),
		pick("version", "String", rows, func(r row) string { return r.Version }),
		pick("received", millis, rows, func(r row) int64 { return r.Received.UnixMilli() }),
		pick("attributes", attributes, rows, func(r row) map[string]string { return r.Attributes }),
		pick("synthetic", "Bool", rows, func(r row) bool { return r.Synthetic }),
	)
}

func readingColumns(rows []ingest.ReadingRow) []column {
	type row = ingest.ReadingRow
	return append(identity(rows, func(r row) (event.ID, ingest.Day, time.Time, ingest.Place) { return r.ID, r.Day, r.At, r.Place }),
		pick("environment", keyword, rows, func(r row) string { return r.Environment }),
		pick("name", keyword, rows, func(r row) string { return r.Name }),
		pick("value", "Int64", rows, func(r row) int64 { return r.Value }),
		pick("received", millis, rows, func(r row) int64 { return r.Received.UnixMilli() }),
		pick("labels", attributes, rows, func(r row) map[string]string { return r.Labels }),
		pick("synthetic", "Bool", rows, func(r row) bool { return r.Synthetic }),
	)
}

func controlColumns(rows []ingest.ControlRow) []column {
	type row = ingest.ControlRow
	return append(identity(rows, func(r row) (event.ID, ingest.Day, time.Time, ingest.Place) { return r.ID, r.Day, r.At, r.Place }),
		pick("type", keyword, rows, func(r row) string { return r.Type }),
		pick("subject", "String", rows, func(r row) string { return r.Subject }),
		pick("source", keyword, rows, func(r row) string { return r.Source }),
		pick("actor", keyword, rows, func(r row) string { return r.Actor }),
		pick("cause", "String", rows, func(r row) string { return r.Cause }),
		pick("data", "String", rows, func(r row) string { return r.Data }),
		pick("prev", "FixedString(32)", rows, func(r row) []byte { return r.Prev[:] }),
		pick("hash", "FixedString(32)", rows, func(r row) []byte { return r.Hash[:] }),
	)
}

func lookColumns(looks []Look) []column {
	return []column{
		pick("rollout", keyword, looks, func(l Look) string { return l.Rollout }),
		pick("at", millis, looks, func(l Look) int64 { return l.At.UnixMilli() }),
		pick("stage", keyword, looks, func(l Look) string { return l.Stage }),
		pick("action", keyword, looks, func(l Look) string { return l.Action }),
		pick("reason", "String", looks, func(l Look) string { return l.Reason }),
		pick("data", "String", looks, func(l Look) string { return string(l.Data) }),
		pick("decision", "String", looks, func(l Look) string { return l.Decision }),
		pick("watermark", "Map(LowCardinality(String), UInt64)", looks, func(l Look) map[string]uint64 { return l.Watermark }),
		pick("hash", "FixedString(32)", looks, func(l Look) []byte { return l.Hash[:] }),
		pick("record", "String", looks, func(l Look) string { return string(l.Record) }),
	}
}

// lastMilli is the end of what a Date can hold, 2149-06-06.
const lastMilli = 65535 * 24 * 60 * 60 * 1000

// outOfRange reports whether c holds a time that the tables cannot. The driver
// would let it wrap around to another time without a word.
func (c column) outOfRange() bool {
	times, ok := c.values.([]int64)
	return ok && c.kind == millis && slices.ContainsFunc(times, func(ms int64) bool { return ms < 0 || ms > lastMilli })
}

// describe tells the driver the columns, which it would otherwise ask the
// server for before every insert.
func describe(columns []column) (out []clickhouse.ColumnNameAndType) {
	for _, c := range columns {
		out = append(out, clickhouse.ColumnNameAndType{Name: c.name, Type: c.kind})
	}
	return out
}
