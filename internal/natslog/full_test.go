package natslog

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/sluice-hq/sluice/event"
)

// smallDisk mounts a disk of a few MiB, and skips where that is not allowed.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a disk of its own takes the right to mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill takes all the room that a disk has left, and returns what gives it back.
func fill(t *testing.T, dir string) (back func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReopen_afterAFullDisk: a stream on a disk that others have filled falls
// silent for good, while what was acknowledged is there; started again once
// there is room, it takes messages, and has lost and doubled none.
func TestReopen_afterAFullDisk(t *testing.T) {
	dir := smallDisk(t, "96m")
	c := config(dir)
	c.MaxStore, c.FactsBytes, c.answers, c.duplicates = 80<<20, 40<<20, 300*time.Millisecond, 0
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.release)
	add(t, s, "flag.a", 0)
	facts, want := s.Facts[0], []event.Message{}
	try := func(write func(context.Context, *nats.Msg) (uint64, error), id string) error {
		seq, err := write(t.Context(), message(facts.subject, id, bytes.Repeat([]byte(id), 4096)))
		if err == nil {
			want = append(want, event.Message{Seq: seq, ID: id, Data: bytes.Repeat([]byte(id), 4096)})
		}
		return err
	}
	take := func(id string) { // however long the answer takes
		if err := try(facts.publish, id); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		take(fmt.Sprint("before-", i))
	}
	back := fill(t, dir)
	for i := 0; err == nil && i < 100; i++ {
		err = try(facts.try, fmt.Sprint("full-", i))
	}
	lost := fmt.Sprint("full-", len(want)-5)
	if err == nil {
		t.Fatal("a full disk takes messages")
	}
	back()
	for range silence {
		if try(facts.try, lost) == nil {
			t.Skip("this server gets over a full disk by itself")
		}
	}
	if diff := cmp.Diff([]string{factsStream + "0"}, s.Stuck()); diff != "" {
		t.Fatalf("stuck (-want +got):\n%s", diff)
	}
	if err := s.Reopen(t.Context()); err != nil {
		t.Fatal(err)
	}
	take(lost)
	take("after")
	if diff := cmp.Diff(want, read(t, facts, 0, 100)); diff != "" || s.Stuck() != nil {
		t.Errorf("messages (-want +got):\n%s\nstuck: %v", diff, s.Stuck())
	}
	add(t, s, "flag.a", 1)
}

// TestReopen_whileInUse: what is under way when the server is started again is
// there once, and so is what comes after.
func TestReopen_whileInUse(t *testing.T) {
	c := config(t.TempDir())
	c.answers, c.duplicates = 300*time.Millisecond, 0
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.release)
	const writers, each = 4, 50
	var done sync.WaitGroup
	for w := range writers {
		done.Go(func() {
			for i := range each {
				if _, err := s.Facts[0].Publish(t.Context(), fmt.Sprint(w, ".", i), []byte("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if err := s.Reopen(t.Context()); err != nil {
		t.Fatal(err)
	}
	done.Wait()
	seen := map[string]int{}
	for _, m := range read(t, s.Facts[0], 0, writers*each+10) {
		seen[m.ID]++
	}
	if len(seen) != writers*each || len(seen) != len(read(t, s.Facts[0], 0, writers*each+10)) {
		t.Errorf("%d different messages of %d: %v", len(seen), writers*each, seen)
	}
	add(t, s, "flag.a", 0)
	if n, err := s.Log.Last(t.Context()); n != 1 || err != nil {
		t.Errorf("the log ends at %d, %v", n, err)
	}
}

func TestReopen_ofServersElsewhere(t *testing.T) {
	c := serve(t, "always")
	c.SystemURL, c.TrustSync = "", true
	if s := reach(t, c); s.Reopen(t.Context()) == nil || s.Stuck() != nil {
		t.Error("it starts servers that are not its own")
	}
}
