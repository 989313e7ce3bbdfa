package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/server"
)

// aDefinition is a flag that is on in production.
func aDefinition(key, owner string) flags.Flag {
	return flags.Flag{
		Key: key, Purpose: flags.KillSwitch, Owner: owner, Type: flags.Boolean, Default: "on", Safe: "off", Unit: "user",
		Variants:     flags.Variants{"on": json.RawMessage("true"), "off": json.RawMessage("false")},
		Environments: map[string]flags.Environment{"production": {Enabled: true}},
	}
}

// changed appends n changes of a flag to a log.
func changed(t *testing.T, log event.Log, p *event.Projection, s *flags.State, n int) {
	t.Helper()
	for i := range n {
		f := aDefinition("checkout", fmt.Sprint("team-", p.Seq(), "-", i))
		e, expect, err := s.Handle(flags.Command{
			ID: event.New(), Key: f.Key, Expect: event.Any, At: now(), Actor: "person:ana", Changes: []flags.Change{{Op: flags.Define, Flag: &f}},
		})
		if err == nil {
			_, err = log.Append(t.Context(), e, expect)
		}
		if err == nil {
			err = p.Catch(t.Context(), log)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// kept is a folder of snapshots, and what was logged of it.
func kept(dir, code string) (*snapshots, *bytes.Buffer) {
	var said bytes.Buffer
	return &snapshots{dir: dir, code: code, lg: slog.New(slog.NewTextHandler(&said, nil))}, &said
}

func markOf(t *testing.T, p *event.Projection) event.Mark {
	t.Helper()
	m, err := p.Mark()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSnapshots writes them when they are due, keeps two, and starts from the
// newest.
func TestSnapshots(t *testing.T) {
	log, folds := event.NewMemLog(), server.NewFolds()
	p := event.NewProjection(folds.All()...)
	s, said := kept(t.TempDir(), "v1")
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		events int
		after  time.Duration
		last   bool
		want   []uint64
	}{
		{0, 0, true, nil},
		{3, time.Minute, false, nil},
		{0, 10 * time.Minute, false, []uint64{3}},
		{0, 11 * time.Minute, true, []uint64{3}},
		{snapshotEvery - 1, 12 * time.Minute, false, []uint64{3}},
		{1, 13 * time.Minute, false, []uint64{503, 3}},
		{1, 14 * time.Minute, true, []uint64{504, 503}},
	} {
		changed(t, log, p, folds.Flags, c.events)
		if err := s.step(p, at.Add(c.after), c.last); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, seq := range c.want {
			want = append(want, filepath.Join(s.dir, fmt.Sprintf("%020d.snap", seq)))
		}
		if d := cmp.Diff(want, s.list()); d != "" {
			t.Fatalf("after %d more events and %v (-want +got):\n%s", c.events, c.after, d)
		}
	}
	changed(t, log, p, folds.Flags, 5)
	again, _ := kept(s.dir, "v1")
	_, restored, err := again.fold(t.Context(), log, markOf(t, p))
	if err != nil || again.seq != 504 {
		t.Fatalf("it started from event %d: %v", again.seq, err)
	}
	if d := cmp.Diff(markOf(t, p), markOf(t, restored)); d != "" {
		t.Errorf("snapshot and tail (-folded +restored):\n%s", d)
	}
	if said.Len() > 0 {
		t.Errorf("it said %s", said)
	}
	unknown, _ := kept(s.dir, "")
	if err := unknown.step(p, at.Add(48*time.Hour), true); err != nil || unknown.seq != 0 {
		t.Errorf("a program that does not know itself wrote one: %v", err)
	}
}

// TestSnapshots_spoiled: with whatever is wrong, the start folds every event,
// says why, and the snapshot is gone; an older one that is good is used.
func TestSnapshots_spoiled(t *testing.T) {
	log, folds := event.NewMemLog(), server.NewFolds()
	p := event.NewProjection(folds.All()...)
	changed(t, log, p, folds.Flags, 4)
	first, _ := kept(t.TempDir(), "v1")
	if err := first.step(p, now(), true); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(first.list()[0])
	if err != nil {
		t.Fatal(err)
	}
	changed(t, log, p, folds.Flags, 3)
	other, others := event.NewMemLog(), server.NewFolds()
	changed(t, other, event.NewProjection(others.All()...), others.Flags, 7)
	for name, c := range map[string]struct {
		content []byte
		code    string
		log     event.Log
		want    string
	}{
		"truncated":       {good[:len(good)/2], "v1", log, "not what was written"},
		"empty":           {nil, "v1", log, "not a snapshot"},
		"flipped":         {append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1), "v1", log, "not what was written"},
		"another program": {good, "v2", log, "another version of the program"},
		"newer format":    {bytes.Replace(good, []byte("snapshot 1"), []byte("snapshot 9"), 1), "v1", log, "not a snapshot of this format"},
		"another log":     {good, "v1", other, "not the one that the snapshot ends with"},
	} {
		s, said := kept(t.TempDir(), c.code)
		path := filepath.Join(s.dir, "00000000000000000004.snap")
		if err := os.WriteFile(path, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		whole := event.NewProjection(server.NewFolds().All()...)
		if err := whole.Catch(t.Context(), c.log); err != nil {
			t.Fatal(err)
		}
		_, got, err := s.fold(t.Context(), c.log, markOf(t, whole))
		if err != nil || markOf(t, got) != markOf(t, whole) {
			t.Errorf("%s: %v, or another state", name, err)
		}
		if !strings.Contains(said.String(), c.want) || len(s.list()) > 0 || s.seq != 0 {
			t.Errorf("%s: it says %q, want %q; left are %v", name, said, c.want, s.list())
		}
	}
	s, _ := kept(t.TempDir(), "v1")
	for name, content := range map[string][]byte{"00000000000000000004.snap": good, "00000000000000000006.snap": good[:9], "00000000000000000004.snap.123": nil} {
		if err := os.WriteFile(filepath.Join(s.dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, got, err := s.fold(t.Context(), log, markOf(t, p)); err != nil || s.seq != 4 || markOf(t, got) != markOf(t, p) {
		t.Errorf("from the older one: started at %d, %v", s.seq, err)
	}
	wrong := markOf(t, p)
	wrong.Head[0] ^= 1
	if _, _, err := s.fold(t.Context(), log, wrong); err != nil || len(s.list()) > 0 {
		t.Errorf("a snapshot that leads to another head than the log's is kept: %v", err)
	}
}

func TestProgramCode(t *testing.T) {
	code, err := programCode()
	again, _ := programCode()
	if err != nil || len(code) != 32 || code != again {
		t.Errorf("%q, %q, %v", code, again, err)
	}
}
