package warehouse

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// countable leaves out what is behind the watermark. The loader fills one table
// after the other: a unit whose exposure is stored and whose events are not yet
// would count as one that did nothing. What is before the watermark counts
// whatever its sender's clock says, so that a watermark alone says which events
// an answer is made of; the time of the question says which units are old
// enough to be in it.
const countable = `
    AND _seq <= transform(_shard, {shards:Array(String)}, {seqs:Array(UInt64)}, toUInt64(0))`

// unitsOf is every unit of a rollout by its first exposure in each epoch. FINAL
// leaves one row of each exposure, the first that arrived; of exposures at the
// same time one is chosen by its id, so that the result never depends on parts
// and merges. One number of time and id compares faster than a pair.
const unitsOf = `
  SELECT epoch AS unit_epoch, unit AS unit_hash, toUnixTimestamp64Milli(min(at)) AS first,
    argMin((stage, arm), bitShiftLeft(toUInt128(toUnixTimestamp64Milli(at)), 64) + reinterpretAsUInt64(substring(id, 9, 8))) AS place,
    min(arm) != max(arm) AS two, count() AS seen, toUnixTimestamp64Milli(max(least(at, received))) AS newest
  FROM exposures FINAL
  WHERE environment = {environment:String} AND flag = {flag:String} AND rollout = {rollout:String}
    AND enrolled AND NOT synthetic` + countable + `
  GROUP BY epoch, unit`

// unitsSQL counts units, and says how fresh exposures are: by the sender's
// clock, or by ours where the sender's is ahead.
const unitsSQL = `SELECT unit_epoch, place.1, place.2, two, countIf(first <= {until:Int64}), sum(seen), min(first), max(newest)
FROM (` + unitsOf + `
)
GROUP BY unit_epoch, place, two
ORDER BY unit_epoch, place, two`

// metricSQL makes one value of each unit's events within its window and adds
// up values and squares. Int128 and Int256 keep both exact: 2^64 values of
// Int64 fit the one, their squares the other, so that any order gives the same
// sums. The units are the hashed side of the join, the events stream past.
func metricSQL(value string) string {
	return `SELECT unit_epoch, place.1, place.2, count(), countIf(k > 0), sum(x), sum(toInt256(x) * toInt256(x)), max(fresh)
FROM (
  SELECT unit_epoch, any(unit_place) AS place, countIf(event_at >= first AND event_at < first + {window:Int64}) AS k,
    sumIf(toInt128(value), event_at >= first AND event_at < first + {window:Int64}) AS s, toInt128(` + value + `) AS x,
    maxIf(event_fresh, event_at >= first) AS fresh
  FROM (
    SELECT unit AS event_unit, toUnixTimestamp64Milli(at) AS event_at, value, toUnixTimestamp64Milli(least(at, received)) AS event_fresh
    FROM metrics FINAL
    WHERE environment = {environment:String} AND name = {event:String}
      AND NOT synthetic` + countable + `
  ) AS e
  RIGHT JOIN (
    SELECT unit_epoch, unit_hash, first, place AS unit_place FROM (` + unitsOf + `
    ) WHERE NOT two AND first <= {mature:Int64}
  ) AS u ON e.event_unit = u.unit_hash
  GROUP BY unit_epoch, unit_hash
)
GROUP BY unit_epoch, place
ORDER BY unit_epoch, place`
}

// aggregate is how the events of a unit become its value: k is how many there
// are, s is the sum of their values.
type aggregate struct {
	sql   string
	finer float64 // parts of the stored fixed point that a value is counted in; 0: values are whole numbers
}

// A unit's mean is a fraction; it is kept to a thousandth of the fixed point,
// towards zero, so that sums of means are exact too.
var aggregates = map[stats.Aggregate]aggregate{
	stats.Conversion: {sql: "0"},
	stats.Failures:   {sql: "0"}, // a unit fails once, by its first failure
	stats.Count:      {sql: "k"},
	stats.Sum:        {sql: "s", finer: 1},
	stats.Average:    {sql: "if(k = 0, toInt128(0), intDiv(s * 1000, toInt128(k)))", finer: 1000},
}

// forever is longer than any rollout, and no overflow when it is added to a
// time: milliseconds.
const forever = int64(math.MaxInt64 / 4)

// windows returns the length of the window and the latest first exposure of a
// unit that counts, both in milliseconds. A gate asks only units whose window
// has passed: younger ones have had less time, in both arms, but a mixture
// that changes with every look is no sample.
func (q Question) windows(m stats.Metric) (window, mature int64) {
	if q.Gate {
		window = m.Gate().Milliseconds()
		return window, q.Until.Add(-m.Gate()).UnixMilli()
	}
	if m.Window == 0 {
		return forever, q.Until.UnixMilli()
	}
	return m.Window.Milliseconds(), q.Until.UnixMilli()
}

func (w *Warehouse) readMetric(ctx context.Context, q Question, m stats.Metric, a *Answer) error {
	how, ok := aggregates[m.Aggregate]
	if !ok {
		return fmt.Errorf("the aggregate %q is not computed from raw events yet; use conversion, count, sum, mean or events", m.Aggregate)
	}
	p := q.params()
	p["event"] = m.Event
	p["window"], p["mature"] = q.windows(m)
	asked := newQuery(metricSQL(how.sql), p, m.Key)
	a.Queries = append(a.Queries, asked)
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return err
	}
	defer rows.Close()
	var newest time.Time
	for rows.Next() {
		var epoch int32
		var t totals
		s := Sample{Metric: m.Key}
		if err := rows.Scan(&epoch, &s.Stage, &s.Arm, &t.units, &t.having, &t.sum, &t.squares, &t.fresh); err != nil {
			return err
		}
		s.Epoch = int(epoch)
		if s.Sample, err = t.sample(m, how); err != nil {
			return err
		}
		a.Samples = append(a.Samples, s)
		newest = later(newest, t.fresh)
	}
	if !newest.IsZero() {
		a.NewestEvent[m.Key] = newest
	}
	return rows.Err()
}

// totals are what the server adds up for one arm of one stratum.
type totals struct {
	units, having uint64 // units, and those with an event in the window
	sum, squares  big.Int
	fresh         int64 // ms
}

func (t *totals) sample(m stats.Metric, how aggregate) (stats.Sample, error) {
	if m.Aggregate.Kind() == stats.KindProportion {
		return stats.Proportion(int64(t.units), int64(t.having)), nil
	}
	n, scale := t.units, 1.0
	if m.Aggregate == stats.Average {
		n = t.having // a unit without events has no mean
	}
	if how.finer > 0 {
		scale = m.FixedPoint() / how.finer
	}
	moments, err := stats.FromSums(int64(n), &t.sum, &t.squares, scale)
	return stats.Mean(moments), err
}
