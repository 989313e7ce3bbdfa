package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// day is a day since a unit's first exposure.
const day = 24 * time.Hour

// byDay are the aggregates that are one thing a day; the mean of a day without
// events is none.
var byDay = []stats.Aggregate{stats.Conversion, stats.Count, stats.Sum, stats.Failures}

// HasDays reports whether a metric can be counted day by day.
func HasDays(m stats.Metric) bool { return slices.Contains(byDay, m.Aggregate) }

// Days counts what units did on each of the first days since their first
// exposure in an epoch, for treatment against control, of a metric that HasDays.
// Only units count all of whose days are over, so that every day is one of the
// same units. Values are not capped. The question's own metrics are not asked.
// The queries are those behind the answer.
func (w *Warehouse) Days(ctx context.Context, q Question, m stats.Metric, days int) ([]stats.Days, []Query, error) {
	if days < 2 || days > stats.MostDays || !HasDays(m) || len(q.Treatments) == 0 {
		return nil, nil, fmt.Errorf("counting %d days of %s: it takes 2 to %d days of a conversion, count, sum or events, and two arms", days, m.Key, stats.MostDays)
	}
	q.Metrics = nil
	r := &reading{Question: q, answers: map[uint64]*Answer{0: newAnswer()}}
	if err := w.read(ctx, r); err != nil {
		return nil, r.queries, fmt.Errorf("counting the days of %s: %w", m.Key, err)
	}
	arms, err := w.readDays(ctx, r, m, days)
	if err != nil {
		return nil, r.queries, fmt.Errorf("counting the days of %s: %w", m.Key, err)
	}
	var out []stats.Days
	for _, p := range r.answers[0].Places() {
		at := stratum{epoch: int32(p.Epoch), stage: p.Stage}
		s := stats.Days{Epoch: p.Epoch, Stage: p.Stage, Control: arms.of(at, q.Control, days), Treatment: arms.of(at, q.Treatments[0], days)}
		if s.Control.N > 0 || s.Treatment.N > 0 {
			out = append(out, s)
		}
	}
	return out, r.queries, nil
}

// daily are the moments of the days of each arm of each stratum.
type daily map[stratum]stats.Joint

// of returns those of an arm, of no units where there are none.
func (d daily) of(at stratum, arm string, days int) stats.Joint {
	at.arm = arm
	if j, ok := d[at]; ok {
		return j
	}
	return stats.Joint{Means: make([]float64, days), M: make([]float64, days*(days+1)/2)}
}

func (w *Warehouse) readDays(ctx context.Context, r *reading, m stats.Metric, days int) (daily, error) {
	p, s := r.params(), dayShape(m, days)
	p["day"], p["mature"] = day.Milliseconds(), r.Until.Add(-time.Duration(days)*day).UnixMilli()
	asked := r.ask(m.Key, r.daySQL(m, s, days, p), p)
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := daily{}
	for rows.Next() {
		var at stratum
		var sums added
		if err := rows.Scan(append(at.dest(), sums.dest(s)...)...); err != nil {
			return nil, err
		}
		if out[at], err = stats.FromJointSums(int64(sums.n), sums.sums, sums.products, s.scales); err != nil {
			return nil, err
		}
	}
	return out, rows.Err()
}

// dayShape is one value for each day.
func dayShape(m stats.Metric, days int) shape {
	s := shape{of: "true"}
	scale := 1.0
	if m.Aggregate == stats.Sum {
		scale = m.FixedPoint()
	}
	for d := range days {
		s.add(dayColumn(d), scale)
	}
	return s
}

func dayColumn(d int) string { return fmt.Sprintf("day%d", d) }

// daySQL adds up the days of every unit, and then what the shape says of them.
func (r *reading) daySQL(m stats.Metric, s shape, days int, p Params) string {
	one := map[stats.Aggregate]string{stats.Count: "countIf(%s)", stats.Sum: "sumIf(toInt128(value), %s)"}[m.Aggregate]
	if one == "" { // a unit did it on a day or did not
		one = "countIf(%s) > 0"
	}
	var b strings.Builder
	for d := range days {
		on := fmt.Sprintf("own AND event_at >= first + {day:Int64} * %d AND event_at < first + {day:Int64} * %d", d, d+1)
		fmt.Fprintf(&b, ",\n    "+one+" AS %s", on, dayColumn(d))
	}
	return `SELECT part, unit_epoch, stage, arm, ` + s.sums() + `
FROM (
  SELECT unit_epoch, unit_hash, any(unit_part) AS part, any(unit_stage) AS stage, any(unit_arm) AS arm` + b.String() + `
  FROM (` + r.events(m, p) + `
  ) AS e
  RIGHT JOIN (` + r.grown(anyBucket) + `
  ) AS u ON e.event_unit = u.unit_hash
  GROUP BY unit_epoch, unit_hash
)
GROUP BY part, unit_epoch, stage, arm
ORDER BY part, unit_epoch, stage, arm`
}
