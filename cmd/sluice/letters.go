package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
)

// mailbox shows the dead letters once their stream is there.
type mailbox struct{ house *house }

var _ server.Letters = mailbox{}

// Page implements server.Letters.
func (m mailbox) Page(ctx context.Context, f ingest.LetterFilter, behind string, limit int) (p ingest.LetterPage, err error) {
	in, err := m.house.intake.get()
	if err != nil {
		return p, err
	}
	p, err = in.letters.Page(ctx, f, behind, limit)
	return p, m.house.intake.blame(ctx, err)
}

// Select implements server.Letters.
func (m mailbox) Select(ctx context.Context, f ingest.LetterFilter, replay bool) (letters int, upTo uint64, err error) {
	in, err := m.house.intake.get()
	if err != nil {
		return 0, 0, err
	}
	letters, upTo, err = in.letters.Select(ctx, f, replay)
	return letters, upTo, m.house.intake.blame(ctx, err)
}

// Hashed implements server.Letters.
func (m mailbox) Hashed(kind, id string) string { return ingest.HashedUnit(m.house.key, kind, id) }

// resender carries out what people ordered about dead letters.
type resender struct {
	house *house
	ingest.Resender
}

func (h *house) resender(in *intake) *resender {
	streams := map[string]ingest.Stream{}
	for i, s := range in.streams {
		streams[shardName(i)] = s
	}
	return &resender{h, ingest.Resender{Box: in.letters, Take: in.Accept, Streams: streams}}
}

// run looks for orders until ctx is done.
func (r *resender) run(ctx context.Context) error {
	said := once{lg: r.house.lg, message: "sending dead letters again"}
	return r.house.act(ctx, time.Second, func() { said.tell(ctx, r.step(ctx, now())) })
}

// step carries out every replay that has no outcome. Two replicas may do so at
// once: events keep their IDs, and the log takes one outcome.
func (r *resender) step(ctx context.Context, now time.Time) error {
	if r.house.readOnly() {
		return nil
	}
	var errs []error
	for _, o := range r.house.folds.Orders.All() {
		if o.Replay && o.Outcome == nil {
			errs = append(errs, r.carry(ctx, o, now))
		}
	}
	return errors.Join(errs...)
}

func (r *resender) carry(ctx context.Context, o ingest.Order, now time.Time) error {
	out, err := r.Carry(ctx, o, now)
	if err != nil {
		return fmt.Errorf("replay %s: %w", o.ID, err)
	}
	var e event.Event
	var expect event.Expect
	r.house.projection.View(func(uint64) { e, expect, err = r.house.folds.Orders.Carried(o.ID, out, "sluice") })
	if errors.Is(err, ingest.ErrCarriedOut) {
		return nil // another replica was faster
	}
	if err == nil {
		_, err = r.house.streams.Log.Append(ctx, e, expect)
	}
	if errors.Is(err, event.ErrConflict) {
		return nil // the next look finds out with whom
	}
	if err != nil {
		return fmt.Errorf("recording the outcome of replay %s: %w", o.ID, err)
	}
	r.house.lg.Info("sent dead letters again", "order", o.ID, "event", e.ID, "sent", out.Sent, "dead", out.Dead, "refused", out.Refused)
	return nil
}
