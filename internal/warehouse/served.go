package warehouse

import (
	"context"
	"fmt"
)

// Audience is who a stage of a rollout serves: whoever got the treatment at that
// revision of the flag or a later one, without being enrolled.
type Audience struct {
	Stage string
	Since uint64 // revision of the flag, of when the stage took effect
}

// servedUnits is every unit of an audience by its first exposure in the stage.
// Exposures whose sender does not say the revision are of no stage.
const servedUnits = `
  SELECT toInt32(0) AS unit_epoch, unit AS unit_hash, toUnixTimestamp64Milli(min(at)) AS first,
    {stage:String} AS unit_stage, {treatment:String} AS unit_arm, toUInt64(0) AS unit_part, toUInt8(0) AS two,
    count() AS seen, toUnixTimestamp64Milli(max(least(at, received))) AS newest
  FROM exposures FINAL
  WHERE environment = {environment:String} AND flag = {flag:String} AND unit_kind = {kind:String} AND variant = {treatment:String}
    AND revision >= {since:UInt64} AND NOT enrolled AND NOT synthetic` + countable + `
  GROUP BY unit`

// Served answers a question for the units of an audience, which have no control:
// its strata are of epoch 0 and have treated units alone. It reads the raw
// events.
func (w *Warehouse) Served(ctx context.Context, q Question, of Audience) (Answer, error) {
	a := newAnswer()
	r := &reading{Question: q, served: &of, answers: map[uint64]*Answer{0: a}}
	if err := w.read(ctx, r); err != nil {
		return Answer{}, fmt.Errorf("reading the audience of %s: %w", of.Stage, err)
	}
	return *a, nil
}
