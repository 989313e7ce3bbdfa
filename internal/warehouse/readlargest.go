package warehouse

import (
	"context"
	"fmt"
	"math/big"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

// HasLargest reports whether a unit of a metric can be larger than others: of a
// share of units each counts as one.
func HasLargest(m stats.Metric) bool {
	kind := m.Aggregate.Kind()
	return kind == stats.KindMean || kind == stats.KindRatio
}

// Largest returns, for every arm of every stratum, the unit whose value is
// farthest from zero, of a metric that HasLargest: of a ratio the numerator.
// Values are capped as the question's answer has them. The queries are those
// behind the answer.
func (w *Warehouse) Largest(ctx context.Context, q Question, m stats.Metric) ([]stats.Largest, []Query, error) {
	if !HasLargest(m) || len(q.Treatments) == 0 {
		return nil, nil, fmt.Errorf("looking for the largest unit of %s: it takes a count, sum, mean or ratio, and two arms", m.Key)
	}
	r := &reading{Question: q, answers: map[uint64]*Answer{0: newAnswer()}}
	out, err := w.readLargest(ctx, r, m)
	if err != nil {
		return nil, r.queries, fmt.Errorf("looking for the largest unit of %s: %w", m.Key, err)
	}
	return out, r.queries, nil
}

func (w *Warehouse) readLargest(ctx context.Context, r *reading, m stats.Metric) ([]stats.Largest, error) {
	m.Lookback = 0 // what a unit did before is not asked
	s, err := shapeOf(m)
	if err != nil {
		return nil, err
	}
	p := r.params()
	r.spans(m, p)
	if err := w.capped(ctx, r, m, p); err != nil {
		return nil, err
	}
	asked := r.ask(m.Key, r.largestSQL(m, s, p), p)
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []stats.Largest
	for rows.Next() {
		var at stratum
		var unit uint64
		value, divisor := new(big.Int), new(big.Int)
		if err := rows.Scan(append(at.dest(), &unit, value, divisor)...); err != nil {
			return nil, err
		}
		if l, ok := r.largest(at, s, unit, value, divisor); ok && at.epoch >= 0 {
			out = append(out, l)
		}
	}
	return out, rows.Err()
}

// largestSQL takes the unit of the largest value, of equals one by its hash.
func (r *reading) largestSQL(m stats.Metric, s shape, p Params) string {
	divisor := "toInt128(0)"
	if m.Aggregate == stats.Ratio {
		divisor = s.values[1]
	}
	return fmt.Sprintf(`SELECT part, unit_epoch, stage, arm, largest.1, largest.2, largest.3 FROM (
  SELECT part, unit_epoch, stage, arm, argMaxIf((unit_hash, %[1]s, %[2]s), (abs(%[1]s), unit_hash), %[3]s) AS largest
  FROM (`, s.values[0], divisor, s.of) + r.totals(m, s.needs, anyBucket, p) + `
  )
  GROUP BY part, unit_epoch, stage, arm
)
ORDER BY part, unit_epoch, stage, arm`
}

// largest returns a row as the statistics take it; not that of a further arm,
// nor one of no unit.
func (r *reading) largest(at stratum, s shape, unit uint64, value, divisor *big.Int) (stats.Largest, bool) {
	if at.arm != r.Control && at.arm != r.Treatments[0] || value.Sign() == 0 {
		return stats.Largest{}, false
	}
	l := stats.Largest{Unit: ingest.UnitText(unit), Epoch: int(at.epoch), Stage: at.stage, Treatment: at.arm != r.Control, Value: scaled(value, s.scales[0])}
	if divisor.Sign() != 0 {
		l.Divisor = scaled(divisor, s.scales[1])
	}
	return l, true
}

func scaled(value *big.Int, scale float64) float64 {
	f, _ := new(big.Float).SetInt(value).Float64()
	return f * scale
}
