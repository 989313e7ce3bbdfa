package natslog

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/sluice-hq/sluice/event"
)

// KV keeps small values with a revision each: the loaders' progress. It is the
// bucket LOADER to NATS's own tools.
type KV struct{ *wire }

// Load returns a value and its revision, revision 0 when there is none. It
// asks the leader, so that it is never an older value.
func (k *KV) Load(ctx context.Context, key string) (value []byte, rev uint64, err error) {
	if why := event.CheckKey(key); why != "" {
		return nil, 0, fmt.Errorf("the key %q %s", key, why)
	}
	m, err := k.lookUp(ctx, request{Subject: bucketSubject + key})
	if errors.Is(err, event.ErrNotFound) {
		return nil, 0, nil
	}
	return m.data, m.seq, err
}

// Save writes a value if its revision is still rev (0: there must be none) and
// returns the new revision, else event.ErrConflict. After any other error the
// value may or may not be written: a repeat could not tell its own first try
// from another writer, so there is none.
func (k *KV) Save(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	if why := event.CheckKey(key); why != "" {
		return 0, fmt.Errorf("the key %q %s", key, why)
	}
	m := nats.NewMsg(bucketSubject + key)
	m.Data = value
	expect(m, rev)
	return k.try(ctx, m)
}
