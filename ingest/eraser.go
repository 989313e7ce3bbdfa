package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Eraser removes rows for good. It is the store's side of a deletion.
type Eraser interface {
	// Erase removes every row that f covers, and what was made of such rows. It
	// returns how many there were, and nil only after it has looked again and
	// found none.
	Erase(ctx context.Context, f Forgotten) (rows uint64, err error)
}

// Forgetful is a Store that takes no row of what is deleted, and misses none: a
// stream that is loaded once more does not bring them back, and to whoever
// accounts for the events they are where they should be.
type Forgetful struct {
	Store
	Forgets *Forgets
}

var _ Store = Forgetful{}

// Insert implements Store.
func (f Forgetful) Insert(ctx context.Context, b Block) error {
	b.Rows = f.Forgets.Without(b.Rows)
	return f.Store.Insert(ctx, b)
}

// Missing implements Store.
func (f Forgetful) Missing(ctx context.Context, b Block) (Rows, error) {
	rows, err := f.Store.Missing(ctx, b)
	return f.Forgets.Without(rows), err
}

// Forgetter carries out deletions. It waits until everything that had come is
// loaded, purges the dead letters, removes the rows, looks again, and records
// that it is done. Check looks once more at what was done before: a database
// can lose a deletion with the power (ClickHouse #111380), and facts from before
// the deletion may have come since. All fields but Rebuild are required.
type Forgetter struct {
	Forgets    *Forgets
	Orders     *Orders
	Box        *Letterbox
	Store      Eraser
	Loaded     func(ctx context.Context, shard string) (done uint64, err error)
	Record     func(ctx context.Context, do func() (event.Event, event.Expect, error)) error // appends what do returns
	Rebuild    func(context.Context) error                                                   // has sums of single units made anew from the rows; nil: nobody keeps any
	Generation string                                                                        // of the store's tables
}

// Step carries out every deletion that can be, and returns how many.
func (f *Forgetter) Step(ctx context.Context, now time.Time) (done int, err error) {
	var errs []error
	gone := map[event.ID]Erasure{}
	for _, g := range f.Forgets.All() {
		e, ok, err := f.erase(ctx, g, now)
		if err != nil {
			errs = append(errs, fmt.Errorf("deleting %s: %w", g.Unit, err))
		} else if ok {
			gone[g.ID] = e
		}
	}
	if len(gone) == 0 {
		return 0, errors.Join(errs...)
	}
	if err := f.rebuild(ctx); err != nil {
		return 0, errors.Join(append(errs, err)...)
	}
	for _, g := range f.Forgets.All() {
		if e, ok := gone[g.ID]; ok {
			done++
			errs = append(errs, f.note(ctx, g, e))
		}
	}
	return done, errors.Join(errs...)
}

// erase deletes what there is of a unit, if it can be said by now what that is.
func (f *Forgetter) erase(ctx context.Context, g Forgotten, now time.Time) (e Erasure, ok bool, err error) {
	if g.Erased != nil {
		return e, false, nil
	}
	if ok, err = f.loaded(ctx, g); err != nil || !ok {
		return e, false, err
	}
	e = Erasure{Generation: f.Generation, At: now}
	for _, filter := range append(g.came(), g.happened()) {
		n, err := f.purge(ctx, g, filter, now)
		if e.Letters += n; err != nil {
			return e, false, err
		}
	}
	e.Rows, err = f.Store.Erase(ctx, g)
	return e, err == nil, err
}

// happened selects the dead letters of what happened before the deletion.
func (f Forgotten) happened() LetterFilter {
	return LetterFilter{Unit: f.Unit, Until: f.Before.Add(time.Millisecond)}
}

// came selects, shard by shard, those of what had come before it, whatever its
// sender's clock said.
func (f Forgotten) came() (all []LetterFilter) {
	for _, shard := range slices.Sorted(maps.Keys(f.Fence)) {
		if seq := f.Fence[shard]; seq > 0 {
			all = append(all, LetterFilter{Unit: f.Unit, Shard: shard, To: seq})
		}
	}
	return all
}

// note records that a deletion was carried out.
func (f *Forgetter) note(ctx context.Context, g Forgotten, e Erasure) error {
	err := f.Record(ctx, func() (event.Event, event.Expect, error) { return f.Forgets.Erased(g, e) })
	if errors.Is(err, ErrErased) {
		return nil // another replica was faster
	}
	return err
}

// rebuild has made anew what holds sums of single units: also when no row was
// deleted, since the process may have died between the two.
func (f *Forgetter) rebuild(ctx context.Context) error {
	if f.Rebuild == nil {
		return nil
	}
	if err := f.Rebuild(ctx); err != nil {
		return fmt.Errorf("having the totals made anew: %w", err)
	}
	return nil
}

// Check removes again what came back of the deletions that were carried out,
// and returns how many rows that were.
func (f *Forgetter) Check(ctx context.Context, now time.Time) (rows uint64, err error) {
	var errs []error
	for _, g := range f.Forgets.All() {
		if g.Erased == nil {
			continue
		}
		_, lettersErr := f.purge(ctx, g, g.happened(), now)
		n, err := f.Store.Erase(ctx, g)
		if rows, err = rows+n, errors.Join(lettersErr, err); err != nil {
			errs = append(errs, fmt.Errorf("checking the deletion of %s: %w", g.Unit, err))
		}
	}
	if rows > 0 {
		errs = append(errs, f.rebuild(ctx))
	}
	return rows, errors.Join(errs...)
}

// loaded reports whether all that had come at the time of the command is in the
// store or among the dead letters.
func (f *Forgetter) loaded(ctx context.Context, g Forgotten) (bool, error) {
	for shard, seq := range g.Fence {
		done, err := f.Loaded(ctx, shard)
		if err != nil || done < seq {
			return false, err
		}
	}
	return true, nil
}

// purge orders that the unit's dead letters that a filter selects are purged, in
// the name of whoever deleted it.
func (f *Forgetter) purge(ctx context.Context, g Forgotten, filter LetterFilter, now time.Time) (int, error) {
	n, upTo, err := f.Box.Select(ctx, filter, false)
	if err != nil || n == 0 {
		return 0, err
	}
	return n, f.Record(ctx, func() (event.Event, event.Expect, error) {
		e, expect, err := f.Orders.Handle(OrderLetters{
			ID: event.Derive(LettersPurged, g.ID.String(), fmt.Sprint(upTo), filter.Shard), Filter: filter, UpTo: upTo, Letters: n,
			At: now, Actor: g.Actor, Comment: "the unit is deleted",
		})
		e.Cause = g.ID.String()
		return e, expect, err
	})
}
