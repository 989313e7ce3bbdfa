package natslog

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/replica"
	"github.com/sluice-hq/sluice/internal/replica/replicatest"
)

// alone is a store whose facts are opened later.
func alone(t *testing.T, dir string) *Store {
	t.Helper()
	c := config(dir)
	c.FactsLater = true
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.release)
	return s
}

// TestFactsLater: the log takes events before anybody asks for the facts.
func TestFactsLater(t *testing.T) {
	s := alone(t, t.TempDir())
	if add(t, s, "flag.a", 1); s.Facts != nil || s.KV != nil {
		t.Error("the facts are open")
	}
	for range 2 {
		if err := s.OpenFacts(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if publish(t, s.Facts[0], "a", "x"); len(s.Facts) != 1 {
		t.Errorf("%d shards", len(s.Facts))
	}
	if m := s.Log.Mark(); m.Seq != 1 || m.Head == (event.Hash{}) {
		t.Errorf("the log is at %+v", m)
	}
}

// TestDamagedFactsAreSpared: the log is served beside facts that are damaged,
// and every byte of these is where it was when the server has ended, killed or
// not; a server that may not serve without them refuses as ever.
func TestDamagedFactsAreSpared(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	publish(t, s.Facts[0], "a", "a pack of facts")
	publish(t, s.Facts[0], "b", "another pack of facts")
	add(t, s, "flag.a", 1)
	shut(t, s)
	block := blockFile(dir, factsStream+"0")
	bad := readFile(t, block)
	bad[len(bad)/4] ^= 1
	writeFile(t, block, bad)
	for i := range 3 {
		s := alone(t, dir)
		if add(t, s, "flag.a", 2+i); i == 1 { // as a process that is killed leaves it
			c := copyDir(t, dir)
			remove(t, filepath.Join(c, "lock"))
			if _, err := Verify(c); !errors.Is(err, event.ErrDamaged) || !strings.Contains(err.Error(), "FACTS_0") {
				t.Errorf("Verify of what a killed process left: %v", err)
			}
		}
		if err := s.OpenFacts(t.Context()); !errors.Is(err, event.ErrDamaged) || !strings.Contains(err.Error(), "the first pack of FACTS_0 is missing") {
			t.Errorf("OpenFacts = %v", err)
		}
		if err := s.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := string(readFile(t, block)); got != string(bad) {
			t.Error("the damaged file has changed")
		}
	}
	if n := sealed(t, dir); n.Streams[factsStream+"0"] != 2 {
		t.Errorf("it is noted that the facts end at %d", n.Streams[factsStream+"0"])
	}
	if _, err := Open(t.Context(), config(dir)); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("Open = %v", err)
	}
	if err := os.MkdirAll(filepath.Join(asideDir(dir), factsStream+"0"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), config(dir)); err == nil || !strings.Contains(err.Error(), "if both are there, remove one") {
		t.Errorf("with the facts in two places: %v", err)
	}
}

func TestBoard(t *testing.T) {
	replicatest.Board(t, func(t *testing.T) replica.Board { return open(t, t.TempDir()).Board(time.Minute) })
}

// TestBoardForgets: what is not said again goes, also from a bucket that the
// server has forgotten.
func TestBoardForgets(t *testing.T) {
	s := open(t, t.TempDir())
	b := s.Board(time.Second)
	if err := b.Put(t.Context(), "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	for {
		all, err := b.All(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 {
			break
		}
	}
	if err := s.js.DeleteKeyValue(t.Context(), boardBucket); err != nil {
		t.Fatal(err)
	}
	short, end := context.WithTimeout(t.Context(), time.Second)
	defer end()
	if err := b.Put(short, "a", []byte("2")); err == nil {
		t.Error("a bucket that is gone takes a value")
	}
	if err := b.Put(t.Context(), "a", []byte("3")); err != nil {
		t.Errorf("made again: %v", err)
	}
}
