package warehouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
)

// fuse is a way to the engine that kills it, with SIGKILL, once so many bytes
// of a request have passed.
type fuse struct {
	s    *engine.Supervisor
	left atomic.Int64 // bytes until the kill; not lit when negative
	sent atomic.Int64
}

func (f *fuse) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := f.s.Dial(ctx, network, addr)
	return fusedConn{c, f}, err
}

type fusedConn struct {
	net.Conn
	f *fuse
}

func (c fusedConn) Write(b []byte) (int, error) {
	c.f.sent.Add(int64(len(b)))
	n, err := c.Conn.Write(b)
	if left := c.f.left.Add(-int64(len(b))); left < 0 && left+int64(len(b)) >= 0 {
		if child := c.f.s.Status().PID; child > 0 { // 0 is the test itself, with all that started it
			_ = syscall.Kill(child, syscall.SIGKILL)
		}
	}
	return n, err
}

// TestInsert_survivesKills kills the engine in the middle of inserts into
// seven partitions, at places that the seed chooses, from the first byte to
// after the last. Repeating the block under its token must make it whole, and
// store nothing twice.
func TestInsert_survivesKills(t *testing.T) {
	t.Parallel()
	s := enginetest.StartSupervisor(t)
	f := &fuse{s: s}
	f.left.Store(-1)
	w, err := Open(t.Context(), Config{Dial: f.dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	const blocks, rows = 12, 7_000
	r := seeded(t, 9)
	size, killed := int64(0), 0
	for i := range uint64(blocks) {
		b := block(fmt.Sprint("kill|", i), i, i, metricRows(i, rows))
		for j := range b.Metrics {
			m := &b.Metrics[j]
			m.At = noon.AddDate(0, 0, j%7)
			m.ID = idAt(m.At, i<<32|uint64(j))
			m.Day = ingest.DayOf(m.ID)
		}
		if i > 0 { // the first block measures how many bytes a block has
			f.left.Store(r.Int64N(size + size/4))
		}
		before := f.sent.Load()
		for attempt := 0; ; attempt++ {
			err := w.Insert(t.Context(), b)
			if err == nil {
				break
			}
			if errors.Is(err, ingest.ErrRejected) || attempt == 1000 {
				t.Fatalf("block %d: %v", i, err)
			}
			waitReady(t, s)
		}
		if i == 0 {
			size = f.sent.Load() - before
		}
		f.left.Store(-1)
		waitReady(t, s)
		if n, err := countPatiently(t, w, i); err != nil || n != rows {
			t.Errorf("block %d: %d of %d rows are countable, %v", i, n, rows, err)
		}
	}
	killed = s.Status().Restarts
	var total, different, ids uint64
	var sum int64
	err = one(t.Context(), w.reader, "SELECT count(), uniqExact(_seq, _idx), uniqExact(id), sum(value) FROM metrics", nil, &total, &different, &ids, &sum)
	if err != nil || total != blocks*rows || different != total || ids != total || sum != int64(total)*1_500_000 {
		t.Errorf("%d rows, %d places, %d ids, sum %d, %v; want %d of each", total, different, ids, sum, err, blocks*rows)
	}
	t.Logf("%d kills, blocks of %d bytes", killed, size)
	if killed < blocks/2 {
		t.Errorf("only %d kills: the fuse does not work", killed)
	}
}

// countPatiently counts a block; the first tries may meet connections to the
// engine that was killed.
func countPatiently(t *testing.T, w *Warehouse, seq uint64) (n uint64, err error) {
	for range 10 {
		if n, err = w.Count(t.Context(), "facts-0", seq, seq); err == nil {
			return n, nil
		}
	}
	return n, err
}

func waitReady(t *testing.T, s *engine.Supervisor) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := s.Wait(ctx); err != nil {
		t.Fatal(err)
	}
}
