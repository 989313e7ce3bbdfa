package ingest

import (
	"encoding/json"
	"fmt"

	"github.com/sluice-hq/sluice/event"
)

// Decoder turns the messages of one kind of stream into rows. It is a pure
// function of the message and its own version: *Codec reads packs of facts,
// ControlDecoder the control log.
type Decoder interface {
	// Version changes with the rows that the same bytes give. The identity of
	// a row (its Key) must never change with it.
	Version() int
	// Decode returns the events of a message, their places filled in. An error
	// makes the whole message a dead letter.
	Decode(shard string, m event.Message) (Batch, error)
	// CountEvents returns the number of events that a message stands for
	// without decoding them; 1 for one that cannot be read.
	CountEvents(m event.Message) uint64
}

// ControlShard is the shard of the control log's loader.
const ControlShard = "control"

// ControlDecoder reads messages that hold one event.Recorded as JSON each. The
// message's sequence is the event's.
type ControlDecoder struct{}

var _ Decoder = ControlDecoder{}

// Version implements Decoder.
func (ControlDecoder) Version() int { return 1 }

// CountEvents implements Decoder.
func (ControlDecoder) CountEvents(event.Message) uint64 { return 1 }

// Decode implements Decoder.
func (ControlDecoder) Decode(shard string, m event.Message) (Batch, error) {
	var r event.Recorded
	if err := json.Unmarshal(m.Data, &r); err != nil {
		return Batch{}, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if r.Seq != 0 && r.Seq != m.Seq {
		return Batch{}, fmt.Errorf("%w: event %d stands at %d", ErrUnreadable, r.Seq, m.Seq)
	}
	if r.ID == (event.ID{}) || r.Type == "" {
		return Batch{}, fmt.Errorf("%w: it is not an event of the log", ErrUnreadable)
	}
	at := r.Time.UTC()
	row := ControlRow{
		Place: Place{Shard: shard, Seq: m.Seq}, ID: r.ID, Day: Day(at.Unix() / (24 * 60 * 60)), At: at,
		Type: r.Type, Subject: r.Subject, Source: r.Source, Actor: r.Actor, Cause: r.Cause,
		Data: string(r.Data), Prev: r.Prev, Hash: r.Hash,
	}
	return Batch{Rows: Rows{Control: []ControlRow{row}}, Count: 1, Oldest: at, Newest: at, Received: at}, nil
}
