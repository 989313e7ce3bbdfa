package ingest

import (
	"context"
	"errors"
)

// ErrRejected says that the store will never take a block as it is: a value
// does not fit its column. Nothing else may be reported with it; a store that
// is busy, full or away returns any other error and is asked again.
var ErrRejected = errors.New("the store rejects the rows")

// Block is what one insert holds: the rows of whole messages of one stream.
type Block struct {
	Shard   string
	From    uint64 // first sequence of the range
	To      uint64 // last sequence of the range
	Attempt int    // counts inserts that were acknowledged and not found
	Token   string // insert_deduplication_token: the same token is the same insert
	Rows
}

// Store keeps rows. It is the warehouse's side of the loader; MemStore is the
// version for tests.
type Store interface {
	// Insert stores the rows of b, each table at once, on disk when it
	// returns nil. A repeat of the same token changes nothing. An error leaves
	// open what is stored, except ErrRejected.
	Insert(ctx context.Context, b Block) error
	// Count returns how many different rows (by table, sequence, index and
	// unit kind) of the shard's messages from..to are stored. Copies count
	// once; rows that gave way to an earlier arrival of their Key do not count.
	Count(ctx context.Context, shard string, from, to uint64) (uint64, error)
	// Events returns how many different events (by sequence and index) of the
	// shard's messages from..to have a stored row.
	Events(ctx context.Context, shard string, from, to uint64) (uint64, error)
	// Missing returns the rows of b of whose Key no copy is stored, from
	// whichever message. It is the slow check behind Count.
	Missing(ctx context.Context, b Block) (Rows, error)
}
