package ingest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// What orders about dead letters write into the log. There is one aggregate:
// orders about the same letters must not pass each other.
const (
	LettersSubject  = "letters.dead"
	LettersReplayed = "letters.replayed" // somebody wants letters to be counted again
	LettersPurged   = "letters.purged"   // somebody is done with letters
	LettersResent   = "letters.resent"   // an order to replay has been carried out
)

// ErrCarriedOut says that an order has been carried out already.
var ErrCarriedOut = errors.New("the order has been carried out")

// Order is what a person wants done with dead letters: those that the filter
// selects among the letters that were there and that no earlier order has
// taken. Everybody who reads the letters and the log finds the same ones.
type Order struct {
	ID      event.ID     `json:"id"`
	Seq     uint64       `json:"seq"`    // of the order's event
	Replay  bool         `json:"replay"` // send them again; else they are purged
	Filter  LetterFilter `json:"filter"`
	UpTo    uint64       `json:"upTo"`    // sequence of the newest message of dead letters then
	Letters int          `json:"letters"` // that it selected
	At      time.Time    `json:"at"`
	Actor   string       `json:"actor"`
	Comment string       `json:"comment,omitempty"`
	Outcome *Outcome     `json:"outcome,omitempty"` // of a replay; nil: it is under way
}

// Outcome is what became of the letters of a replay.
type Outcome struct {
	Sent    int       `json:"sent"`              // accepted again, or published again as they were
	Dead    int       `json:"dead,omitempty"`    // of these, events that no metric declares still: they are letters again
	Refused int       `json:"refused,omitempty"` // that the door does not take: they are letters again, with its reason
	At      time.Time `json:"at"`
}

// OrderLetters is the command that makes an Order.
type OrderLetters struct {
	ID      event.ID
	Replay  bool
	Filter  LetterFilter
	All     bool // an empty filter is meant
	UpTo    uint64
	Letters int // that the filter selects, as whoever orders was told
	At      time.Time
	Actor   string
	Comment string
}

// ordered is the stored data of letters.replayed and letters.purged.
type ordered struct {
	Filter  LetterFilter `json:"filter"`
	UpTo    uint64       `json:"upTo"`
	Letters int          `json:"letters"`
	Comment string       `json:"comment,omitempty"`
}

// resent is the stored data of letters.resent.
type resent struct {
	Order event.ID `json:"order"`
	Outcome
}

// Orders is every order about dead letters: a fold over letters.dead. The zero
// value is ready. One goroutine applies events; the others may call the rest
// from anywhere, because the list is replaced and never changed.
type Orders struct {
	list atomic.Pointer[[]Order]
	rev  atomic.Uint64 // sequence of the aggregate's last event
}

var _ event.Restorer = (*Orders)(nil)

// All returns every order, oldest first. The list belongs to everybody.
func (o *Orders) All() []Order {
	if list := o.list.Load(); list != nil {
		return *list
	}
	return nil
}

// Handle turns a command into its event and what the log must expect, or says
// why not.
func (o *Orders) Handle(c OrderLetters) (event.Event, event.Expect, error) {
	if err := c.validate(); err != nil {
		return event.Event{}, 0, err
	}
	kind := LettersPurged
	if c.Replay {
		kind = LettersReplayed
	}
	return o.event(c.ID, kind, c.At, c.Actor, "", ordered{c.Filter, c.UpTo, c.Letters, c.Comment})
}

// Carried returns the event that says that a replay has been carried out. Its
// ID follows from the order, so that two replicas say it once.
func (o *Orders) Carried(order event.ID, out Outcome, actor string) (event.Event, event.Expect, error) {
	i := slices.IndexFunc(o.All(), func(x Order) bool { return x.ID == order })
	if i < 0 || o.All()[i].Outcome != nil {
		return event.Event{}, 0, fmt.Errorf("%w: %s", ErrCarriedOut, order)
	}
	return o.event(event.Derive(LettersResent, order.String()), LettersResent, out.At, actor, order.String(), resent{order, out})
}

func (o *Orders) event(id event.ID, kind string, at time.Time, actor, cause string, data any) (event.Event, event.Expect, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return event.Event{}, 0, fmt.Errorf("encoding an order about dead letters: %w", err)
	}
	return event.Event{
		ID: id, Source: "sluice/ingest", Type: kind, Subject: LettersSubject, Time: at, Actor: actor, Cause: cause, Data: b,
	}, event.Expect(o.rev.Load()), nil
}

// mostIDs bounds the letters that an order names one by one: an event of the
// log is small.
const mostIDs = 1000

func (c OrderLetters) validate() error {
	var faults event.Invalids
	f := c.Filter
	switch {
	case f.empty() && !c.All:
		faults.Add("filter", nil, "selects every letter there is", "name a reason, an event or ids, or say that all are meant")
	case c.Letters == 0:
		faults.Add("filter", nil, "selects no letter", "list the letters with the same filter first; those that were lost cannot be replayed")
	}
	if len(f.IDs) > mostIDs {
		faults.Add("ids", len(f.IDs), "are too many letters by name", fmt.Sprintf("name at most %d, or select them by what they have in common", mostIDs))
	}
	if f.Unit != "" && !IsHashedUnit(f.Unit) {
		faults.Add("unit", nil, "is not the hash of a unit", "the log must not hold ids of units; send kind and id to the API, which hashes them")
	}
	if !f.Until.IsZero() && !f.Since.Before(f.Until) {
		faults.Add("until", f.Until.Format(time.RFC3339), "is not behind since", "turn them around")
	}
	return faults.Err()
}
