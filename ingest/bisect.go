package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// maxRejects bounds the events of one block that may become dead letters
// because the store rejects them. More than these are no poison but a fault of
// the store's schema: nothing is buried then, and the loader asks for a person.
const maxRejects = 1000

// reject finds the events that the store does not take, by halves, writes
// them into the intent and finishes the block without them.
func (l *Loader) reject(ctx context.Context, b Block) error {
	s := &search{store: l.Store, block: b, places: placesOf(b.Rows)}
	if err := s.insert(ctx, 0, len(s.places)); err != nil {
		return err
	}
	l.state.Intent.Rejects = append(l.state.Intent.Rejects, s.found...)
	l.state.Intent.Attempt++
	if err := l.save(ctx); err != nil {
		return err
	}
	l.log().Warn("rows rejected", "shard", l.Shard, "from", b.From, "to", b.To, "events", len(s.found))
	return l.finish(ctx)
}

// search inserts parts of a rejected block until what is left is poison.
type search struct {
	store  Store
	block  Block
	places []Place // of the block's events, in order
	found  []reject
}

// insert stores the events from..to-1 of the block but for those it finds.
func (s *search) insert(ctx context.Context, from, to int) error {
	part := s.block
	part.Token = fmt.Sprintf("%s|%d-%d", s.block.Token, from, to)
	part.Rows = s.rows(from, to)
	err := s.store.Insert(ctx, part)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, ErrRejected):
		return fmt.Errorf("inserting %s: %w", part.Token, err)
	case to-from == 1:
		return s.find(s.places[from], err)
	}
	half := from + (to-from)/2
	if err := s.insert(ctx, from, half); err != nil {
		return err
	}
	return s.insert(ctx, half, to)
}

func (s *search) find(at Place, why error) error {
	if len(s.found) == maxRejects {
		return fmt.Errorf("inserting %s: the store rejects more than %d events: %w", s.block.Token, maxRejects, why)
	}
	s.found = append(s.found, reject{Seq: at.Seq, Idx: at.Idx, Why: shorten(why.Error(), 160)})
	return nil
}

func (s *search) rows(from, to int) Rows {
	first, last := s.places[from], s.places[to-1]
	return s.block.Keep(func(_ Key, p Place) bool { return p.compare(first) >= 0 && p.compare(last) <= 0 })
}

// buryRejects publishes the letters of the rejected events. The intent names
// them, so that they are the same after a crash.
func (l *Loader) buryRejects(ctx context.Context) error {
	var list []Letter
	for _, r := range l.state.Intent.Rejects {
		at := Place{Shard: l.Shard, Seq: r.Seq, Idx: r.Idx}
		rows := l.work.rows.Keep(func(_ Key, p Place) bool { return p == at })
		letter, err := rejected(at, rows, r.Why)
		if err != nil {
			return err
		}
		list = append(list, letter)
	}
	return bury(ctx, l.Dead, list)
}

// rejected returns the letter of an event that the store does not take.
func rejected(at Place, rows Rows, why string) (Letter, error) {
	l := Letter{ID: at.id(), Shard: at.Shard, Seq: at.Seq, Idx: at.Idx, Events: 1, Reason: Rejected, Why: why}
	rows.Each(func(k Key, _ Place) { l.Environment, l.Name, l.EventID = k.Environment, k.Name, k.ID })
	l.At = rows.when()
	fact, err := json.Marshal(factOf(rows))
	if err != nil {
		return Letter{}, fmt.Errorf("encoding dead letter %s: %w", l.ID, err)
	}
	l.Fact = fact
	return l, nil
}

// when returns the time of the event that the rows are of.
func (r Rows) when() time.Time {
	switch {
	case len(r.Exposures) > 0:
		return r.Exposures[0].At
	case len(r.Metrics) > 0:
		return r.Metrics[0].At
	case len(r.Deployments) > 0:
		return r.Deployments[0].At
	case len(r.Readings) > 0:
		return r.Readings[0].At
	case len(r.Control) > 0:
		return r.Control[0].At
	}
	return time.Time{}
}

// without returns the rows of the events that are not rejected.
func without(rows Rows, rejects []reject) Rows {
	if len(rejects) == 0 {
		return rows
	}
	out := map[reject]bool{}
	for _, r := range rejects {
		out[reject{Seq: r.Seq, Idx: r.Idx}] = true
	}
	return rows.Keep(func(_ Key, p Place) bool { return !out[reject{Seq: p.Seq, Idx: p.Idx}] })
}
