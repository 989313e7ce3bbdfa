// Package event holds what happened: the envelope of one event, the contract
// of the log that keeps events in order, and the fold that turns a log into
// state. It never knows what an event means, and it does no I/O of its own;
// MemLog and MemBlobs are the in-memory versions that tests use, package
// internal/natslog holds the durable ones, and eventtest checks that both
// behave alike.
//
// State in Sluice is always a fold of events:
//
//	log := event.NewMemLog()
//	seq, err := log.Append(ctx, event.Event{
//		ID: event.New(), Type: "flag.changed", Subject: "flag.checkout", Data: data,
//	}, event.Expect(0)) // 0: the aggregate must not exist yet
//
//	p := event.NewProjection(state)
//	go p.Run(ctx, log)
//	err = p.Wait(ctx, seq) // read your own write
package event

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"time"

	"github.com/google/uuid"
)

// ID identifies an event for ever. IDs of events that answer something are
// derived (see Derive), so that a repeat is the same event.
type ID = uuid.UUID

// Event is one thing that happened, in the past tense. The names are those of
// CloudEvents 1.0; Actor and Cause are extension attributes.
type Event struct {
	ID      ID              `json:"id"`
	Source  string          `json:"source"`          // which part said it: "sluice/flags"
	Type    string          `json:"type"`            // "flag.changed", "decision.made"
	Subject string          `json:"subject"`         // the aggregate: "flag.checkout.express-pay"
	Time    time.Time       `json:"time"`            // when the command was given, UTC
	Actor   string          `json:"actor"`           // principal: "person:ana", "controller"
	Cause   string          `json:"cause,omitempty"` // ID of the event or decision that led here; empty when a person acted
	Data    json.RawMessage `json:"data"`            // one JSON value; its shape belongs to Type
}

// Recorded is an event as the log keeps it.
type Recorded struct {
	Event
	Seq  uint64 `json:"seq"`  // place in the one total order, from 1, without gaps
	Prev Hash   `json:"prev"` // Hash of the last event of the same Subject, zero for the first
	Hash Hash   `json:"hash"` // SHA-256 over Prev and the canonical envelope
}

// Expect is the sequence of the last event of the subject that the writer has
// seen: 0 when the subject must not exist yet, Any when it does not matter.
type Expect uint64

// Any expects nothing: the event is appended behind whatever is there.
const Any = ^Expect(0)

// Errors that callers test with errors.Is.
var (
	// ErrConflict says that somebody else wrote the subject first.
	ErrConflict = errors.New("the aggregate has changed since it was read")
	// ErrDamaged says that the log is not what was written: a gap, a changed
	// event, or an end before the newest seal.
	ErrDamaged = errors.New("the log is damaged")
	// ErrReadOnly says that the log is open for reading alone.
	ErrReadOnly = errors.New("the log is open read-only")
	// ErrFull says that there is no room for a message: it is not stored.
	ErrFull = errors.New("there is no room")
	// ErrNotFound says that there is no such blob.
	ErrNotFound = errors.New("not found")
)

// Log keeps events in one total order, for ever.
type Log interface {
	// Append writes e behind the last event of its subject, which must be
	// expect, and returns its sequence once it is on disk. An event whose ID
	// is in the log already is success, with the sequence it has, however long
	// ago that was. ErrConflict when the subject's last sequence is another.
	Append(ctx context.Context, e Event, expect Expect) (seq uint64, err error)
	// Read yields the events after a sequence that f selects, up to the end as
	// it is when Read is called. A gap or a changed event yields ErrDamaged and
	// ends the sequence.
	Read(ctx context.Context, f Filter, after uint64) iter.Seq2[Recorded, error]
	// Follow is Read that waits for more at the end, until ctx is done.
	Follow(ctx context.Context, f Filter, after uint64) iter.Seq2[Recorded, error]
	// Last returns the sequence of the last event, 0 for an empty log.
	Last(ctx context.Context) (uint64, error)
}

// New returns a fresh time-ordered ID (UUID version 7) for a command that
// somebody gives. Only shells call it.
func New() ID { return uuid.Must(uuid.NewV7()) }

// space is the namespace of derived IDs. It never changes.
var space = uuid.MustParse("5b1d8a52-7d5b-5d0b-9a53-0d5f3a6c9e11")

// Derive returns the ID (UUID version 5) of an event that answers the named
// things: the same parts give the same ID, in every process and for ever.
// Parts are joined with a zero byte, which no key may contain.
func Derive(parts ...string) ID {
	var name []byte
	for _, p := range parts {
		name = append(append(name, p...), 0)
	}
	return uuid.NewSHA1(space, name)
}

// ParseID reads the text form of an ID.
func ParseID(s string) (ID, error) { return uuid.Parse(s) }
