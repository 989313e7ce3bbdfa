package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/natslog"
	"github.com/sluice-hq/sluice/internal/server"
)

// intake is the door of the facts and the streams behind it.
type intake struct {
	*ingest.Intake
	streams []*natslog.Stream
	dead    *natslog.Stream
	kv      *natslog.KV
	letters *ingest.Letterbox
}

// openIntake opens the streams of facts and the door before them.
func (h *house) openIntake(ctx context.Context) (*intake, error) {
	if err := h.streams.OpenFacts(ctx); err != nil {
		return nil, err
	}
	if err := sameKey(ctx, h.streams.KV, h.key, h.keyPath()); err != nil {
		return nil, err
	}
	codec, instance := ingest.NewCodec(), event.New().String()
	door := server.Door{Projection: h.projection, Folds: h.folds}
	in := &intake{
		Intake:  &ingest.Intake{Door: &ingest.Door{Flags: door, Metrics: door, Privacy: door, Windows: door, Past: door, Key: h.key}, Guard: h.guard, History: h.projection, End: h.end},
		streams: h.streams.Facts, dead: h.streams.Dead, kv: h.streams.KV,
	}
	for _, s := range in.streams {
		in.Packers = append(in.Packers, ingest.NewPacker(s, codec, instance))
	}
	in.letters = &ingest.Letterbox{Dead: in.dead, Orders: h.folds.Orders}
	return in, nil
}

// well asks every stream of facts for its end.
func (in *intake) well(ctx context.Context) error {
	for _, s := range append(in.streams[:len(in.streams):len(in.streams)], in.dead) {
		if _, err := s.Last(ctx); err != nil {
			return err
		}
	}
	return nil
}

// taker lets events in once the streams of facts are there.
type taker struct{ house *house }

var (
	_ server.Intake = taker{}
	_ server.Tap    = taker{}
)

// Accept implements server.Intake.
func (t taker) Accept(ctx context.Context, r ingest.Request, now time.Time) (ingest.Receipt, error) {
	in, err := t.house.intake.get()
	if err != nil {
		return ingest.Receipt{}, err
	}
	return t.house.meters.accept(ctx, in, r, now)
}

// Listen implements server.Tap.
func (t taker) Listen(f ingest.TapFilter) (*ingest.Listener, error) {
	in, err := t.house.intake.get()
	if err != nil {
		return nil, err
	}
	return in.Listen(f)
}

// openKey reads the key that unit ids are hashed with, or makes it.
func (h *house) openKey(context.Context) (err error) {
	h.key, err = unitKey(h.keyPath())
	return err
}

func (h *house) keyPath() string { return filepath.Join(h.Data, "unit.key") }

// unitKey reads the key that unit ids are hashed with, or makes it. Without it
// stored units can never be matched again: it belongs in the backup.
func unitKey(path string) ([]byte, error) {
	const size = 32
	key, err := os.ReadFile(path)
	switch {
	case err == nil && len(key) == size:
		return key, nil
	case err == nil:
		return nil, fmt.Errorf("%s has %d bytes instead of %d: restore it from a backup; a new key would make every stored unit a stranger", path, len(key), size)
	case !os.IsNotExist(err):
		return nil, fmt.Errorf("reading the key of unit ids: %w", err)
	}
	key = make([]byte, size)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("drawing the key of unit ids: %w", err)
	}
	return key, keep(path, key)
}

// sameKey compares a key with the one that the stored units were hashed with,
// of which the streams keep a hash. Under another one every unit would be a
// stranger and count twice: the key was lost and made anew, it belongs to other
// data, or this is one more replica on the same streams.
func sameKey(ctx context.Context, kv ingest.KV, key []byte, path string) error {
	const name = "unit.key"
	digest := event.Sum(append([]byte("sluice/unit.key\x00"), key...)).String()
	known, rev, err := kv.Load(ctx, name)
	if err == nil && rev == 0 {
		_, err = kv.Save(ctx, name, []byte(digest), 0)
		if errors.Is(err, event.ErrConflict) { // another replica was first
			known, rev, err = kv.Load(ctx, name)
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("comparing the key of unit ids: %w", err)
	case rev > 0 && string(known) != digest:
		return fmt.Errorf("%s is not the key that the stored units were hashed with: restore it from a backup, or copy it from the first replica", path)
	}
	return nil
}

// keep writes a file that is whole or not there, and on disk when it returns.
func keep(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // fails, as it should, once the file has its name
	for _, step := range []func() error{
		func() error { _, err := f.Write(content); return err },
		f.Sync, f.Close,
		func() error { return os.Rename(f.Name(), path) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
	}
	return nil
}

// record stores what evaluations were answered, where an environment asks for
// that, and once more at the end.
func (h *house) record(ctx context.Context) error {
	said := once{lg: h.lg, message: "recording evaluations as exposures; they wait"}
	flush := func(ctx context.Context) {
		if in, err := h.intake.get(); err == nil {
			said.tell(ctx, h.recorder.Flush(ctx, in.Intake, now()))
		}
	}
	err := each(ctx, 250*time.Millisecond, func() { flush(ctx) })
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer stop()
	flush(last)
	return err
}
