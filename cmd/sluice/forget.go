package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
)

// Pauses between two looks for deletions to carry out, and between two looks at
// those that were.
const (
	forgetEvery = time.Second
	checkEvery  = time.Hour
)

// forgetter carries out deletions of units.
type forgetter struct {
	house *house
	ingest.Forgetter
}

func (h *house) forgetter(in *intake, c *counting) *forgetter {
	return &forgetter{h, ingest.Forgetter{
		Forgets: h.folds.Forgets, Orders: h.folds.Orders, Box: in.letters, Store: c.store, Loaded: c.loaded, Record: h.note, Rebuild: c.rebuild, Generation: generation,
	}}
}

// run looks for deletions until ctx is done, and now and again at those that
// are done.
func (f *forgetter) run(ctx context.Context) error {
	g, work := errgroup.WithContext(ctx)
	g.Go(func() error {
		said := once{lg: f.house.lg, message: "deleting units"}
		return f.house.act(work, forgetEvery, func() { said.tell(work, f.step(work, now())) })
	})
	g.Go(func() error {
		said := once{lg: f.house.lg, message: "checking deletions of units"}
		return f.house.act(work, checkEvery, func() { said.tell(work, f.check(work, now())) })
	})
	return g.Wait()
}

func (f *forgetter) step(ctx context.Context, now time.Time) error {
	if f.house.readOnly() {
		return nil
	}
	done, err := f.Step(ctx, now)
	if done > 0 {
		f.house.lg.Info("deleted units", "units", done)
	}
	return err
}

func (f *forgetter) check(ctx context.Context, now time.Time) error {
	if f.house.readOnly() {
		return nil
	}
	rows, err := f.Check(ctx, now)
	if rows > 0 {
		f.house.lg.Warn("rows of deleted units had come back, and were deleted again", "rows", rows)
	}
	return err
}

// note appends an event of the house's own and waits until it is applied.
func (h *house) note(ctx context.Context, do func() (event.Event, event.Expect, error)) error {
	var e event.Event
	var expect event.Expect
	var err error
	h.projection.View(func(uint64) { e, expect, err = do() })
	if err != nil {
		return err
	}
	seq, err := h.streams.Log.Append(ctx, e, expect)
	if err != nil {
		return fmt.Errorf("recording %s: %w", e.Type, err)
	}
	return h.projection.Wait(ctx, seq)
}

// rebuild has the totals of units made anew from the rows, and returns when the
// keepers of all shards have done so.
func (c *counting) rebuild(ctx context.Context) error {
	order, err := c.totals.Rebuild(ctx)
	for done := false; err == nil && !done; {
		if !sleep(ctx, time.Second) {
			return ctx.Err()
		}
		done, err = c.totals.Rebuilt(ctx, order)
	}
	return err
}

// loaded returns up to which message a shard of the facts is loaded.
func (c *counting) loaded(ctx context.Context, shard string) (uint64, error) {
	for _, l := range c.loaders {
		if l.Shard == shard {
			p, err := c.progress(ctx, l)
			return p.Done, err
		}
	}
	return 0, fmt.Errorf("there is no shard %s any more", shard)
}

// units is what the house keeps of single units.
type units struct{ house *house }

var _ server.Units = units{}

// Hash implements server.Units.
func (u units) Hash(kind, id string) uint64 { return ingest.UnitHash(u.house.key, kind, id) }

// Fence implements server.Units.
func (u units) Fence(ctx context.Context) (map[string]uint64, error) {
	in, err := u.house.intake.get()
	if err != nil {
		return nil, err
	}
	fence := map[string]uint64{}
	for i, s := range in.streams {
		last, err := s.Last(ctx)
		if err != nil {
			return nil, u.house.intake.blame(ctx, fmt.Errorf("asking for the end of %s: %w", shardName(i), err))
		}
		fence[shardName(i)] = last
	}
	return fence, nil
}

// Kept implements server.Units.
func (u units) Kept(ctx context.Context, kind string, unit uint64) (f ingest.UnitFacts, err error) {
	c, err := u.house.counting.get()
	if err != nil {
		return f, err
	}
	in, err := u.house.intake.get()
	if err != nil {
		return f, err
	}
	waiting, remarks, err := c.wait(ctx, kind, unit) // before the rows: what is loaded meanwhile is in both, not in none
	if err != nil {
		return f, u.house.intake.blame(ctx, err)
	}
	exposures, metrics := ingest.KeptRows(waiting)
	f = ingest.UnitFacts{Kind: kind, Unit: ingest.UnitText(unit), Waiting: append(exposures, metrics...), Letters: []ingest.Letter{},
		Remarks: slices.Concat(remarksOnExports[:], remarks)}
	rows, err := c.store.UnitRows(ctx, kind, unit)
	if err != nil {
		return f, u.house.counting.blame(ctx, err)
	}
	f.Exposures, f.Metrics = ingest.KeptRows(rows)
	for page, behind := (ingest.LetterPage{}), ""; ; behind = page.Next {
		if page, err = in.letters.Page(ctx, ingest.LetterFilter{Unit: f.Unit}, behind, 1000); err != nil {
			return f, u.house.intake.blame(ctx, err)
		}
		if f.Letters = append(f.Letters, page.Letters...); page.Next == "" {
			return f, nil
		}
	}
}

// remarksOnExports says what an export leaves out.
var remarksOnExports = [...]string{
	"Ids are kept as keyed hashes: an export shows the hash, and the id nowhere.",
	"Sums per unit and arm are made of these events and are not repeated.",
	"Messages that cannot be read at all are dead letters that nobody can search.",
	"Flags and segments that name the id are in mentions; the log keeps how they were before.",
}

// mostWaiting bounds how many messages behind the loader an export reads.
const mostWaiting = 20_000

// wait finds the unit's events that are acknowledged and not loaded yet, and
// says where it did not look to the end.
func (c *counting) wait(ctx context.Context, kind string, unit uint64) (rows ingest.Rows, remarks []string, err error) {
	for _, l := range c.loaders {
		if l.Shard == ingest.ControlShard {
			continue
		}
		p, err := c.progress(ctx, l)
		if err != nil {
			return rows, nil, err
		}
		found, err := unloaded(ctx, l, p.Done, kind, unit)
		if errors.Is(err, errManyWait) {
			remarks = append(remarks, fmt.Sprintf("%s has more than %d messages to load; those behind were not searched.", l.Shard, mostWaiting))
		} else if err != nil {
			return rows, nil, fmt.Errorf("reading what %s has to load: %w", l.Shard, err)
		}
		rows = joined(rows, found)
	}
	return rows, remarks, nil
}

// joined are the exposures and metric events of both.
func joined(a, b ingest.Rows) ingest.Rows {
	return ingest.Rows{Exposures: append(a.Exposures, b.Exposures...), Metrics: append(a.Metrics, b.Metrics...)}
}

var errManyWait = errors.New("too many messages wait")

// unloaded reads the messages behind the loader. One that cannot be read is a
// dead letter to be.
func unloaded(ctx context.Context, l *ingest.Loader, done uint64, kind string, unit uint64) (all ingest.Rows, err error) {
	for read := 0; read < mostWaiting; {
		messages, err := l.Stream.Read(ctx, done, 256)
		if err != nil || len(messages) == 0 {
			return all, err
		}
		for _, m := range messages {
			done = m.Seq
			if b, err := l.Decoder.Decode(l.Shard, m); err == nil {
				all = joined(all, b.Of(kind, unit))
			}
		}
		read += len(messages)
	}
	return all, errManyWait
}
