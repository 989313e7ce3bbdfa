package event

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
)

// snapshotMagic begins every snapshot and numbers its format; the SHA-256 of
// the rest follows, then the rest: snapshot as compressed JSON.
const snapshotMagic = "sluice snapshot 1\n"

// snapshot is a projection at one place of its log.
type snapshot struct {
	Code  string            `json:"code"` // of the program that wrote it
	Mark  Mark              `json:"mark"`
	Lasts map[string]Hash   `json:"lasts"` // hash of the newest event of each subject
	Folds []json.RawMessage `json:"folds"`
}

// Snapshot returns all that the projection holds, for Restore, and the place.
// code names the program: another one may fold the same events into another
// state, so that it folds them itself. Events go on being applied while the
// snapshot is encoded. Every fold must be a Restorer.
func (p *Projection) Snapshot(code string) ([]byte, Mark, error) {
	p.mu.RLock()
	state, lasts, kept := p.still(), maps.Clone(p.chain.lasts), make([]any, len(p.folds))
	for i, f := range p.folds {
		if r, ok := f.(Restorer); ok {
			kept[i] = r.Snapshot()
		}
	}
	p.mu.RUnlock()
	m, err := state.mark()
	if err != nil {
		return nil, m, err
	}
	s := snapshot{Code: code, Mark: m, Lasts: lasts}
	for i, v := range kept {
		if v == nil {
			return nil, m, fmt.Errorf("%T cannot be restored from a snapshot", p.folds[i])
		}
		b, err := json.Marshal(v)
		if err != nil {
			return nil, m, fmt.Errorf("encoding what %T keeps: %w", p.folds[i], err)
		}
		s.Folds = append(s.Folds, b)
	}
	b, err := s.encode()
	return b, m, err
}

// Restore takes a snapshot into a projection at sequence 0 of new folds, if it
// is whole, was written by the same program, belongs to l, and the state that
// comes of it is the one that was written. After an error the folds are to be
// thrown away and the log to be folded from its first event.
func (p *Projection) Restore(ctx context.Context, l Log, b []byte, code string) error {
	s, err := decodeSnapshot(b)
	switch {
	case err != nil:
		return err
	case s.Code != code:
		return errors.New("another version of the program wrote the snapshot")
	case len(s.Folds) != len(p.folds):
		return fmt.Errorf("the snapshot has %d folds instead of %d", len(s.Folds), len(p.folds))
	}
	if err := s.belongs(ctx, l); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, f := range p.folds {
		r, ok := f.(Restorer)
		if !ok {
			return fmt.Errorf("%T cannot be restored from a snapshot", f)
		}
		if err := r.Restore(s.Folds[i]); err != nil {
			return fmt.Errorf("restoring %T: %w", f, err)
		}
	}
	p.chain = Chain{Seq: s.Mark.Seq, Head: s.Mark.Head, lasts: s.Lasts}
	if m, err := p.still().mark(); err != nil || m != s.Mark {
		return errors.Join(err, fmt.Errorf("the state at event %d is not the one that the snapshot was made of", s.Mark.Seq))
	}
	p.wake()
	return nil
}

// Meet applies the events of l up to a mark that the log's keeper has folded
// by itself, and compares the heads: they cover every event before.
func (p *Projection) Meet(ctx context.Context, l Log, m Mark) error {
	for r, err := range l.Read(ctx, Filter{}, p.Seq()) {
		if err == nil && r.Seq <= m.Seq {
			err = p.Apply(r)
		}
		if err != nil {
			return err
		}
		if r.Seq >= m.Seq {
			break
		}
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.chain.Seq != m.Seq || p.chain.Head != m.Head {
		return fmt.Errorf("%w: at event %d it has another head than the log has at event %d", ErrDamaged, p.chain.Seq, m.Seq)
	}
	return ctx.Err()
}

// belongs checks that l has the event that the snapshot ends with.
func (s snapshot) belongs(ctx context.Context, l Log) error {
	if s.Mark.Seq == 0 {
		return errors.New("the snapshot is of no event")
	}
	for r, err := range l.Read(ctx, Filter{}, s.Mark.Seq-1) {
		if err != nil {
			return err
		}
		if r.Seq != s.Mark.Seq || r.Hash != s.Lasts[r.Subject] {
			return fmt.Errorf("event %d of the log is not the one that the snapshot ends with", s.Mark.Seq)
		}
		return nil
	}
	return fmt.Errorf("the log ends before event %d, with which the snapshot ends", s.Mark.Seq)
}

func (s snapshot) encode() ([]byte, error) {
	var body bytes.Buffer
	z, err := gzip.NewWriterLevel(&body, gzip.BestSpeed)
	if err == nil {
		err = errors.Join(json.NewEncoder(z).Encode(s), z.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("encoding a snapshot: %w", err)
	}
	sum := sha256.Sum256(body.Bytes())
	return append(append([]byte(snapshotMagic), sum[:]...), body.Bytes()...), nil
}

func decodeSnapshot(b []byte) (s snapshot, err error) {
	body, ok := bytes.CutPrefix(b, []byte(snapshotMagic))
	if !ok || len(body) < sha256.Size {
		return s, errors.New("it is not a snapshot of this format")
	}
	if sha256.Sum256(body[sha256.Size:]) != Hash(body[:sha256.Size]) {
		return s, errors.New("the snapshot is not what was written")
	}
	z, err := gzip.NewReader(bytes.NewReader(body[sha256.Size:]))
	if err == nil {
		var text []byte
		if text, err = io.ReadAll(z); err == nil {
			err = json.Unmarshal(text, &s)
		}
	}
	if err != nil {
		return s, fmt.Errorf("reading a snapshot: %w", err)
	}
	return s, nil
}
