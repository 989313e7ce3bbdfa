package ingest

import "encoding/json"

// exposure files the present event. The rollout, stage, epoch and arm are
// those of the control history at the revision that served the unit; what the
// sender says is only compared.
func (v *visit) exposure(at Place) {
	w := &v.w
	a, ok := v.door.Flags.Assigned(v.environment, w.flag, w.revision, w.variant)
	if !ok {
		a = Assignment{}
	}
	row := ExposureRow{
		Place: at, ID: w.id, Day: DayOf(w.id), Environment: v.environment, Flag: w.flag, Variant: w.variant,
		UnitKind: w.unit.Kind, Unit: v.unit(w.unit), Revision: w.revision,
		Rollout: a.Rollout, Stage: a.Stage, Epoch: a.Epoch, Enrolled: ok && w.claim(), Differs: w.differs(a, ok),
		Reason: w.reason, At: w.at, Received: v.now, Attributes: w.signed(), Synthetic: w.synthetic, Source: Source(w.source),
	}
	if row.Enrolled {
		row.Arm = a.Arm
	}
	if row.Differs {
		v.out.Differs++
	}
	v.out.Exposures = append(v.out.Exposures, row)
}

// differs reports whether a claim of the sender is not what the history says.
func (w *wire) differs(a Assignment, ok bool) bool {
	return w.claim() && !ok ||
		w.has&fRollout != 0 && w.rollout != a.Rollout ||
		w.has&fStage != 0 && w.stage != a.Stage ||
		w.has&fEpoch != 0 && w.epoch != a.Epoch
}

// metric files the present event: one row for each kind of unit, or a dead
// letter when no metric declares it.
func (v *visit) metric(at Place) {
	w := &v.w
	if w.has&fValue == 0 {
		w.value = 1 / Millionths
	}
	if !v.door.Metrics.Declared(w.name) {
		v.out.Dead = append(v.out.Dead, v.undeclared(at))
		return
	}
	for _, u := range w.units {
		v.out.Metrics = append(v.out.Metrics, v.metricRow(at, u))
	}
}

func (v *visit) metricRow(at Place, u Unit) MetricRow {
	w := &v.w
	return MetricRow{
		Place: at, ID: w.id, Day: DayOf(w.id), Environment: v.environment, Name: w.name,
		UnitKind: u.Kind, Unit: v.unit(u), Value: w.value,
		At: w.at, Received: v.now, Attributes: w.attributes, Synthetic: w.synthetic,
	}
}

// undeclared keeps the event so that it can be sent again, but not the IDs of
// its units: those never get past the door.
func (v *visit) undeclared(at Place) Dead {
	w := &v.w
	rows := make([]MetricRow, len(w.units))
	for i, u := range w.units {
		rows[i] = v.metricRow(at, u)
	}
	body, err := json.Marshal(metricOf(rows))
	if err != nil {
		panic(err) // unreachable unless a fixed-point value is not finite
	}
	return Dead{
		Place: at, ID: w.id, Environment: v.environment, Name: w.name, Reason: UnknownMetric, At: w.at, Fact: body,
		Why: "no metric declares the event " + w.name,
	}
}

func (v *visit) unit(u Unit) uint64 {
	if v.door.Replay {
		if unit, ok := parseHashed(u.ID); ok {
			return unit
		}
	}
	return v.hasher.hash(u.Kind, u.ID)
}
