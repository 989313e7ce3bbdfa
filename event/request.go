package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
)

// Request names what somebody asked for and gave a key to repeat it with.
type Request struct {
	Key  ID   `json:"key"`  // derived from who asked, where, and with what key
	Hash Hash `json:"hash"` // SHA-256 of what was asked for
}

// Requests remembers which events came of requests with a key, so that one
// that is sent again is recognised, and one that asks for something else under
// the same key is told apart. The event itself says what asked for it: its
// data, whatever the type, has the Request in the member requested. The zero
// Requests is ready to use.
type Requests struct {
	kept requests
}

type requests struct {
	Events map[ID]Kept `json:"events,omitempty"`
	Keys   map[ID]Hash `json:"keys,omitempty"` // of requests
}

// Kept is an event that came of a request.
type Kept struct {
	Seq     uint64  `json:"seq"`
	Request Request `json:"request"`
}

var _ Restorer = (*Requests)(nil)

const requestMember = `"requested":`

// Requested returns the event with the request that asked for it in its data,
// which must be a JSON object.
func Requested(e Event, by Request) (Event, error) {
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(e.Data), []byte("{"))
	if !ok {
		return e, fmt.Errorf("the data of a %s is no object", e.Type)
	}
	member, err := json.Marshal(by)
	if err != nil {
		return e, fmt.Errorf("encoding a request: %w", err) // unreachable unless IDs and hashes lose their text form
	}
	data := append([]byte("{"+requestMember), member...)
	if rest = bytes.TrimSpace(rest); len(rest) > 0 && rest[0] != '}' {
		data = append(data, ',')
	}
	e.Data = append(data, rest...)
	return e, nil
}

// Find returns the event with that ID, if a request with a key asked for it.
func (q *Requests) Find(id ID) (Kept, bool) {
	k, ok := q.kept.Events[id]
	return k, ok
}

// Hash returns what was asked for under a key, if something came of it.
func (q *Requests) Hash(key ID) (Hash, bool) {
	h, ok := q.kept.Keys[key]
	return h, ok
}

// Apply implements Fold.
func (q *Requests) Apply(r Recorded) error {
	if !bytes.Contains(r.Data, []byte(requestMember)) {
		return nil // nearly all: reading the data twice is what it would cost
	}
	var data struct {
		Requested *Request `json:"requested"`
	}
	if err := json.Unmarshal(r.Data, &data); err != nil || data.Requested == nil {
		return nil // the words stand somewhere else in it
	}
	if q.kept.Events == nil {
		q.kept = requests{Events: map[ID]Kept{}, Keys: map[ID]Hash{}}
	}
	q.kept.Events[r.ID] = Kept{Seq: r.Seq, Request: *data.Requested}
	if _, ok := q.kept.Keys[data.Requested.Key]; !ok { // of two that came at once, the log took one
		q.kept.Keys[data.Requested.Key] = data.Requested.Hash
	}
	return nil
}

// State implements Fold.
func (q *Requests) State() any {
	return requests{Events: maps.Clone(q.kept.Events), Keys: maps.Clone(q.kept.Keys)}
}

// Snapshot implements Restorer.
func (q *Requests) Snapshot() any { return q.State() }

// Restore implements Restorer.
func (q *Requests) Restore(b json.RawMessage) error {
	if err := json.Unmarshal(b, &q.kept); err != nil {
		return fmt.Errorf("reading the requests: %w", err)
	}
	return nil
}
