package warehouse

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/ingest"
)

const exposuresOf = `SELECT id, environment, flag, variant, revision, rollout, epoch, stage, arm, enrolled, differs, reason, at, received, attributes,
  synthetic, source, _shard, _seq, _idx
FROM exposures FINAL WHERE unit_kind = {kind:String} AND unit = {unit:UInt64} ORDER BY at, id`

const metricsOf = `SELECT id, environment, name, value, at, received, attributes, synthetic, _shard, _seq, _idx
FROM metrics FINAL WHERE unit_kind = {kind:String} AND unit = {unit:UInt64} ORDER BY at, id`

// UnitRows returns every stored row of one unit, oldest first.
func (w *Warehouse) UnitRows(ctx context.Context, kind string, unit uint64) (out ingest.Rows, err error) {
	p := Params{"kind": kind, "unit": unit}
	if out.Exposures, err = w.unitExposures(ctx, kind, unit, p); err != nil {
		return ingest.Rows{}, fmt.Errorf("reading the exposures of %s: %w", ingest.UnitText(unit), err)
	}
	if out.Metrics, err = w.unitMetrics(ctx, kind, unit, p); err != nil {
		return ingest.Rows{}, fmt.Errorf("reading the metric events of %s: %w", ingest.UnitText(unit), err)
	}
	return out, nil
}

func (w *Warehouse) unitExposures(ctx context.Context, kind string, unit uint64, p Params) (out []ingest.ExposureRow, err error) {
	rows, err := query(ctx, w.reader, exposuresOf, p)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r := ingest.ExposureRow{UnitKind: kind, Unit: unit}
		var source string
		if err := rows.Scan(&r.ID, &r.Environment, &r.Flag, &r.Variant, &r.Revision, &r.Rollout, &r.Epoch, &r.Stage, &r.Arm, &r.Enrolled, &r.Differs,
			&r.Reason, &r.At, &r.Received, &r.Attributes, &r.Synthetic, &source, &r.Shard, &r.Seq, &r.Idx); err != nil {
			return nil, err
		}
		r.Day, r.Source = ingest.DayOf(r.ID), ingest.Source(source)
		out = append(out, r)
	}
	return out, rows.Err()
}

func (w *Warehouse) unitMetrics(ctx context.Context, kind string, unit uint64, p Params) (out []ingest.MetricRow, err error) {
	rows, err := query(ctx, w.reader, metricsOf, p)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r := ingest.MetricRow{UnitKind: kind, Unit: unit}
		if err := rows.Scan(&r.ID, &r.Environment, &r.Name, &r.Value, &r.At, &r.Received, &r.Attributes, &r.Synthetic, &r.Shard, &r.Seq, &r.Idx); err != nil {
			return nil, err
		}
		r.Day = ingest.DayOf(r.ID)
		out = append(out, r)
	}
	return out, rows.Err()
}
