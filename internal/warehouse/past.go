package warehouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// PastQuestion asks what units were like before a rollout, as if they had been
// enrolled when they first met the flag within a time. All fields but Flag and
// Control are required.
type PastQuestion struct {
	Environment string
	Flag        string // whose exposures they are; empty: those of any flag
	UnitKind    string
	Control     string         // variant that counts: of who met another too only that they came is counted; empty: any
	Metrics     []stats.Metric // declared metrics, as gates count them
	From, Until time.Time
	Watermark   map[string]uint64 // as of Question
}

// Past is what the units of a time add up to.
type Past struct {
	Reach   []int64                 // different units that came within the first day, the first two, …: of whole days alone
	Samples map[string]stats.Sample // by metric
	Kinds   map[string]int64        // exposures of any flag in the environment, by kind of unit
	Queries []Query
}

// pastUnits is every unit of the past by its first exposure there. Who met
// another variant than control is counted as one of two arms: he came, and
// says nothing of control.
const pastUnits = `
  SELECT toInt32(0) AS unit_epoch, unit AS unit_hash, toUnixTimestamp64Milli(min(at)) AS first,
    '' AS unit_stage, '' AS unit_arm, toUInt64(0) AS unit_part, {control:String} != '' AND countIf(variant != {control:String}) > 0 AS two
  FROM exposures FINAL
  WHERE environment = {environment:String} AND (flag = {flag:String} OR {flag:String} = '') AND unit_kind = {kind:String} AND NOT synthetic
    AND toUnixTimestamp64Milli(at) >= {since:Int64} AND toUnixTimestamp64Milli(at) < {until:Int64}` + countable + `
  GROUP BY unit`

// reachSQL counts units by the day of the past on which they came first.
const reachSQL = `SELECT toInt64(intDiv(first - {since:Int64}, 86400000)) AS day, count() FROM (` + pastUnits + `
)
GROUP BY day ORDER BY day`

var errNoTime = errors.New("a past is a day or more")

// Past counts the units that came within a time and what they did in the gate
// window of each metric. It reads the raw events, of this time alone.
func (w *Warehouse) Past(ctx context.Context, q PastQuestion) (Past, error) {
	days := int(q.Until.Sub(q.From) / (24 * time.Hour))
	if days < 1 {
		return Past{}, fmt.Errorf("reading the past of %s: %w", q.Flag, errNoTime)
	}
	r := &reading{
		Question: Question{Environment: q.Environment, Flag: q.Flag, UnitKind: q.UnitKind, Metrics: q.Metrics, Gate: true, Until: q.Until, Watermark: q.Watermark},
		past:     &q,
		answers:  map[uint64]*Answer{0: newAnswer()},
	}
	p := Past{Samples: map[string]stats.Sample{}, Kinds: map[string]int64{}}
	var err error
	if p.Reach, err = w.reach(ctx, r, days); err != nil {
		return Past{}, fmt.Errorf("counting who came to %s: %w", q.Flag, err)
	}
	if err = w.kinds(ctx, r, p.Kinds); err != nil {
		return Past{}, fmt.Errorf("counting kinds of units: %w", err)
	}
	for _, m := range q.Metrics {
		if err := w.readMetric(ctx, r, m); err != nil {
			return Past{}, fmt.Errorf("reading the past of %s: %w", m.Key, err)
		}
		p.Samples[m.Key] = r.answer(0).sample(m, Place{}, "")
	}
	p.Queries = r.queries
	return p, nil
}

// kindsSQL counts exposures by the kind of their units.
const kindsSQL = `SELECT unit_kind, toInt64(count())
FROM exposures FINAL
WHERE environment = {environment:String} AND NOT synthetic
  AND toUnixTimestamp64Milli(at) >= {since:Int64} AND toUnixTimestamp64Milli(at) < {until:Int64}` + countable + `
GROUP BY unit_kind ORDER BY unit_kind`

func (w *Warehouse) kinds(ctx context.Context, r *reading, into map[string]int64) error {
	asked := r.ask("kinds", kindsSQL, r.params())
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var kind string
		var n int64
		if err := rows.Scan(&kind, &n); err != nil {
			return err
		}
		into[kind] = n
	}
	return rows.Err()
}

// reach adds up who came, day by day.
func (w *Warehouse) reach(ctx context.Context, r *reading, days int) ([]int64, error) {
	asked := r.ask(OfUnits, reachSQL, r.params())
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	reach := make([]int64, days)
	for rows.Next() {
		var day int64
		var n uint64
		if err := rows.Scan(&day, &n); err != nil {
			return nil, err
		}
		if day < int64(days) {
			reach[day] = int64(n)
		}
	}
	for i := 1; i < days; i++ {
		reach[i] += reach[i-1]
	}
	return reach, rows.Err()
}
