package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/natslog"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// compare opens what the stopped victim left on disk and holds it against what
// was acknowledged.
func (o *oracle) compare(ctx context.Context, v *victim) ([]row, error) {
	found, err := streams(ctx, v)
	if err == nil {
		err = o.tables(ctx, v, &found)
	}
	if err != nil {
		return nil, fmt.Errorf("looking at what is on disk: %w", err)
	}
	lost, dead, doubled := o.fates(found)
	var rows []row
	for _, victim := range []string{"process", "engine"} {
		times := v.recoveries[victim]
		rows = append(rows,
			row{"kill -9 of the " + victim, fmt.Sprintf("%d times", len(times)), lost, doubled, "ready again: " + spread(times)},
			remark(v.where(victim)))
	}
	rows = append(rows,
		remark(fmt.Sprintf("%d events acknowledged = %d stored + %d dead letters", len(o.acked), len(o.acked)-len(found.missing), dead)),
		remark(fmt.Sprintf("%d requests acknowledged, %d sent again after that; %d tries without an answer", o.requests, o.resends, o.failures)),
		remark(fmt.Sprintf("totals: %d units, every number is that of the raw events", found.totals)),
		remark(fmt.Sprintf("control log: %d events, %d rows", found.last, found.rows)))
	return rows, errors.Join(o.verdict(lost, doubled, found), verify(v))
}

// fates counts what became of the acknowledged events.
func (o *oracle) fates(f findings) (lost, dead, doubled int) {
	doubled = f.copies
	for id := range o.acked {
		switch missing, buried := f.missing[id], f.dead[id]; {
		case buried && !missing:
			doubled++
			dead++
		case buried:
			dead++
		case missing:
			lost++
		}
	}
	return lost, dead, doubled
}

func (o *oracle) verdict(lost, doubled int, f findings) error {
	switch {
	case lost+doubled > 0:
		return none(lost, doubled)
	case f.rows < o.settled || f.rows > f.last: // the controller may decide between the two
		return fmt.Errorf("%d control events are stored; the log had %d when all were loaded, and has %d", f.rows, o.settled, f.last)
	case len(o.acked) == 0:
		return errors.New("nothing was acknowledged: this run proves nothing")
	}
	return nil
}

// verify lets the program check the log and the laws on what is left.
func verify(v *victim) error {
	out, err := exec.Command(v.Binary, "verify", "--data", v.data).CombinedOutput()
	if err != nil {
		return fmt.Errorf("verify: %w: %s", err, out)
	}
	return nil
}

// findings are what is on disk.
type findings struct {
	missing    map[event.ID]bool // acknowledged events that no row has
	dead       map[event.ID]bool // events among the dead letters
	stored     uint64            // distinct events in the tables
	copies     int               // events that would be counted more than once
	rows, last uint64            // of the control log
	totals     int               // units in the totals, which are those that the raw events have
}

// streams asks the log and the dead letters.
func streams(ctx context.Context, v *victim) (f findings, err error) {
	s, err := natslog.Open(ctx, natslog.Config{Dir: filepath.Join(v.data, "nats")})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.Close(ctx)) }()
	if f.last, err = s.Log.Last(ctx); err != nil {
		return f, err
	}
	letters, err := ingest.Letters(ctx, s.Dead, ingest.LetterFilter{})
	f.dead = map[event.ID]bool{}
	for _, l := range letters {
		f.dead[l.EventID] = true
	}
	return f, err
}

// tables asks the warehouse.
func (o *oracle) tables(ctx context.Context, v *victim, f *findings) error {
	m, err := startMotor(ctx, v.Binary, filepath.Join(v.data, "clickhouse"))
	if err != nil {
		return err
	}
	defer m.stop()
	w, err := warehouse.Open(ctx, warehouse.Config{Dial: m.Dial})
	if err != nil {
		return err
	}
	defer w.Close()
	if err := o.count(ctx, w, f); err != nil {
		return err
	}
	return o.recount(ctx, v, w, f)
}

func (o *oracle) count(ctx context.Context, w *warehouse.Warehouse, f *findings) (err error) {
	missing, err := w.Unstored(ctx, slices.Collect(maps.Keys(o.acked)))
	if err != nil {
		return err
	}
	f.missing = map[event.ID]bool{}
	for _, id := range missing {
		f.missing[id] = true
	}
	if f.stored, _, err = w.Counted(ctx); err != nil {
		return err
	}
	doubled, err := w.Doubled(ctx)
	if err != nil {
		return err
	}
	f.copies = int(doubled)
	f.rows, _, err = w.ControlCount(ctx)
	return err
}
