package warehouse

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/sluice-hq/sluice/stats"
)

// stratum is one arm of one stratum of one part.
type stratum struct {
	part       uint64
	epoch      int32
	stage, arm string
}

func (s *stratum) dest() []any { return []any{&s.part, &s.epoch, &s.stage, &s.arm} }

// readMetric makes one value of each unit's events within its window and adds
// up values and products over the units of every arm.
func (w *Warehouse) readMetric(ctx context.Context, r *reading, m stats.Metric) error {
	s, err := shapeOf(m)
	if err != nil {
		return err
	}
	p := r.params()
	r.spans(m, p)
	if err := w.capped(ctx, r, m, p); err != nil {
		return err
	}
	most := anyBucket
	var of map[stratum]stats.Distribution
	if m.Aggregate == stats.Quantile {
		if of, err = w.distributions(ctx, r, m, p); err != nil {
			return err
		}
		most = bucketsBelow(of, p)
	}
	asked := r.ask(m.Key, r.metricSQL(m, s, most, p), p)
	rows, err := query(ctx, w.reader, asked.SQL, asked.Params)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := r.addSample(rows, m, s, of); err != nil {
			return err
		}
	}
	return rows.Err()
}

// addSample reads one row into the answer of its part.
func (r *reading) addSample(rows driver.Rows, m stats.Metric, s shape, of map[stratum]stats.Distribution) error {
	var at stratum
	var fresh int64 // ms
	var having uint64
	var sums added
	if err := rows.Scan(append(append(at.dest(), &fresh, &having), sums.dest(s)...)...); err != nil {
		return err
	}
	a := r.answer(at.part)
	if newest := later(a.NewestEvent[m.Key], fresh); !newest.IsZero() {
		a.NewestEvent[m.Key] = newest
	}
	if at.epoch < 0 {
		return nil // these units count in an earlier lap
	}
	d, ok := of[at]
	if !ok { // no events at all
		d = stats.Distribution{Nu: m.Nu, Scale: m.FixedPoint()}
	}
	d.Units = int64(having)
	sample, err := sums.sample(m.Aggregate.Kind(), s, d)
	if err != nil {
		return err
	}
	a.Samples = append(a.Samples, Sample{Metric: m.Key, Epoch: int(at.epoch), Stage: at.stage, Arm: at.arm, Sample: sample})
	return nil
}
