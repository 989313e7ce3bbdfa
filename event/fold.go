package event

import "encoding/json"

// Fold is state that is built from events. Apply must depend on the state and
// the event alone, and must pass over types that it does not know.
type Fold interface {
	Apply(Recorded) error
	// State returns the whole state as a value for json.Marshal; equal states
	// give equal bytes. It holds no clock. The value stays as it is while later
	// events are applied, so that it can be encoded without holding them up:
	// a fold replaces what it has handed out and copies the maps around it.
	State() any
}

// Restorer is a Fold that a snapshot brings back. What it keeps beside its
// State, to recognise a repeat or to answer for the past, is in the snapshot
// too: a fold that was restored and one that was folded from the first event
// cannot be told apart. eventtest.Fold checks that.
type Restorer interface {
	Fold
	// Snapshot returns everything the fold keeps as a value for json.Marshal,
	// with the promise of State.
	Snapshot() any
	// Restore takes what Snapshot returned into a fold that is new.
	Restore(json.RawMessage) error
}
