package replica

import (
	"bytes"
	"context"
	"maps"
	"sync"
)

// Board is where replicas write what they say, each under its own name. What
// stands there goes by itself when it is not written again for a while.
type Board interface {
	// Put writes what one replica says, in the place of what it said before.
	Put(ctx context.Context, name string, value []byte) error
	// All returns what stands on the board, by name.
	All(ctx context.Context) (map[string][]byte, error)
}

// MemBoard is a Board in memory, for tests and for a replica that is alone.
// Nothing goes from it by itself. The zero MemBoard is ready to use.
type MemBoard struct {
	mu  sync.Mutex
	all map[string][]byte
}

var _ Board = (*MemBoard)(nil)

// Put implements Board.
func (b *MemBoard) Put(ctx context.Context, name string, value []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[string][]byte{}
	}
	b.all[name] = bytes.Clone(value)
	return ctx.Err()
}

// All implements Board.
func (b *MemBoard) All(ctx context.Context) (map[string][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.all), ctx.Err()
}
