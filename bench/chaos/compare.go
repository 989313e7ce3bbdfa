package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine"
	"github.com/sluice-hq/sluice/internal/natslog"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// compare opens what the stopped victim left on disk and holds it against what
// was acknowledged.
func (o *oracle) compare(ctx context.Context, v *victim) error {
	found, err := streams(ctx, v)
	if err == nil {
		err = o.tables(ctx, v, &found)
	}
	if err != nil {
		return fmt.Errorf("looking at what is on disk: %w", err)
	}
	var lost, dead, twice int
	for id := range o.acked {
		switch missing, buried := found.missing[id], found.dead[id]; {
		case buried && !missing:
			twice++
			dead++
		case buried:
			dead++
		case missing:
			lost++
		}
	}
	slices.Sort(v.recoveries)
	fmt.Printf("killed: %d times the process, %d times the engine; ready again after %v (median), %v (worst)\n",
		v.processes, v.engines, at(v.recoveries, 0.5), at(v.recoveries, 1))
	fmt.Printf("sent: %d requests acknowledged, %d of them sent again, %d without an answer; %d control events acknowledged\n",
		o.requests, o.resends, o.failures, o.changes)
	fmt.Printf("events: %d distinct acknowledged = %d stored + %d dead letters; stored in all %d\n",
		len(o.acked), len(o.acked)-len(found.missing), dead, found.stored)
	fmt.Printf("control: %d rows, last sequence %d when all were loaded, %d at the end\n", found.rows, o.settled, found.last)
	fmt.Printf("lost: %d, doubled: %d\n", lost, found.copies+twice)
	return errors.Join(o.verdict(lost, found.copies+twice, found), verify(v))
}

func (o *oracle) verdict(lost, doubled int, f findings) error {
	switch {
	case lost+doubled > 0:
		return fmt.Errorf("%d events lost, %d doubled", lost, doubled)
	case f.rows < o.settled || f.rows > f.last: // the controller may decide between the two
		return fmt.Errorf("%d control events are stored; the log had %d when all were loaded, and has %d", f.rows, o.settled, f.last)
	case len(o.acked) == 0:
		return errors.New("nothing was acknowledged: this run proves nothing")
	}
	return nil
}

// verify lets the program check the log and the laws on what is left.
func verify(v *victim) error {
	out, err := exec.Command(v.binary, "verify", "--data", v.data).CombinedOutput()
	fmt.Printf("%s", out)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
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
	library, err := engine.Find(engine.Places{Dir: ".", Executable: v.binary, Data: v.data})
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "chaos-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s := &engine.Supervisor{
		Library: library, Path: filepath.Join(v.data, "clickhouse"), Socket: filepath.Join(dir, "engine.sock"),
		Command: []string{v.binary, "engine"},
	}
	life, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(life) }()
	defer func() { stop(); <-ended }()
	if err := s.Wait(ctx); err != nil {
		return err
	}
	w, err := warehouse.Open(ctx, warehouse.Config{Dial: s.Dial})
	if err != nil {
		return err
	}
	defer w.Close()
	return o.count(ctx, w, f)
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

func at(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Round(time.Millisecond)
}
