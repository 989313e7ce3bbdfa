package natslog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// boardBucket is the bucket's name to NATS's own tools.
const boardBucket = "REPLICAS"

// Board is where the replicas of one installation say how they are. What is
// written stands for a while and then goes by itself, in memory alone: it is
// news, not history. A server that was restarted has forgotten the bucket, so
// that it is made again after an error.
type Board struct {
	store *Store
	ttl   time.Duration
	mu    sync.Mutex
	kv    jetstream.KeyValue // nil: to be made
}

// Board returns the board, on which everything stands for ttl.
func (s *Store) Board(ttl time.Duration) *Board { return &Board{store: s, ttl: ttl} }

// Put writes what one replica says, in the place of what it said before.
func (b *Board) Put(ctx context.Context, name string, value []byte) error {
	return b.with(ctx, func(kv jetstream.KeyValue) error {
		_, err := kv.Put(ctx, name, value)
		return err
	})
}

// All returns what stands on the board, by replica.
func (b *Board) All(ctx context.Context) (all map[string][]byte, err error) {
	err = b.with(ctx, func(kv jetstream.KeyValue) error {
		all, err = b.entries(ctx, kv)
		return err
	})
	return all, err
}

// with calls f with the bucket.
func (b *Board) with(ctx context.Context, f func(jetstream.KeyValue) error) (err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kv == nil {
		b.kv, err = b.store.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket: boardBucket, TTL: b.ttl, History: 1, Storage: jetstream.MemoryStorage, Replicas: b.store.config.replicas(),
		})
	}
	if err == nil {
		err = f(b.kv)
	}
	if err != nil {
		b.kv = nil
		return fmt.Errorf("asking the board of the replicas: %w", err)
	}
	return nil
}

// entries asks for one replica after the other: a watcher waits for ever for
// an entry that goes while it is on its way.
func (b *Board) entries(ctx context.Context, kv jetstream.KeyValue) (map[string][]byte, error) {
	const subjects = "$KV." + boardBucket + "."
	stream, err := b.store.js.Stream(ctx, "KV_"+boardBucket)
	if err != nil {
		return nil, err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(subjects+">"))
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	for subject := range info.State.Subjects {
		name := strings.TrimPrefix(subject, subjects)
		e, err := kv.Get(ctx, name)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all[name] = e.Value()
	}
	return all, nil
}
