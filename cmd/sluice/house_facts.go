package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/server"
)

// generation names the tables that the loaders fill. It changes when they are
// rebuilt from the streams.
const generation = "1"

// openLoaders makes one loader per stream of facts and one for the control
// log.
func (h *house) openLoaders(context.Context) error {
	codec := ingest.NewCodec()
	add := func(shard string, s ingest.Stream, d ingest.Decoder) {
		h.loaders = append(h.loaders, &ingest.Loader{
			Shard: shard, Generation: generation, Stream: s, KV: h.streams.KV, Store: h.store,
			Dead: h.streams.Dead, Decoder: d, Logger: h.lg,
		})
	}
	for i, s := range h.streams.Facts {
		add(fmt.Sprintf("facts-%d", i), s, codec)
	}
	add(ingest.ControlShard, h.streams.Control, ingest.ControlDecoder{})
	return nil
}

// openIntake makes the door of the facts.
func (h *house) openIntake(ctx context.Context) (*ingest.Intake, error) {
	path := filepath.Join(h.Data, "unit.key")
	key, err := unitKey(path)
	if err == nil {
		err = sameKey(ctx, h.streams.KV, key, path)
	}
	if err != nil {
		return nil, err
	}
	h.key = key
	codec, instance := ingest.NewCodec(), event.New().String()
	door := server.Door{Projection: h.projection, Folds: h.folds}
	in := &ingest.Intake{Door: &ingest.Door{Flags: door, Metrics: door, Key: key}, History: h.projection, End: h.end}
	for _, s := range h.streams.Facts {
		in.Packers = append(in.Packers, ingest.NewPacker(s, codec, instance))
	}
	return in, nil
}

// end returns where the log ends. Of a log that lost its end nobody knows: what
// it had there must not be taken for what never was.
func (h *house) end(ctx context.Context) (uint64, error) {
	if why := h.streams.Log.Why(); why != "" {
		return 0, fmt.Errorf("%w: %s", event.ErrReadOnly, why)
	}
	return h.streams.Log.Last(ctx)
}

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

// accounts tells how far the facts are, and whether all of them are there.
type accounts struct {
	house   *house
	ledgers map[string]*ingest.Ledger // by shard
}

func newAccounts(h *house) *accounts {
	a := &accounts{house: h, ledgers: map[string]*ingest.Ledger{}}
	for _, l := range h.loaders {
		a.ledgers[l.Shard] = &ingest.Ledger{Reconciler: ingest.Reconciler{
			Shard: l.Shard, Stream: l.Stream, Store: l.Store, Dead: l.Dead, Decoder: l.Decoder,
		}}
	}
	return a
}

var _ server.Accounts = (*accounts)(nil)

// Facts implements server.Accounts.
func (a *accounts) Facts(ctx context.Context) (v server.FactsView, err error) {
	for _, l := range a.house.loaders {
		last, err := l.Stream.Last(ctx)
		if err != nil {
			return v, fmt.Errorf("asking for the end of %s: %w", l.Shard, err)
		}
		s := server.ShardView{Progress: l.Progress(), Last: last}
		if l.Shard == ingest.ControlShard {
			v.Control = s
			continue
		}
		v.Shards = append(v.Shards, s)
		b, err := a.balance(ctx, l)
		if err != nil {
			return v, err
		}
		v.DeadLetters += b.Dead
		v.Unaccounted += int64(b.Unaccounted)
	}
	if v.Events, err = a.house.store.Counted(ctx); err != nil {
		return v, err
	}
	v.ControlRows, _, err = a.house.store.ControlCount(ctx)
	return v, err
}

// Letters implements server.Accounts.
func (a *accounts) Letters(ctx context.Context, f ingest.LetterFilter) ([]ingest.Letter, error) {
	return ingest.Letters(ctx, a.house.streams.Dead, f)
}

// balance accounts for all that a loader has loaded.
func (a *accounts) balance(ctx context.Context, l *ingest.Loader) (ingest.Account, error) {
	b, err := a.ledgers[l.Shard].Balance(ctx, l.Progress().Done)
	if err != nil {
		return b, fmt.Errorf("balancing %s: %w", l.Shard, err)
	}
	return b, nil
}
