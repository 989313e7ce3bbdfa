package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluice-hq/sluice/event"
)

// KV keeps small values with a revision each. *natslog.KV is one, and
// ingest.MemKV, beside which the suite stands that both pass.
type KV interface {
	// Load returns a value and its revision, revision 0 when there is none.
	Load(ctx context.Context, key string) (value []byte, rev uint64, err error)
	// Save writes a value if its revision is still rev, else it returns
	// event.ErrConflict.
	Save(ctx context.Context, key string, value []byte, rev uint64) (uint64, error)
}

// outboxKey is the key of a webhook's outbox.
func outboxKey(key string) string { return "webhook." + key }

// load reads an outbox; one that was never written is empty.
func (s *Sender) load(ctx context.Context, key string) (b Outbox, rev uint64, err error) {
	value, rev, err := s.KV.Load(ctx, outboxKey(key))
	if err == nil && rev > 0 {
		err = json.Unmarshal(value, &b)
	}
	if err != nil {
		return b, 0, fmt.Errorf("reading the outbox of webhook %s: %w", key, err)
	}
	return b, rev, nil
}

// rounds bounds how often a change of an outbox meets a faster one. An answer
// that is not noted means a message that is sent twice, so there are many.
const rounds = 100

// update changes an outbox: change works on what is there now and returns
// whether it is to be written. It is called again when somebody else wrote
// meanwhile: another replica, or whoever wants something sent again.
func (s *Sender) update(ctx context.Context, h Hook, change func(*Outbox) (bool, error)) error {
	for range rounds {
		b, rev, err := s.load(ctx, h.Key)
		if err != nil {
			return err
		}
		if b.behind(h) {
			return fmt.Errorf("the outbox of webhook %s: %w", h.Key, event.ErrConflict)
		}
		opened := b.open(h)
		write, err := change(&b)
		if err != nil || !write && !opened {
			return err
		}
		value, err := json.Marshal(b)
		if err != nil {
			return fmt.Errorf("encoding the outbox of webhook %s: %w", h.Key, err)
		}
		_, err = s.KV.Save(ctx, outboxKey(h.Key), value, rev)
		if err == nil {
			return nil
		}
		if !errors.Is(err, event.ErrConflict) {
			return fmt.Errorf("writing the outbox of webhook %s: %w", h.Key, err)
		}
	}
	return fmt.Errorf("writing the outbox of webhook %s: %w", h.Key, event.ErrConflict)
}
