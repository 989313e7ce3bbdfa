package natslog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/sluice-hq/sluice/event"
)

// sealFile lies beside the data and says how far it was.
const sealFile = "seal.json"

// note is the content of seal.json. It is written at every seal and at Close,
// so that after a clean end every message is accounted for, and after a crash
// those up to the newest seal.
type note struct {
	event.Mark
	Streams map[string]uint64 `json:"streams"` // sequence of the last message of each stream
}

// Sealer seals the log, in the log and beside it.
type Sealer struct {
	store *Store
	path  string // of seal.json; empty: nowhere
}

// Seal appends event.Sealed with the projection's mark when a seal is due, and
// writes it beside the data. Two sealers make one seal. It reports whether
// this one did.
func (s *Sealer) Seal(ctx context.Context, p *event.Projection, now time.Time) (bool, error) {
	_, seals := s.store.Log.index.mark()
	if s.store.Log.readOnly != "" || !seals.Due(p.Seq(), now) {
		return false, nil
	}
	m, err := p.Mark()
	if err != nil {
		return false, err
	}
	if _, err := s.store.Log.Append(ctx, event.Sealed(m, now), event.Expect(seals.Seq)); err != nil {
		if errors.Is(err, event.ErrConflict) {
			return false, nil // another sealer was first
		}
		return false, fmt.Errorf("sealing the log at %d: %w", m.Seq, err)
	}
	return true, s.write(ctx, m)
}

// note writes down where the log and every stream ends, unless the log is
// read-only or damaged: then the older note knows better. Servers that cannot
// be reached cannot be asked; what they hold is theirs to keep.
func (s *Sealer) note(ctx context.Context) error {
	l := s.store.Log
	if s.path == "" || l.readOnly != "" {
		return nil
	}
	if !s.store.nc.IsConnected() {
		s.store.lg.Warn("where the streams end is not noted: their server is not there")
		return nil
	}
	if err := l.catchUp(ctx, l.reach); err != nil {
		return fmt.Errorf("noting the end of the log: %w", err)
	}
	m, _ := l.index.mark()
	return s.write(ctx, m)
}

func (s *Sealer) write(ctx context.Context, m event.Mark) error {
	if s.path == "" {
		return nil
	}
	s.store.noting.Lock()
	defer s.store.noting.Unlock()
	if m.Seq < s.store.noted.Seq {
		return nil // a faster sealer knows better
	}
	n := note{Mark: m, Streams: map[string]uint64{}}
	for _, c := range s.store.config.streams() {
		last, err := s.store.wire(c.Name, "").last(ctx)
		if err != nil && c.Name == blobsStream {
			return err
		}
		// Of facts that cannot be reached, what was known of them still holds.
		n.Streams[c.Name] = max(last, s.store.noted.Streams[c.Name])
	}
	n.Streams[controlStream] = m.Seq
	s.store.noted = n
	b, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", s.path, err)
	}
	return replace(s.path, append(b, '\n'))
}

// readNote reads seal.json; a store that is new has none.
func readNote(path string) (n note, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return n, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &n)
	}
	if err != nil {
		return n, fmt.Errorf("%w: reading %s: %v", event.ErrDamaged, path, err)
	}
	return n, nil
}

// compare refuses streams that are shorter than they were: their next messages
// would get sequences that a loader has behind it. The log is compared when it
// is folded.
func (s *Store) compare(ctx context.Context, list []jetstream.StreamConfig) error {
	s.noting.Lock()
	defer s.noting.Unlock()
	for _, c := range list {
		last, err := s.wire(c.Name, "").last(ctx)
		if err != nil {
			return err
		}
		if x, ok := s.found[c.Name]; ok && last != x.last {
			return fmt.Errorf("%w: %s ends at %d for the server and at %d in its files", event.ErrDamaged, c.Name, last, x.last)
		}
		if noted := s.noted.Streams[c.Name]; last < noted && c.Name != controlStream {
			return shorter(c.Name, last, noted)
		}
	}
	return nil
}

// shorter names the first message that a stream has lost at its end.
func shorter(stream string, last, noted uint64) error {
	return fmt.Errorf("%w: %s %d of %s is missing: the stream ends at %d, and had %d when that was noted; restore the directory from a backup",
		event.ErrDamaged, rulesOf(stream).what, last+1, stream, last, noted)
}

// replace writes a file so that there is the old or the new one, whole, after
// any crash.
func replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(f.Name()) // not there any more when all went well
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
