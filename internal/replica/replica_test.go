package replica_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
	"github.com/sluice-hq/sluice/internal/replica"
	"github.com/sluice-hq/sluice/internal/replica/replicatest"
)

func TestMemBoard(t *testing.T) {
	replicatest.Board(t, func(*testing.T) replica.Board { return &replica.MemBoard{} })
}

// says is a report with a state for each sequence.
func says(id, code string, states ...string) replica.Report {
	r := replica.Report{ID: id, Code: code}
	for i, s := range states {
		if s != "" {
			r.Marks = append(r.Marks, event.Mark{Seq: uint64(i + 1), State: event.Sum([]byte(s))})
		}
	}
	return r
}

func TestJudge(t *testing.T) {
	own := says("a", "v1", "x", "y", "z")
	for name, c := range map[string]struct {
		others []replica.Report
		want   replica.Verdict
		out    bool
	}{
		"nobody else":           {nil, replica.Verdict{Standing: replica.Alone}, false},
		"itself":                {[]replica.Report{says("a", "v1", "q")}, replica.Verdict{Standing: replica.Alone}, false},
		"another program":       {[]replica.Report{says("b", "v2", "q")}, replica.Verdict{Standing: replica.Alone}, false},
		"nothing in common":     {[]replica.Report{says("b", "v1", "", "", "", "w")}, replica.Verdict{Standing: replica.Alone}, false},
		"the same":              {[]replica.Report{says("b", "v1", "x", "y")}, replica.Verdict{Standing: replica.Agrees, Seq: 2, Same: []string{"b"}}, false},
		"two that differ":       {[]replica.Report{says("b", "v1", "", "", "q")}, replica.Verdict{Standing: replica.Tied, Seq: 3, Differ: []string{"b"}}, true},
		"it differed once":      {[]replica.Report{says("b", "v1", "", "q", "z")}, replica.Verdict{Standing: replica.Agrees, Seq: 3, Same: []string{"b"}}, false},
		"most are with it":      {[]replica.Report{says("b", "v1", "x"), says("c", "v1", "q")}, replica.Verdict{Standing: replica.Majority, Seq: 1, Same: []string{"b"}, Differ: []string{"c"}}, false},
		"most are against it":   {[]replica.Report{says("c", "v1", "q"), says("b", "v1", "q")}, replica.Verdict{Standing: replica.Minority, Seq: 1, Differ: []string{"b", "c"}}, true},
		"each in its own":       {[]replica.Report{says("b", "v1", "q"), says("c", "v1", "r")}, replica.Verdict{Standing: replica.Tied, Seq: 1, Differ: []string{"b", "c"}}, true},
		"two against two":       {[]replica.Report{says("b", "v1", "x"), says("c", "v1", "q"), says("d", "v1", "q")}, replica.Verdict{Standing: replica.Tied, Seq: 1, Same: []string{"b"}, Differ: []string{"c", "d"}}, true},
		"where most can be met": {[]replica.Report{says("b", "v1", "x", "", "z"), says("c", "v1", "x")}, replica.Verdict{Standing: replica.Agrees, Seq: 1, Same: []string{"b", "c"}}, false},
	} {
		got := replica.Judge(own, c.others)
		if d := cmp.Diff(c.want, got); d != "" || got.Out() != c.out {
			t.Errorf("%s: out %t (-want +got):\n%s", name, got.Out(), d)
		}
	}
}

// sums is a fold that adds up the sequences, and one too much when it is
// tampered with.
type sums struct {
	Sum      uint64
	tampered bool
}

func (s *sums) Apply(r event.Recorded) error {
	s.Sum += r.Seq
	if s.tampered {
		s.Sum++
	}
	return nil
}

func (s *sums) State() any { return s.Sum }

// member is a replica of an installation in memory.
type member struct {
	*replica.Watch
	words strings.Builder
}

// join adds a replica to a log and a board.
func join(id string, log event.Log, board replica.Board, tampered bool) *member {
	m := &member{}
	m.Watch = &replica.Watch{
		ID: id, Name: "host-" + id, Code: "v1", Log: log, Board: board, Projection: event.NewProjection(&sums{tampered: tampered}),
		Logger: slog.New(slog.NewTextHandler(&m.words, nil)), Streams: func() map[uint64]int { return map[uint64]int{7: 2} },
	}
	return m
}

func (m *member) step(t *testing.T, now time.Time) {
	t.Helper()
	if err := m.Step(t.Context(), now); err != nil {
		t.Fatal(err)
	}
}

func (m *member) catch(t *testing.T) {
	t.Helper()
	if err := m.Projection.Catch(t.Context(), m.Log); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, log event.Log, from, n int) {
	t.Helper()
	for i := range n {
		if _, err := log.Append(t.Context(), eventtest.Event("flag.a", from+i), event.Any); err != nil {
			t.Fatal(err)
		}
	}
}

var noon = eventtest.Noon

// TestWatch: replicas in the same state agree at the end of a quiet log; one
// with a tampered fold is found out, takes itself out when it stands against
// two, and says so once.
func TestWatch(t *testing.T) {
	log, board := event.NewMemLog(), &replica.MemBoard{}
	a, b, bad := join("a", log, board, false), join("b", log, board, false), join("c", log, board, true)
	write(t, log, 0, 3)
	all := []*member{a, b, bad}
	for i := range 4 {
		for _, m := range all[:2] {
			m.catch(t)
			m.step(t, noon.Add(time.Duration(i)*time.Second))
		}
	}
	id, v, reports := a.Seen()
	if id != "a" || v.Standing != replica.Agrees || v.Seq != 3 || len(reports) != 2 {
		t.Fatalf("two that are well: %s %+v %d reports", id, v, len(reports))
	}
	if r := reports[0]; r.Name != "host-a" || r.Seq != 3 || !r.Since.Equal(noon) || !r.At.After(noon) || r.Streams[7] != 2 || r.Out != "" {
		t.Errorf("it says of itself %+v", r)
	}
	for i := range 4 {
		for _, m := range all {
			m.catch(t)
			m.step(t, noon.Add(time.Duration(10+i)*time.Second))
		}
	}
	want := map[*member]replica.Standing{a: replica.Majority, b: replica.Majority, bad: replica.Minority}
	for m, standing := range want {
		if _, v, _ := m.Seen(); v.Standing != standing {
			t.Errorf("%s stands %+v, want %s", m.ID, v, standing)
		}
		if n := strings.Count(m.words.String(), "level=ERROR"); n != 1 {
			t.Errorf("%s says %d times that replicas differ: %s", m.ID, n, m.words.String())
		}
	}
	if err := bad.Ready()["replicas agree"]; err == nil || !strings.Contains(err.Error(), "2 others") {
		t.Errorf("the tampered one is ready: %v", err)
	}
	if err := a.Ready()["replicas agree"]; err != nil {
		t.Errorf("one that is right is not ready: %v", err)
	}
	if err := bad.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.step(t, noon.Add(time.Minute))
	if _, v, all := a.Seen(); v.Standing != replica.Agrees || len(all) != 2 || !strings.Contains(a.words.String(), "the same state again") {
		t.Errorf("when it has left: %+v, %d reports", v, len(all))
	}
}

// TestWatch_whileMuchIsWritten compares replicas that are never at the same
// place, by their checkpoints.
func TestWatch_whileMuchIsWritten(t *testing.T) {
	log, board := event.NewMemLog(), &replica.MemBoard{}
	a, bad := join("a", log, board, false), join("b", log, board, true)
	for i := range 9 {
		for j, m := range []*member{a, bad} {
			write(t, log, 200*i+100*j, 100)
			m.catch(t)
			m.step(t, noon.Add(time.Duration(i)*time.Second))
		}
	}
	for _, m := range []*member{a, bad} {
		if _, v, _ := m.Seen(); v.Standing != replica.Tied || v.Seq%event.CheckEvery != 0 {
			t.Errorf("%s stands %+v", m.ID, v)
		}
		if err := m.Ready()["replicas agree"]; err == nil || !strings.Contains(err.Error(), "nobody can tell") {
			t.Errorf("%s is ready: %v", m.ID, err)
		}
	}
}

// TestWatch_lags: a replica that does not get on is out, and in again when it
// does. It may be behind for a moment.
func TestWatch_lags(t *testing.T) {
	log := event.NewMemLog()
	m := join("a", log, &replica.MemBoard{}, false)
	write(t, log, 0, 2)
	for _, c := range []struct {
		after time.Duration
		out   bool
	}{{0, false}, {9 * time.Second, false}, {11 * time.Second, true}} {
		m.step(t, noon.Add(c.after))
		if err := m.Ready()["up to date"]; (err != nil) != c.out {
			t.Errorf("after %v: %v", c.after, err)
		}
	}
	m.step(t, noon.Add(12*time.Second))
	if out := m.Own().Out; !strings.Contains(out, "event 2 has been in the log for 11s, and this replica is at event 0") {
		t.Errorf("it says of itself %q", out)
	}
	m.catch(t)
	m.step(t, noon.Add(13*time.Second))
	if err := m.Ready()["up to date"]; err != nil {
		t.Errorf("caught up: %v", err)
	}
}

// silent is a log and a board that cannot be reached.
type silent struct {
	event.Log
	replica.Board
}

var errSilent = errors.New("nobody answers")

func (*silent) Last(context.Context) (uint64, error)           { return 0, errSilent }
func (*silent) All(context.Context) (map[string][]byte, error) { return nil, errSilent }
func (*silent) Put(context.Context, string, []byte) error      { return errSilent }

// TestWatch_alone: a log and a board that are gone say nothing against a
// replica; what was known stays.
func TestWatch_alone(t *testing.T) {
	m := join("a", &silent{}, &silent{}, false)
	for i := range 3 {
		if err := m.Step(t.Context(), noon.Add(time.Duration(i)*time.Minute)); !errors.Is(err, errSilent) {
			t.Errorf("Step = %v", err)
		}
	}
	for name, err := range m.Ready() {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// unhashed is a fold whose state cannot be hashed.
type unhashed struct{ sums }

func (unhashed) State() any { return func() {} }

func TestWatch_refusesWhatCannotBeHashed(t *testing.T) {
	m := join("a", event.NewMemLog(), &replica.MemBoard{}, false)
	m.Projection = event.NewProjection(&unhashed{})
	m.step(t, noon)
	if err := m.Step(t.Context(), noon); err == nil {
		t.Error("a state without a hash is reported")
	}
}

// TestReport is what other versions read.
func TestReport(t *testing.T) {
	r := says("a", "v1", "x")
	r.Name, r.Started, r.At, r.Since, r.Seq, r.Streams, r.Out = "host", noon, noon, noon, 1, map[uint64]int{1: 3}, "it lags"
	b, err := json.Marshal(r)
	want := fmt.Sprintf(`{"id":"a","name":"host","code":"v1","started":"2026-11-21T12:00:00Z","at":"2026-11-21T12:00:00Z","seq":1,`+
		`"since":"2026-11-21T12:00:00Z","marks":[{"seq":1,"head":"","state":%q}],"streams":{"1":3},"out":"it lags"}`, r.Marks[0].State)
	if err != nil || string(b) != want {
		t.Errorf("%s, %v\nwant %s", b, err, want)
	}
}
