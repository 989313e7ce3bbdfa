package ingest

import (
	"context"
	"fmt"

	"github.com/sluice-hq/sluice/event"
)

// Stream keeps messages in order: packs of facts, the control log as seen by
// its loader, dead letters.
type Stream interface {
	// Publish appends data and returns its sequence once it is on disk (on a
	// cluster, on a majority of disks). A repeat of an ID is the same message,
	// with the sequence it has; a stream may forget IDs after two minutes.
	// traces become those of the message.
	Publish(ctx context.Context, id string, data []byte, traces ...string) (seq uint64, err error)
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

// readAtOnce is how many messages of a stream are read at once.
const readAtOnce = 64

// readKnown returns messages behind a sequence, none at the end of the stream.
// Its caller knows that there were messages up to and with after and to. A
// server that has just become the leader of a cluster answers before it has
// applied all that it holds: to believe that the stream ends before them would
// be to take for lost what was acknowledged.
func readKnown(ctx context.Context, s Stream, after, to uint64) ([]event.Message, error) {
	messages, err := s.Read(ctx, after, readAtOnce)
	if err != nil || len(messages) > 0 {
		return messages, err
	}
	last, err := s.Last(ctx)
	if known := max(after, to); err == nil && last < known {
		return nil, fmt.Errorf("%w: the stream ends at message %d, and message %d was there", event.ErrDamaged, last, known)
	}
	if err != nil || after >= to {
		return nil, err
	}
	return s.Read(ctx, after, readAtOnce) // it may have caught up between the two; else they are lost
}
