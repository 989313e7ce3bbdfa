package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/tabular"
)

// imported is what became of the rows of a file.
type imported struct {
	Rows int64 `json:"rows"` // read, and answered for by the server
	sent
}

// errEnough ends an import whose rows are rejected.
var errEnough = errors.New("too many rows are rejected: look at them first; --stop-after 0 goes on all the same")

// errInterrupted says that somebody has ended the command.
var errInterrupted = errors.New("interrupted")

// importer reads rows, sends what they become, several requests at once, and
// notes up to which row everything is done.
type importer struct {
	client
	mapping   tabular.Mapping
	rows      tabular.Rows
	path      string
	patience  time.Duration
	stopAfter int
	check     bool
	progress  *progress
	rejected  *rejects
	place     *place // nil: nobody notes how far it is

	mu    sync.Mutex
	total imported         // of the stretches up to next
	done  map[int]*stretch // that came back before one ahead of them
	next  int
}

// stretch is a part of the file: one request.
type stretch struct {
	bundle
	n       int             // in order
	last    int64           // row that it reaches
	share   float64         // of the file, at its end
	of      []int64         // row of each event
	faults  []event.Invalid // of rows that became none
	bad     int             // such rows
	receipt ingest.Receipt
}

// run imports the file from the place of the total on.
func (im *importer) run(ctx context.Context, atOnce int) error {
	im.done = map[int]*stretch{}
	g, work := errgroup.WithContext(ctx)
	stretches := make(chan *stretch)
	g.Go(func() error {
		defer close(stretches)
		return im.cut(work, stretches)
	})
	for range max(1, atOnce) {
		g.Go(func() error {
			for s := range stretches {
				if err := im.send(work, s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := g.Wait()
	im.progress.end()
	if ctx.Err() != nil {
		err = errInterrupted
	}
	if err == nil {
		return im.place.finish()
	}
	return errors.Join(err, im.place.note(im.total, true))
}

// stopped says how to go on.
func (im *importer) stopped(err error) error {
	if im.place == nil || im.total.Rows == 0 {
		return err
	}
	return fmt.Errorf("%w; %s are done: run the same command again, and it goes on behind them", err, counted(int(im.total.Rows), "row"))
}

// cut reads the rows and hands them on in stretches.
func (im *importer) cut(ctx context.Context, out chan<- *stretch) error {
	number, err := im.skip()
	if err != nil {
		return err
	}
	for s := (&stretch{}); ; {
		events, faults, err := im.row(number + 1)
		if s.last > 0 && (err != nil || !s.hasRoom(events)) {
			s.share = im.rows.Share()
			select {
			case out <- s:
			case <-ctx.Done():
				return ctx.Err()
			}
			s = &stretch{n: s.n + 1}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		number++
		s.take(number, events, faults)
	}
}

// skip passes over the rows that an earlier run has done.
func (im *importer) skip() (number int64, err error) {
	for ; number < im.total.Rows; number++ {
		if _, err := im.rows.Next(); err != nil && !errors.As(err, new(event.Invalid)) {
			return number, fmt.Errorf("going on behind row %d: %w", im.total.Rows, err)
		}
	}
	return number, nil
}

// row reads the next row and turns it into events, or says why it becomes none.
func (im *importer) row(number int64) ([][]byte, event.Invalids, error) {
	cells, err := im.rows.Next()
	var fault event.Invalid
	switch {
	case errors.As(err, &fault):
		return nil, event.Invalids{fault}, nil
	case err != nil:
		return nil, nil, err
	}
	events, faults := im.mapping.EventsOf(number, cells)
	return events, faults, nil
}

// hasRoom reports whether the events of one more row go along.
func (s *stretch) hasRoom(events [][]byte) bool {
	size := len(s.body)
	for _, e := range events {
		size += len(e) + 1
	}
	return s.events+len(events) <= eventsAtOnce && size < bytesAtOnce && s.bad < eventsAtOnce
}

// take adds what a row became.
func (s *stretch) take(number int64, events [][]byte, faults event.Invalids) {
	s.last = number
	for _, e := range events {
		s.add(e)
		s.of = append(s.of, number)
	}
	for _, f := range faults {
		s.faults = append(s.faults, tabular.RowFault(number, f))
	}
	if len(faults) > 0 {
		s.bad++
	}
}

// send sends a stretch and counts what became of it, and of those that waited
// for it.
func (im *importer) send(ctx context.Context, s *stretch) (err error) {
	if s.events > 0 {
		if s.receipt, err = im.postEvents(ctx, im.path, s.bundle, im.patience); err != nil {
			return err
		}
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	im.done[s.n] = s
	for im.done[im.next] != nil {
		s := im.done[im.next]
		delete(im.done, im.next)
		im.next++
		if err := im.count(s); err != nil {
			return err
		}
	}
	return nil
}

// count adds the next stretch of the file to the total. im.mu is held.
func (im *importer) count(s *stretch) error {
	im.total.Rows = s.last
	im.total.Rejected += s.bad
	for _, f := range s.faults {
		im.total.fault(f)
	}
	row := func(i int) string { return fmt.Sprintf("row %d", s.of[i]) }
	im.total.add(s.receipt, row)
	im.progress.show(now(), im.total.Rows, s.share)
	err := im.rejected.write(s)
	if err == nil {
		err = im.place.note(im.total, false)
	}
	if err == nil && im.stopAfter > 0 && im.total.Rejected > im.stopAfter {
		err = errEnough
	}
	return err
}
