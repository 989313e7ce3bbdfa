package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/natslog"
)

// openGuard makes what shuts the door of the facts in time. Only streams of our
// own lie on a disk of ours.
func (h *house) openGuard(context.Context) error {
	h.guard = &ingest.Guard{Floor: h.Floor, Fills: h.fills}
	if h.Nats == "" {
		h.guard.Space = h.space
	}
	return nil
}

func (h *house) space() (s ingest.Space, err error) {
	s.Free, s.Total, err = natslog.Space(filepath.Join(h.Data, "nats"))
	return s, err
}

// fills asks how full the streams of facts are; of those that are not open
// nothing is known.
func (h *house) fills(ctx context.Context) (fills []ingest.Fill, err error) {
	in, err := h.intake.get()
	if err != nil {
		return nil, nil // whoever opens it says why
	}
	for i, s := range in.streams {
		f := ingest.Fill{Shard: fmt.Sprintf("facts-%d", i)}
		if f.Bytes, f.Most, err = s.Fill(ctx); err != nil {
			return nil, err
		}
		fills = append(fills, f)
	}
	return fills, nil
}

// guardPause is the time between two looks: a disk fills by some GB in it at
// most, which the floor leaves.
const guardPause = time.Second

// watch looks at disk and streams, and opens the streams again when one of them
// has fallen silent and there is room.
func (h *house) watch(ctx context.Context) error {
	level, said := ingest.Calm, once{lg: h.lg, message: "looking at the room for events"}
	return each(ctx, guardPause, func() {
		asking, stop := context.WithTimeout(ctx, 2*guardPause)
		defer stop()
		p, err := h.guard.Look(asking)
		if errors.Is(err, context.DeadlineExceeded) {
			err = nil // streams that do not answer are told of as the event intake
		}
		said.tell(ctx, err)
		if p.Level != level {
			h.lg.Warn("the room for events is another", "level", p.Level, "was", level, "refusing", p.Refusing)
			level = p.Level
		}
		if stuck := h.streams.Stuck(); len(stuck) > 0 && h.roomy() {
			h.reopen(ctx, stuck)
		}
	})
}

// roomy reports whether a server that is started now could write.
func (h *house) roomy() bool {
	const least = 8 << 20 // bytes: for a block of each stream
	s, err := h.space()
	return err == nil && s.Free > least
}

// reopen opens the streams again. If that fails the next look tries again.
func (h *house) reopen(ctx context.Context, stuck []string) {
	h.lg.Error("streams have stopped taking writes, as they do after a full disk: they are opened again", "streams", stuck)
	asking, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	if err := h.streams.Reopen(asking); err != nil {
		h.lg.Error("opening the streams again", "error", err)
		return
	}
	h.lg.Info("the streams take writes again")
}

// room says why events are refused, nil when they are not.
func (h *house) room() error {
	if why := h.guard.Pressure().Refusing; why != "" {
		return fmt.Errorf("events are refused: %s", why)
	}
	return nil
}
