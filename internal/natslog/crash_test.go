package natslog

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// crashDir tells the child of TestKill where to write.
const crashDir = "SLUICE_TEST_CRASH_DIR"

// acked is what the child was told is on disk.
type acked struct {
	Event, Seq, Pack uint64 // number and sequence of an event, sequence of a pack
}

// TestKill kills a writing process again and again, and each time finds every
// event and pack that was acknowledged, once, where it was said to be.
func TestKill(t *testing.T) {
	const rounds, seed = 6, 20261121
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	var known []acked
	for range rounds {
		known = append(known, kill(t, dir, 20+random.IntN(120))...)
		checkKnown(t, dir, known)
	}
	if len(known) < rounds*20 {
		t.Errorf("only %d writes were acknowledged", len(known))
	}
}

// kill runs a child until it has reported n writes, kills it and returns all
// that it reported.
func kill(t *testing.T, dir string, n int) []acked {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	cmd.Env, cmd.Stderr = append(os.Environ(), crashDir+"="+dir), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var list []acked
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var a acked
		if _, err := fmt.Sscanf(lines.Text(), "acked %d %d %d", &a.Event, &a.Seq, &a.Pack); err != nil {
			t.Fatalf("the child says %q", lines.Text())
		}
		if list = append(list, a); len(list) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child was not killed")
	}
	return list
}

// checkKnown opens what the kill left and looks every write up. It leaves as
// abruptly as it can, so that every round starts from a crash.
func checkKnown(t *testing.T, dir string, known []acked) {
	t.Helper()
	if _, err := Verify(dir); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	defer s.release()
	for _, a := range known {
		seq, err := s.Log.Append(t.Context(), eventtest.Event("flag.a", int(a.Event)), 0)
		if seq != a.Seq || err != nil {
			t.Fatalf("event %d was acknowledged at %d and is at %d (%v)", a.Event, a.Seq, seq, err)
		}
		list, err := s.Facts[0].Read(t.Context(), a.Pack-1, 1)
		if err != nil || list[0].ID != fmt.Sprint(a.Event) {
			t.Fatalf("pack %d is %v, %v", a.Pack, list, err)
		}
	}
	a := event.NewProjection()
	if err := a.Catch(t.Context(), s.Log); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d writes known, %d events in the log, %q", len(known), a.Seq(), s.Log.Why())
}

// TestKilledChild is the process that TestKill kills: it goes on from the
// events that are there.
func TestKilledChild(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("a part of TestKill")
	}
	ctx := context.Background()
	s, err := Open(ctx, config(dir))
	if err != nil {
		t.Fatal(err)
	}
	p := event.NewProjection()
	for {
		if err := p.Catch(ctx, s.Log); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sealer.Seal(ctx, p, eventtest.Noon); err != nil {
			t.Fatal(err)
		}
		n := p.Seq()
		seq, err := s.Log.Append(ctx, eventtest.Event("flag.a", int(n)), event.Any)
		if err != nil {
			t.Fatal(err)
		}
		pack, err := s.Facts[0].Publish(ctx, fmt.Sprint(n), make([]byte, 20_000))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("acked %d %d %d\n", n, seq, pack)
	}
}
