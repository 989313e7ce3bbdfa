package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// What deletions of units write into the log, one aggregate for each unit. The
// log is kept for ever, so that it holds the keyed hash of the unit and never
// its id.
const (
	UnitSubject   = "unit."          // the hash follows, 16 hexadecimal digits
	UnitForgotten = "unit.forgotten" // somebody wants everything about a unit to be deleted
	UnitErased    = "unit.erased"    // it is deleted, and was looked for again
)

// ErrErased says that a deletion has been carried out already.
var ErrErased = errors.New("the deletion has been carried out")

// Forgotten is a unit whose facts are deleted: all that had come by the time of
// the command, and all that happened before it, however late it comes. What
// the unit does afterwards counts like anybody's.
type Forgotten struct {
	ID      event.ID          `json:"id"` // of the newest command
	Kind    string            `json:"kind" doc:"of the unit"`
	Unit    string            `json:"unit" doc:"keyed hash of its id" example:"hash:00c0ffee00c0ffee"`
	Before  time.Time         `json:"before" doc:"what happened up to then is deleted, whenever it comes"`
	Fence   map[string]uint64 `json:"fence" doc:"by shard: the last message that had come; what is in it or before is deleted, whatever its time"`
	Actor   string            `json:"actor"`
	Comment string            `json:"comment,omitempty"`
	Erased  *Erasure          `json:"erased,omitempty" doc:"absent: under way"`
}

// Erasure says that a unit's rows were deleted, and that none was found
// afterwards.
type Erasure struct {
	Generation string    `json:"generation"` // of the tables
	Rows       uint64    `json:"rows" doc:"that were deleted"`
	Letters    int       `json:"letters,omitempty" doc:"dead letters that were purged"`
	At         time.Time `json:"at"`
}

// Forget is the command that deletes a unit.
type Forget struct {
	ID      event.ID
	Kind    string
	Unit    uint64
	Fence   map[string]uint64 // by shard of the facts: the last message there is
	At      time.Time
	Actor   string
	Comment string // must not name the unit
}

// forgotten and erased are the stored data of the events.
type (
	forgotten struct {
		Kind    string            `json:"kind"`
		Unit    string            `json:"unit"`
		Before  time.Time         `json:"before"`
		Fence   map[string]uint64 `json:"fence"`
		Comment string            `json:"comment,omitempty"`
	}
	erased struct {
		Unit string `json:"unit"`
		Erasure
	}
)

// Forgets is every deletion of a unit: a fold over unit.*. The zero value is
// ready. One goroutine applies events; the others may call the rest from
// anywhere, because the whole is replaced and never changed.
type Forgets struct{ whole atomic.Pointer[forgets] }

type forgets map[uint64]forgetting // by hash

type forgetting struct {
	Forgotten
	rev uint64 // sequence of the aggregate's last event
}

var _ event.Restorer = (*Forgets)(nil)

func (f *Forgets) now() forgets {
	if w := f.whole.Load(); w != nil {
		return *w
	}
	return nil
}

// All returns every deletion, sorted by hash.
func (f *Forgets) All() []Forgotten {
	all := f.now()
	list := make([]Forgotten, 0, len(all))
	for _, unit := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[unit].Forgotten)
	}
	return list
}

// Of returns the newest deletion of a unit.
func (f *Forgets) Of(unit uint64) (Forgotten, bool) {
	g, ok := f.now()[unit]
	return g.Forgotten, ok
}

// Covers reports whether a row is one of those that are deleted.
func (f *Forgets) Covers(k Key, p Place) bool {
	g, ok := f.now()[k.Unit]
	return ok && g.covers(k, p)
}

func (f Forgotten) covers(k Key, p Place) bool {
	return k.UnitKind == f.Kind && UnitText(k.Unit) == f.Unit && (milliOf(k.ID) <= f.Before.UnixMilli() || p.Seq <= f.Fence[p.Shard])
}

// Without returns the rows that are not deleted.
func (f *Forgets) Without(rows Rows) Rows {
	if len(f.now()) == 0 {
		return rows // as almost always
	}
	return rows.Keep(func(k Key, p Place) bool { return !f.Covers(k, p) })
}

// Handle turns a command into its event and what the log must expect.
func (f *Forgets) Handle(c Forget) (event.Event, event.Expect, error) {
	var faults event.Invalids
	if why := event.CheckKey(c.Kind); why != "" {
		faults.Add("kind", c.Kind, why, "name the kind of the unit, such as user")
	} else if g, ok := f.Of(c.Unit); ok && g.Kind != c.Kind { // it would take the place of the first, and cover nothing
		faults.Add("kind", c.Kind, "is not the kind that this hash was deleted under before", "name the kind "+g.Kind)
	}
	if err := faults.Err(); err != nil {
		return event.Event{}, 0, err
	}
	return f.event(c.Unit, event.Event{ID: c.ID, Type: UnitForgotten, Time: c.At, Actor: c.Actor}, forgotten{
		Kind: c.Kind, Unit: UnitText(c.Unit), Before: c.At, Fence: c.Fence, Comment: c.Comment,
	})
}

// Erased returns the event that says that a deletion has been carried out. Its
// ID follows from the command and the tables, so that two replicas say it once.
func (f *Forgets) Erased(of Forgotten, done Erasure) (event.Event, event.Expect, error) {
	unit, _ := ParseUnit(of.Unit)
	now, ok := f.Of(unit)
	if !ok || now.ID != of.ID || now.Erased != nil {
		return event.Event{}, 0, fmt.Errorf("%w: %s", ErrErased, of.Unit)
	}
	return f.event(unit, event.Event{
		ID: event.Derive(UnitErased, of.ID.String(), done.Generation), Type: UnitErased, Time: done.At, Actor: "sluice", Cause: of.ID.String(),
	}, erased{of.Unit, done})
}

func (f *Forgets) event(unit uint64, e event.Event, data any) (event.Event, event.Expect, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return event.Event{}, 0, fmt.Errorf("encoding the deletion of a unit: %w", err)
	}
	e.Source, e.Subject, e.Data = "sluice/ingest", UnitSubject+UnitText(unit)[len(hashed):], b
	return e, event.Expect(f.now()[unit].rev), nil
}
