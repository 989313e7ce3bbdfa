package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
)

// usedKey is where the replicas keep when tokens were last used, and usedEvery
// how often they tell each other.
const (
	usedKey   = "tokens.used"
	usedEvery = 10 * time.Second
)

// noteUsed keeps when tokens were last used beside the log, so that it outlives
// this process. It is news for people: losing a minute of it costs nothing.
func (h *house) noteUsed(ctx context.Context) error {
	said := once{lg: h.lg, message: "noting when tokens were last used"}
	note := func(ctx context.Context) error {
		in, ok := h.intake.opened()
		if !ok {
			return nil
		}
		return exchange(ctx, in.kv, &h.used, h.valid)
	}
	err := each(ctx, usedEvery, func() { said.tell(ctx, note(ctx)) })
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer stop()
	said.tell(last, note(last))
	return err
}

// valid reports whether a token of that ID was issued and not revoked.
func (h *house) valid(id string) (ok bool) {
	h.projection.View(func(uint64) { _, ok = h.folds.Access.Token(id) })
	return ok
}

// exchange takes what the others know and writes down what is new here. When
// another replica is faster, the next time will do.
func exchange(ctx context.Context, kv ingest.KV, used *access.Used, keep func(id string) bool) error {
	known, rev, err := kv.Load(ctx, usedKey)
	if err != nil {
		return fmt.Errorf("reading when tokens were used: %w", err)
	}
	news := used.News()
	if rev > 0 {
		if err := used.Merge(known); err != nil {
			return err
		}
		used.News() // what the others know is none
	}
	if !news {
		return nil
	}
	b, err := used.Encode(keep)
	if err == nil {
		_, err = kv.Save(ctx, usedKey, b, rev)
	}
	if err != nil {
		used.Again()
	}
	if err != nil && !errors.Is(err, event.ErrConflict) {
		return fmt.Errorf("writing when tokens were used: %w", err)
	}
	return nil
}
