package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// The rollout runs for fourteen days, and all that happens is spread evenly.
const (
	shard    = "facts-0"
	rollout  = "production/checkout/1"
	messages = 4000 // that all but the last hundredth came in
	days     = 14
)

var began = time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC)

// metrics are one of each shape that is a sum over units, and two that are
// common.
var metrics = []stats.Metric{
	{Key: "signup", Event: "signup", Aggregate: stats.Conversion, Window: week},
	{Key: "visits", Event: "visit", Aggregate: stats.Count, Window: week},
	{Key: "revenue", Event: "purchase", Aggregate: stats.Sum, Window: week},
	{Key: "basket", Event: "basket", Aggregate: stats.Average, Window: week},
	{Key: "refunds", Event: "refund", Aggregate: stats.Sum, Window: week},
}

const week = 7 * 24 * time.Hour

// span is some of the rows: the first of them to the last, which is left out.
type span struct{ from, to uint64 }

// part is what came first, or the hundredth that comes later.
func part(all uint64, later bool) span {
	if later {
		return span{all, all + all/100}
	}
	return span{0, all}
}

// fill returns the statements that make exposures and events. One in fifty of
// those that come later is a copy of an earlier one.
func (s size) fill(later bool) []string {
	return []string{
		made(`INSERT INTO exposures (id, day, environment, flag, variant, unit_kind, unit, revision, rollout, epoch, stage, arm, enrolled, at, received, _shard, _seq, _idx, _ver)
SELECT id, toDate(at), 'production', 'checkout', arm, 'user', unit, 1, '`+rollout+`', 1, 'canary', if(bitAnd(unit, 1) = 0, 'on', 'off') AS arm, true, at, at + 1, '`+shard+`', seq, idx, ver
`, 1, s.units, s.exposures, part(s.exposures, later)),
		made(`INSERT INTO metrics (id, day, environment, name, unit_kind, unit, value, at, received, _shard, _seq, _idx, _ver)
SELECT id, toDate(at), 'production', ['signup', 'visit', 'purchase', 'basket', 'refund'][1 + n % 5], 'user', unit, 1000000 * (1 + cityHash64(n, 3) % 200), at, at + 1, '`+shard+`', seq, idx, ver
`, 2, s.units, s.events, part(s.events, later)),
	}
}

// made ends a statement with where its rows are made from: a number, which says
// all there is to say of an event.
func made(into string, kind, units, all uint64, rows span) string {
	return into + fmt.Sprintf(`FROM (
  SELECT if(number >= %[3]d AND number %% 50 = 0, intDiv(number, 2), number) AS n, cityHash64(cityHash64(n, %[1]d) %% %[2]d) AS unit,
    %[6]d + intDiv(n * %[7]d, %[3]d) - cityHash64(n, 9) %% 3600000 AS ms, fromUnixTimestamp64Milli(toInt64(ms), 'UTC') AS at,
    toFixedString(unhex(leftPad(lower(hex(ms)), 12, '0') || '70%02[1]x') || reverse(reinterpretAsFixedString(bitOr(n, bitShiftLeft(toUInt64(1), 63)))), 16) AS id,
    1 + intDiv(number * %[8]d, %[3]d) AS seq, number %% 30000 AS idx, bitNot(bitShiftLeft(seq, 15) + idx) AS ver
  FROM numbers(%[4]d, %[5]d))`, kind, units, all, rows.from, rows.to-rows.from, began.UnixMilli()+3_600_000, int64(days*24*time.Hour/time.Millisecond), uint64(messages))
}

// plain makes the two tables that warehouses have of the same: text ids, in
// the order of time.
func plain() []string {
	return []string{
		`CREATE TABLE plain_exposures (experiment LowCardinality(String), user_id String, variant LowCardinality(String), ts DateTime64(3, 'UTC')) ENGINE = MergeTree PARTITION BY toDate(ts) ORDER BY ts`,
		`CREATE TABLE plain_events (event LowCardinality(String), user_id String, value Int64, ts DateTime64(3, 'UTC')) ENGINE = MergeTree PARTITION BY toDate(ts) ORDER BY ts`,
		`INSERT INTO plain_exposures SELECT rollout, concat('user-', lower(hex(unit))), arm, at FROM exposures FINAL`,
		`INSERT INTO plain_events SELECT name, concat('user-', lower(hex(unit))), value, at FROM metrics FINAL`,
	}
}

// joinSQL is the straightforward statement for one metric: who saw what first,
// what they did within the window, and sums and squares of each arm.
func joinSQL(m stats.Metric) string {
	value := map[stats.Aggregate]string{
		stats.Conversion: "toFloat64(countIf(e.user_id != '') > 0)", stats.Count: "toFloat64(countIf(e.user_id != ''))",
		stats.Sum: "sum(e.value) / 1e6", stats.Average: "sum(e.value) / greatest(countIf(e.user_id != ''), 1) / 1e6",
	}[m.Aggregate]
	return strings.NewReplacer("$value", value, "$event", m.Event, "$rollout", rollout).Replace(`SELECT variant, count(), sum(y), sum(y * y) FROM (
  SELECT u.user_id AS unit, any(u.variant) AS variant, $value AS y
  FROM (SELECT user_id, argMin(variant, ts) AS variant, min(ts) AS first FROM plain_exposures WHERE experiment = '$rollout' GROUP BY user_id) AS u
  LEFT JOIN (SELECT user_id, value, ts FROM plain_events WHERE event = '$event') AS e
    ON e.user_id = u.user_id AND e.ts >= u.first AND e.ts < u.first + INTERVAL 7 DAY
  GROUP BY u.user_id)
GROUP BY variant ORDER BY variant`)
}
