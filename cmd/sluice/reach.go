package main

import (
	"context"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/replica"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// reach follows how far changes of the flags have come: to every replica, and to
// every SDK that is connected to one of them.
type reach struct {
	house *house
	mu    sync.Mutex
	marks []reached // rising

	pursued reached   // the newest revision that was seen, and when it was first; of step alone
	looked  time.Time // of step alone
}

// reached is when everybody was first seen to hold a revision.
type reached struct {
	revision uint64
	at       time.Time
}

var _ decisions.Witness = (*reach)(nil)

const (
	reachPause = 20 * time.Millisecond // between two looks while a change is on its way
	reachSoon  = time.Minute           // for that long
	reachLate  = time.Second           // between two looks at whoever has not got it by then
	reachKeep  = 1024                  // marks; older changes are long proven
)

// run looks until ctx is done. While everybody holds the newest revision, that
// costs nothing but the question for it.
func (w *reach) run(ctx context.Context) error {
	return each(ctx, reachPause, func() { w.step(now()) })
}

func (w *reach) step(now time.Time) {
	var newest uint64
	w.house.projection.View(func(uint64) { newest = w.house.folds.Flags.Revision() })
	w.mu.Lock()
	last := w.last()
	w.mu.Unlock()
	if w.pursued.revision != newest {
		w.pursued = reached{newest, now}
	}
	late := now.Sub(w.pursued.at) > reachSoon && now.Sub(w.looked) < reachLate
	if last.revision >= newest || late {
		return
	}
	w.looked = now
	w.note(w.floor(newest), now)
}

// floor returns the newest revision that everybody holds.
func (w *reach) floor(newest uint64) uint64 {
	floor := newest
	for _, r := range w.reports() {
		floor = min(floor, r.Seq)
		for revision := range r.Streams {
			floor = min(floor, revision)
		}
	}
	return floor
}

func (w *reach) note(floor uint64, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if floor > w.last().revision {
		w.marks = append(w.marks, reached{floor, now})
		w.marks = w.marks[max(0, len(w.marks)-reachKeep):]
	}
}

// last returns the newest reached. w.mu is held.
func (w *reach) last() reached {
	if len(w.marks) == 0 {
		return reached{}
	}
	return w.marks[len(w.marks)-1]
}

// reports returns what every replica holds: this one now, the others as they
// said last.
func (w *reach) reports() []replica.Report {
	id, _, all := w.house.replica.Seen()
	own := replica.Report{ID: id, Name: w.house.replica.Name, Seq: w.house.projection.Seq(), Streams: w.house.hub.Holds()}
	for i := range all {
		if all[i].ID == id {
			all[i] = own
			return all
		}
	}
	return append(all, own)
}

// Held implements decisions.Witness.
func (w *reach) Held(_ context.Context, revision uint64) (decisions.Holders, error) {
	var h decisions.Holders
	for _, r := range w.reports() {
		h.Replicas++
		if r.Seq < revision {
			h.Behind = append(h.Behind, r.Name)
		}
		for held, n := range r.Streams {
			h.Streams += n
			if held < revision {
				h.Older += n
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.marks {
		if m.revision >= revision {
			h.At = m.at
			break
		}
	}
	return h, nil
}

// Exposed implements decisions.Witness, from the rows of the warehouse.
func (w *reach) Exposed(ctx context.Context, q decisions.Exposing) (decisions.Exposed, error) {
	var out decisions.Exposed
	c, err := w.house.counting.get()
	if err != nil {
		return out, err
	}
	kept, err := c.totals.Kept(ctx)
	if err == nil {
		out.Until, err = w.house.facts.watermark(ctx, c, &decisions.Evidence{At: q.Until}, kept)
	}
	if err != nil {
		return out, w.house.counting.blame(ctx, err)
	}
	found, err := c.store.Aftermath(ctx, warehouse.AftermathQuestion(q))
	for _, b := range found.Bins {
		out.Bins = append(out.Bins, decisions.Bin(b))
	}
	out.Queries = queriesOf(found.Queries)
	return out, w.house.counting.blame(ctx, err)
}
