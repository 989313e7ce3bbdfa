package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Lease lets one of several processes do what all of them could. It spares
// work and guarantees nothing: whoever acts under it must be safe with another
// who believes the same.
//
// Nobody compares clocks of two machines: a lease has run out when it was not
// renewed for TTL by the clock of whoever watches it. KV, Key and Holder are
// required; it is safe for concurrent use.
type Lease struct {
	KV     KV
	Key    string        // "lease.facts-0"
	Holder string        // names this process, differently at every start
	TTL    time.Duration // zero: 10 s

	mu   sync.Mutex
	rev  uint64    // of the value that was seen last
	seen time.Time // when it was new, or renewed by us
	held bool
}

// lease is the value of the key. Without a holder it was given back.
type lease struct {
	Holder string `json:"holder,omitempty"`
}

// Pause is how often the holder renews the lease and the others look.
func (l *Lease) Pause() time.Duration { return orElse(l.TTL, 10*time.Second) / 3 }

// Held reports whether the last Hold got the lease.
func (l *Lease) Held() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

// Hold takes or renews the lease, and reports whether it is this process's.
func (l *Lease) Hold(ctx context.Context, now time.Time) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held && now.Sub(l.seen) < l.Pause() {
		return true, nil
	}
	l.held = false
	have, rev, err := l.read(ctx)
	if err != nil {
		return false, err
	}
	if rev != l.rev || l.seen.IsZero() {
		l.rev, l.seen = rev, now
	}
	if rev > 0 && have.Holder != "" && have.Holder != l.Holder && now.Sub(l.seen) < orElse(l.TTL, 10*time.Second) {
		return false, nil
	}
	return l.write(ctx, l.Holder, now)
}

// Release gives the lease back, so that nobody has to wait for its end.
func (l *Lease) Release(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held {
		return nil
	}
	_, err := l.write(ctx, "", l.seen)
	l.held = false
	return err
}

func (l *Lease) read(ctx context.Context) (have lease, rev uint64, err error) {
	value, rev, err := l.KV.Load(ctx, l.Key)
	if err == nil && rev > 0 {
		err = json.Unmarshal(value, &have)
	}
	if err != nil {
		return have, 0, fmt.Errorf("reading %s: %w", l.Key, err)
	}
	return have, rev, nil
}

func (l *Lease) write(ctx context.Context, holder string, now time.Time) (bool, error) {
	value, err := json.Marshal(lease{holder})
	if err != nil {
		return false, fmt.Errorf("encoding %s: %w", l.Key, err)
	}
	rev, err := l.KV.Save(ctx, l.Key, value, l.rev)
	if errors.Is(err, event.ErrConflict) {
		return false, nil // another one was faster
	}
	if err != nil {
		return false, fmt.Errorf("writing %s: %w", l.Key, err)
	}
	l.rev, l.seen, l.held = rev, now, true
	return true, nil
}
