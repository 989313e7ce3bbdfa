package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// Shares of the events in the trial of order.
const (
	lateShare   = 0.10 // arrive up to two days after they happened
	twiceShare  = 0.05 // are sent again within seconds
	resentShare = 0.10 // of the requests: are sent again when everything is loaded, by another process
)

// orderTrial counts the same events clean and disordered.
func (o options) orderTrial(ctx context.Context) ([]row, error) {
	facts := story(o.units, o.seed)
	clean, _, _, err := o.count(ctx, facts, slices.Collect(slices.Chunk(facts, requestSize)), nil)
	if err != nil {
		return nil, fmt.Errorf("counting the clean events: %w", err)
	}
	d := disorder(facts, rand.New(rand.NewPCG(o.seed, 3)))
	dirty, lost, doubled, err := o.count(ctx, facts, d.requests, d.resent)
	if err != nil {
		return nil, fmt.Errorf("counting the disordered events: %w", err)
	}
	differs := difference(clean, dirty)
	r := row{"repeats and disorder", fmt.Sprintf("%d events", len(facts)), lost, doubled, "every statistic is that of the clean events, bit for bit"}
	if differs != nil {
		r.note = differs.Error()
	}
	return []row{r, remark(fmt.Sprintf("%d sent twice within seconds, %d late and shuffled, %d requests sent again at the end; %d samples of %d metrics compared",
		d.twice, d.late, len(d.resent), samples(clean), len(metrics())))}, errors.Join(differs, none(lost, doubled))
}

func samples(answers []warehouse.Answer) (n int) {
	for _, a := range answers {
		n += len(a.Samples)
	}
	return n
}

func none(lost, doubled int) error {
	if lost+doubled > 0 {
		return fmt.Errorf("%d events lost, %d doubled", lost, doubled)
	}
	return nil
}

const requestSize = 500 // events

// disordered is what is sent instead of the clean events.
type disordered struct {
	requests, resent [][]fact
	twice, late      int
}

// disorder draws when each event arrives.
func disorder(facts []fact, r *rand.Rand) (d disordered) {
	type arrival struct {
		at time.Time
		f  fact
	}
	var all []arrival
	for _, f := range facts {
		at := f.at
		if r.Float64() < lateShare {
			at = at.Add(time.Duration(r.Int64N(int64(48 * time.Hour))))
			d.late++
		}
		all = append(all, arrival{at, f})
		if r.Float64() < twiceShare {
			all = append(all, arrival{at.Add(time.Duration(r.Int64N(int64(10 * time.Second)))), f})
			d.twice++
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return a.at.Compare(b.at) })
	for part := range slices.Chunk(all, requestSize) {
		r.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
		var request []fact
		for _, a := range part {
			request = append(request, a.f)
		}
		d.requests = append(d.requests, request)
		if r.Float64() < resentShare {
			d.resent = append(d.resent, request)
		}
	}
	return d
}

// count sends requests to a fresh world, loads them, sends some again when the
// streams have forgotten them and the engine was killed, and asks.
func (o options) count(ctx context.Context, facts []fact, requests, resent [][]fact) (a []warehouse.Answer, lost, doubled int, err error) {
	w, err := newWorld(ctx, o.engine, 2, nil)
	if err != nil {
		return nil, 0, 0, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.take(ctx, requests); err != nil {
		return nil, 0, 0, err
	}
	if len(resent) > 0 {
		if err := w.forget(ctx); err != nil {
			return nil, 0, 0, err
		}
		if err := w.take(ctx, resent); err != nil {
			return nil, 0, 0, err
		}
	}
	if a, err = w.ask(ctx); err != nil {
		return nil, 0, 0, err
	}
	lost, doubled, err = w.fates(ctx, idsOf(facts))
	return a, lost, doubled, err
}

// ask reads out everything: for people and for gates, both from the raw events
// and from the totals, and by an attribute.
func (w *world) ask(ctx context.Context) ([]warehouse.Answer, error) {
	var all []warehouse.Answer
	for _, gate := range []bool{false, true} {
		a, err := w.store.Readout(ctx, question(w.watermark(), gate))
		if err != nil {
			return nil, err
		}
		kept, err := bothWays(ctx, &w.totals, question(nil, gate))
		if err != nil {
			return nil, err
		}
		all = append(all, a, kept)
	}
	parts, err := w.store.Breakdown(ctx, question(w.watermark(), false), "plan")
	for _, p := range parts {
		all = append(all, p.Answer)
	}
	return all, err
}

func idsOf(facts []fact) []event.ID {
	ids := make([]event.ID, len(facts))
	for i, f := range facts {
		ids[i] = f.id
	}
	return ids
}

// take sends requests and loads now and then, so that blocks end anywhere.
func (w *world) take(ctx context.Context, requests [][]fact) error {
	for i, request := range requests {
		if err := w.send(ctx, request); err != nil {
			return err
		}
		if i%20 == 19 || i == len(requests)-1 {
			if _, err := w.load(ctx); err != nil {
				return err
			}
			if err := w.fold(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// forget ends every memory of what was sent but the stored rows.
func (w *world) forget(ctx context.Context) error {
	for _, s := range w.streams {
		s.Forget()
	}
	w.restart()
	before := w.motor.Status().Restarts
	if err := syscall.Kill(w.motor.Status().PID, syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing the engine: %w", err)
	}
	for w.motor.Status().Restarts == before && ctx.Err() == nil {
		pause(ctx, time.Millisecond)
	}
	return w.motor.Wait(ctx)
}

// difference compares the answers to clean and to disordered events.
func difference(want, got []warehouse.Answer) error {
	if len(want) != len(got) {
		return fmt.Errorf("%d answers clean, %d disordered", len(want), len(got))
	}
	for i := range want {
		if err := differ(want[i], got[i]); err != nil {
			return fmt.Errorf("clean events first: %w", err)
		}
		if want[i].TwoArms == 0 || len(want[i].Samples) == 0 {
			return errors.New("nothing was compared: the events hold no unit in two arms, or no sample")
		}
	}
	return nil
}

// differ compares answers without the statements, which name how far each was
// loaded. JSON tells every float from every other one.
func differ(want, got warehouse.Answer) error {
	for _, part := range []struct {
		name      string
		want, got any
	}{
		{"units", want.Units, got.Units}, {"units in two arms", want.TwoArms, got.TwoArms},
		{"exposures", want.Exposures, got.Exposures}, {"strata", want.Strata, got.Strata},
		{"samples", want.Samples, got.Samples}, {"newest exposure", want.NewestExposure, got.NewestExposure},
		{"newest events", want.NewestEvent, got.NewestEvent}, {"caps", want.Caps, got.Caps},
	} {
		x, xerr := json.Marshal(part.want)
		y, yerr := json.Marshal(part.got)
		if xerr != nil || yerr != nil || !bytes.Equal(x, y) {
			return fmt.Errorf("%s differ: %.400s and %.400s (%v, %v)", part.name, x, y, xerr, yerr)
		}
	}
	return nil
}
