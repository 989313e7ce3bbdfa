package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// blockRows are the rows of one insert of the loader.
const blockRows = 100_000

// insert stores rows of the same shape in an engine, block after block, each
// on disk before the next, and does nothing else with them.
func (o options) insert(ctx context.Context, t *table) (err error) {
	dir, err := os.MkdirTemp("", "sluice-events-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	library, err := engine.Find(engine.Places{Dir: ".", Executable: o.binary})
	if err != nil {
		return err
	}
	s := &engine.Supervisor{
		Library: library, Path: filepath.Join(dir, "engine"), Socket: filepath.Join(dir, "engine.sock"), Command: []string{o.binary, "engine"},
	}
	life, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(life) }()
	defer func() { stop(); err = errors.Join(err, <-ended) }()
	if err := s.Wait(ctx); err != nil {
		return err
	}
	w, err := warehouse.Open(ctx, warehouse.Config{Dial: s.Dial})
	if err != nil {
		return err
	}
	defer w.Close()
	t.inserted, err = fill(ctx, w, o.short)
	return err
}

// fill returns how many rows a second were stored, without the time that
// making them took.
func fill(ctx context.Context, w *warehouse.Warehouse, d time.Duration) (float64, error) {
	rows, took := 0, time.Duration(0)
	for n := uint64(1); took < d; n++ {
		b := ingest.Block{Shard: "facts-0", From: n, To: n, Token: fmt.Sprint("bench|", n), Rows: blockOf(n, time.Now())}
		began := time.Now()
		if err := w.Insert(ctx, b); err != nil {
			return 0, err
		}
		took += time.Since(began)
		rows += blockRows
	}
	return float64(rows) / took.Seconds(), nil
}

func blockOf(n uint64, now time.Time) (rows ingest.Rows) {
	for i := range uint64(blockRows) {
		at := ingest.Place{Shard: "facts-0", Seq: n, Idx: uint32(i)}
		id := idOf(now, n*blockRows+i)
		unit := (n*blockRows + i) * 0x9e3779b97f4a7c15 % units * 0x9e3779b97f4a7c15
		if i%requestEvents < requestExposures {
			rows.Exposures = append(rows.Exposures, ingest.ExposureRow{
				Place: at, ID: id, Day: ingest.DayOf(id), Environment: "production", Flag: "shop.checkout", Variant: "on1", UnitKind: "user", Unit: unit,
				Revision: 4, Rollout: rolloutID, Stage: "experiment", Epoch: 1, Arm: "on1", Enrolled: true, Reason: "SPLIT", At: now, Received: now,
				Attributes: map[string]string{"country": "DE"},
			})
			continue
		}
		rows.Metrics = append(rows.Metrics, ingest.MetricRow{
			Place: at, ID: id, Day: ingest.DayOf(id), Environment: "production", Name: "purchase", UnitKind: "user", Unit: unit,
			Value: int64(i) * 10_000, At: now, Received: now,
		})
	}
	return rows
}

func idOf(at time.Time, n uint64) (id event.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16)
	binary.BigEndian.PutUint64(id[8:], n)
	id[6], id[8] = 0x70, 0x80
	return id
}
