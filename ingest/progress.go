package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Progress says how far a shard is loaded: everything up to Done is countable
// or among the dead letters.
type Progress struct {
	Shard  string    `json:"shard"`
	Done   uint64    `json:"done"`            // sequence of the last message that was read back
	Newest time.Time `json:"newest,omitzero"` // greatest event time up to Done, at most its time of arrival
	Lost   uint64    `json:"lost,omitempty"`  // messages that the stream lost before they were loaded
	Trace  string    `json:"trace,omitempty"` // traceparent of the span that loaded the newest block; empty when nobody traced it
}

// state is what a loader keeps beside the data: the value of its key. Every
// write compares the revision, so that of two loaders one loses and starts
// over from what the other did.
type state struct {
	Progress
	Intent *intent `json:"intent,omitempty"`
}

// intent is written before an insert. Block borders depend on time; only a
// written intent makes them the same in a repeat.
type intent struct {
	From    uint64   `json:"from"`
	To      uint64   `json:"to"`
	Rows    int      `json:"rows"`
	Hash    string   `json:"hash"`    // xxh3 of the messages' bytes, 16 hexadecimal digits
	Version int      `json:"version"` // of the decoder
	Attempt int      `json:"attempt"` // counts inserts that were acknowledged and not found
	Rejects []reject `json:"rejects,omitempty"`
}

// reject is an event that the store does not take. It is written here before
// its dead letter, so that it is never dead and stored.
type reject struct {
	Seq uint64 `json:"seq"`
	Idx uint32 `json:"idx"`
	Why string `json:"why,omitempty"`
}

// stateKey is the key of a loader's state.
func stateKey(generation, shard string) string {
	return "loader." + orElse(generation, "1") + "." + shard
}

// ReadProgress returns what a shard's loader has written down last, wherever
// that loader runs. generation is the store's, as in Loader.
func ReadProgress(ctx context.Context, kv KV, generation, shard string) (Progress, error) {
	s, _, err := readState(ctx, kv, generation, shard)
	return s.Progress, err
}

func readState(ctx context.Context, kv KV, generation, shard string) (state, uint64, error) {
	value, rev, err := kv.Load(ctx, stateKey(generation, shard))
	if err != nil {
		return state{}, 0, fmt.Errorf("reading the progress of %s: %w", shard, err)
	}
	s := state{Progress: Progress{Shard: shard}}
	if rev == 0 {
		return s, 0, nil
	}
	if err := json.Unmarshal(value, &s); err != nil {
		return state{}, 0, fmt.Errorf("reading the progress of %s: %w", shard, err)
	}
	return s, rev, nil
}
