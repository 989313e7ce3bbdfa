package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/server"
)

// A snapshot is written after so many events, or so much time in which
// anything happened, and at the end; the newest ones are kept.
const (
	snapshotEvery = 500
	snapshotAfter = 10 * time.Minute
	snapshotsKept = 2
	snapshotName  = ".snap" // how their names end; the sequence stands before it
)

// snapshots are the states in a folder from which a start goes on. They are
// never the truth: the log is, and whatever is wrong with them only makes a
// start longer.
type snapshots struct {
	dir  string
	code string // of this program; empty: unknown, and there are no snapshots
	lg   *slog.Logger
	seq  uint64 // of the newest one
	at   time.Time
}

func newSnapshots(dir string, lg *slog.Logger) *snapshots {
	s := &snapshots{dir: dir, lg: lg}
	var err error
	if s.code, err = programCode(); err != nil {
		lg.Warn("there will be no snapshots: every start folds every event", "error", err)
	}
	return s
}

// programCode names this program by what it is made of: another build may fold
// events into another state, whatever its version says.
func programCode() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading this program: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading this program: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// fold returns the state at the end of the log: from the newest snapshot that
// is good and the events behind it, else from all events. The log has folded
// its own head at end, which the snapshot must lead to.
func (s *snapshots) fold(ctx context.Context, log event.Log, end event.Mark) (server.Folds, *event.Projection, error) {
	for _, path := range s.list() {
		folds := server.NewFolds()
		p := event.NewProjection(folds.All()...)
		err := s.restore(ctx, log, end, p, path)
		if err == nil {
			return folds, p, p.Catch(ctx, log)
		}
		if ctx.Err() != nil {
			return folds, p, ctx.Err()
		}
		s.lg.Warn("a snapshot is thrown away", "snapshot", path, "reason", err)
		s.remove(path)
	}
	folds := server.NewFolds()
	p := event.NewProjection(folds.All()...)
	return folds, p, p.Catch(ctx, log)
}

func (s *snapshots) restore(ctx context.Context, log event.Log, end event.Mark, p *event.Projection, path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	if err := p.Restore(ctx, log, b, s.code); err != nil {
		return err
	}
	s.seq = p.Seq()
	return p.Meet(ctx, log, end)
}

// list returns the paths of the snapshots, the newest first.
func (s *snapshots) list() (paths []string) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.lg.Warn("the snapshots cannot be listed", "error", err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), snapshotName) {
			paths = append(paths, filepath.Join(s.dir, e.Name()))
		}
	}
	slices.Reverse(paths) // ReadDir sorts
	return paths
}

// step writes a snapshot if one is due; the last one is, when anything happened
// since. A projection that has stopped is not written down.
func (s *snapshots) step(p *event.Projection, now time.Time, last bool) error {
	if s.at.IsZero() {
		s.at = now
	}
	seq := p.Seq()
	due := seq >= s.seq+snapshotEvery || seq > s.seq && (last || now.Sub(s.at) >= snapshotAfter)
	if s.code == "" || p.Err() != nil || !due {
		return nil
	}
	b, m, err := p.Snapshot(s.code)
	if err == nil {
		err = os.MkdirAll(s.dir, 0o700)
	}
	if err == nil {
		err = keep(filepath.Join(s.dir, fmt.Sprintf("%020d%s", m.Seq, snapshotName)), b)
	}
	if err != nil {
		return err
	}
	s.seq, s.at = m.Seq, now
	paths := s.list()
	for _, path := range paths[min(snapshotsKept, len(paths)):] {
		s.remove(path)
	}
	return nil
}

// discard removes every snapshot: what is in them cannot be trusted.
func (s *snapshots) discard() {
	for _, path := range s.list() {
		s.remove(path)
	}
}

func (s *snapshots) remove(path string) {
	if err := os.Remove(path); err != nil {
		s.lg.Warn("a snapshot cannot be removed", "snapshot", path, "error", err)
	}
}
