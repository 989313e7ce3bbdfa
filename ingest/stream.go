package ingest

import (
	"context"

	"github.com/sluice-hq/sluice/event"
)

// Stream keeps messages in order: packs of facts, the control log as seen by
// its loader, dead letters.
type Stream interface {
	// Publish appends data and returns its sequence once it is on disk (on a
	// cluster, on a majority of disks). A repeat of an ID is the same message,
	// with the sequence it has; a stream may forget IDs after two minutes.
	Publish(ctx context.Context, id string, data []byte) (seq uint64, err error)
	// Read returns up to limit messages behind a sequence, in order, and none
	// at the end of the stream; it does not wait. A message that was lost is a
	// gap in the sequences, or event.ErrDamaged in a stream that can tell loss
	// from messages that were given up.
	Read(ctx context.Context, after uint64, limit int) ([]event.Message, error)
	// Last returns the sequence of the last message, 0 for an empty stream.
	Last(ctx context.Context) (uint64, error)
}

// KV keeps small values with a revision each: the loaders' progress.
type KV interface {
	// Load returns the value and its revision; revision 0 says that there is
	// none. It returns what the last Save wrote, never an older value.
	Load(ctx context.Context, key string) (value []byte, rev uint64, err error)
	// Save writes the value if its revision is still rev (0: there must be
	// none) and returns the new one, else event.ErrConflict. After any other
	// error the value may or may not be written.
	Save(ctx context.Context, key string, value []byte, rev uint64) (newRev uint64, err error)
}
