package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// storedLook returns a look as the warehouse keeps it: the numbers in one
// column, because pictures over time need them alone, and the rest in another.
func storedLook(l decisions.Look) (warehouse.Look, error) {
	data, err := json.Marshal(l.Evidence.Metrics)
	if err != nil {
		return warehouse.Look{}, fmt.Errorf("encoding a look: %w", err)
	}
	out := warehouse.Look{
		Rollout: l.Rollout, At: l.At, Stage: l.Stage, Action: string(l.Verdict.Action), Reason: l.Verdict.Reason, Data: data,
		Decision: l.Decision, Watermark: map[string]uint64{}, Hash: l.Evidence.Asked(),
	}
	for shard, p := range l.Evidence.Watermark {
		out.Watermark[shard] = p.Seq
	}
	l.Evidence.Metrics = nil
	out.Record, err = json.Marshal(l)
	return out, err
}

// recalledLook returns a look as it was. Of those that were stored before looks
// were kept whole only the numbers are known.
func recalledLook(w warehouse.Look) (decisions.Look, error) {
	l := decisions.Look{
		Rollout: w.Rollout, At: w.At, Stage: w.Stage, Decision: w.Decision,
		Verdict: decisions.Verdict{Action: decisions.Action(w.Action), Reason: w.Reason}, Evidence: decisions.Evidence{At: w.At},
	}
	if w.Record != nil {
		if err := json.Unmarshal(w.Record, &l); err != nil {
			return l, fmt.Errorf("reading a look: %w", err)
		}
	}
	if w.Data != nil {
		if err := json.Unmarshal(w.Data, &l.Evidence.Metrics); err != nil {
			return l, fmt.Errorf("reading the numbers of a look: %w", err)
		}
	}
	return l, nil
}

// Looks implements server.Readouts.
func (f *facts) Looks(ctx context.Context, rollout string, until time.Time, limit int) ([]decisions.Look, error) {
	c, err := f.house.counting.get()
	if err != nil {
		return nil, err
	}
	kept, err := c.store.Looks(ctx, rollout, until, limit)
	if err != nil {
		return nil, f.house.counting.blame(ctx, err)
	}
	return recalled(kept)
}

func recalled(kept []warehouse.Look) (looks []decisions.Look, err error) {
	looks = make([]decisions.Look, len(kept))
	for i, w := range kept {
		if looks[i], err = recalledLook(w); err != nil {
			return nil, err
		}
	}
	return looks, nil
}

// Moments implements server.Readouts.
func (f *facts) Moments(ctx context.Context, rollout string, until time.Time) ([]decisions.Look, error) {
	c, err := f.house.counting.get()
	if err != nil {
		return nil, err
	}
	kept, err := c.store.Moments(ctx, rollout, until)
	if err != nil {
		return nil, f.house.counting.blame(ctx, err)
	}
	return recalled(kept)
}

// LooksAt implements server.Readouts.
func (f *facts) LooksAt(ctx context.Context, rollout, metric string, at []time.Time) ([]decisions.Look, error) {
	c, err := f.house.counting.get()
	if err != nil {
		return nil, err
	}
	kept, err := c.store.LooksAt(ctx, rollout, metric, at)
	if err != nil {
		return nil, f.house.counting.blame(ctx, err)
	}
	return recalled(kept)
}

// CodeDefaults implements server.Readouts.
func (f *facts) CodeDefaults(ctx context.Context, r decisions.Rollout, safe string) ([]ingest.CodeDefault, error) {
	c, err := f.house.counting.get()
	if err != nil {
		return nil, err
	}
	found, err := c.store.CodeDefaults(ctx, r.Plan.Environment, r.Plan.Flag, safe, r.Started)
	return found, f.house.counting.blame(ctx, err)
}

// TwoArms implements server.Readouts.
func (f *facts) TwoArms(ctx context.Context, r decisions.Rollout, epoch int, unit uint64, limit int) ([]ingest.TwoArms, error) {
	c, err := f.house.counting.get()
	if err != nil {
		return nil, err
	}
	found, err := c.store.TwoArms(ctx, r.Plan.Environment, r.Plan.Flag, r.ID, warehouse.Cohort{Epoch: epoch, Unit: unit}, limit)
	return found, f.house.counting.blame(ctx, err)
}
