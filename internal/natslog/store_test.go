package natslog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

func add(t testing.TB, s *Store, subject string, n int) uint64 {
	t.Helper()
	seq, err := s.Log.Append(t.Context(), eventtest.Event(subject, n), event.Any)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func shut(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestReopen writes in three lives of a store: one log.
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	for life := range 3 {
		s := open(t, dir)
		for i := range 4 {
			if seq := add(t, s, "flag.a", 4*life+i); seq != uint64(4*life+i+1) {
				t.Errorf("life %d: event %d has the sequence %d", life, i, seq)
			}
		}
		if seq := add(t, s, "flag.a", 0); seq != 1 {
			t.Errorf("life %d: the first event again has the sequence %d", life, seq)
		}
		if s.Log.Why() != "" {
			t.Errorf("life %d: read-only: %s", life, s.Log.Why())
		}
		shut(t, s)
	}
	r, err := Verify(dir)
	if err != nil || r.Log.Seq != 12 || r.Noted.Head != r.Log.Head {
		t.Errorf("Verify = %+v, %v", r, err)
	}
}

// TestRepeatBeyondTheWindow repeats an event when JetStream has forgotten its
// ID: that it has is shown by a pack of facts that is stored twice.
func TestRepeatBeyondTheWindow(t *testing.T) {
	s := open(t, t.TempDir())
	add(t, s, "flag.a", 1)
	add(t, s, "flag.a", 2)
	for first := publish(t, s.Facts[0], "pack", "x"); publish(t, s.Facts[0], "pack", "x") == first; {
		if err := rest(t.Context(), 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []event.Expect{0, event.Any, 2} {
		if seq, err := s.Log.Append(t.Context(), eventtest.Event("flag.a", 1), want); seq != 1 || err != nil {
			t.Errorf("a repeat expecting %d = %d, %v", want, seq, err)
		}
	}
	if last, _ := s.Log.Last(t.Context()); last != 2 {
		t.Errorf("the log has %d events", last)
	}
}

// TestServerAnswersDecide gives the server what the index cannot know yet, as
// when another process writes: its refusals become the right answers.
func TestServerAnswersDecide(t *testing.T) {
	s := open(t, t.TempDir())
	add(t, s, "flag.a", 1)
	beside := newLog(s.wire(controlStream, controlName), event.Mark{}) // another process's log, and its index
	if err := beside.open(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	defer beside.close()
	// The same event, written by the other while this index stands still.
	s.Log.stop()
	<-s.Log.stopped
	if _, err := beside.Append(t.Context(), eventtest.Event("flag.a", 2), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Log.attempt(t.Context(), canonical(t, eventtest.Event("flag.a", 3)), 1); !errors.Is(err, event.ErrConflict) {
		t.Errorf("a stale index: %v", err)
	}
	run, stop := context.WithCancel(context.Background())
	s.Log.stop, s.Log.stopped = stop, make(chan struct{})
	go s.Log.tail(run)
	if seq, err := s.Log.Append(t.Context(), eventtest.Event("flag.a", 2), 1); seq != 2 || err != nil {
		t.Errorf("the other's event = %d, %v; want 2", seq, err)
	}
	if _, err := s.Log.Append(t.Context(), eventtest.Event("flag.a", 3), 1); !errors.Is(err, event.ErrConflict) {
		t.Errorf("another event: %v", err)
	}
	if seq, err := s.Log.Append(t.Context(), eventtest.Event("flag.a", 3), event.Any); seq != 3 || err != nil {
		t.Errorf("wherever it goes = %d, %v; want 3", seq, err)
	}
	if err := waitFor(t, beside, 3); err != nil { // woken by the server
		t.Error(err)
	}
}

func canonical(t *testing.T, e event.Event) event.Event {
	t.Helper()
	e, err := event.Canonical(e)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func waitFor(t *testing.T, l *Log, seq uint64) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for r, err := range l.Follow(ctx, event.Filter{}, seq-1) {
		if err != nil || r.Seq >= seq {
			return err
		}
	}
	return ctx.Err()
}

func TestUnknownKindIsRefused(t *testing.T) {
	s := open(t, t.TempDir())
	for _, subject := range []string{"thing.a", "flag", "flags.a", "seal.a", "KV.a"} {
		if _, err := s.Log.Append(t.Context(), eventtest.Event(subject, 1), 0); !errors.As(err, new(event.Invalid)) {
			t.Errorf("%s: %v", subject, err)
		}
	}
	for _, kind := range kinds {
		add(t, s, kind+".a.b", 1)
	}
	add(t, s, event.SealSubject, 1)
}

// TestLogOfAnOlderVersion: a log that was made when there were fewer kinds of
// subjects learns the new ones, and keeps what it has.
func TestLogOfAnOlderVersion(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	add(t, s, "flag.a", 1)
	st, err := s.js.Stream(t.Context(), controlStream)
	if err != nil {
		t.Fatal(err)
	}
	old := st.CachedInfo().Config
	old.Subjects = slices.DeleteFunc(old.Subjects, func(s string) bool { return s == "references.>" })
	if _, err := s.js.UpdateStream(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	shut(t, s)
	s = open(t, dir)
	if seq := add(t, s, "references.a", 1); seq != 2 {
		t.Errorf("the event of the new kind has the sequence %d", seq)
	}
	shut(t, s)
}

func TestSettingsAreAsserted(t *testing.T) {
	for name, c := range map[string]struct {
		stream string
		change func(*jetstream.StreamConfig)
		want   string
	}{
		"age":        {factsStream + "0", func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }, "stream FACTS_0: its settings are not those that Sluice relies on: max age is 1h0m0s, not 0s"},
		"discard":    {controlStream, func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld }, "discard is DiscardOld, not DiscardNew"},
		"subjects":   {controlStream, func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, "other.>") }, "subjects is [environment.> flag.> incident.> letters.> metric.> other.> policy.>"},
		"history":    {bucketStream, func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 }, "max messages per subject is 1, not 5"},
		"duplicates": {blobsStream, func(c *jetstream.StreamConfig) { c.Duplicates = time.Second }, "duplicate window is 1s, not 100ms"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			st, err := s.js.Stream(t.Context(), c.stream)
			if err != nil {
				t.Fatal(err)
			}
			have := st.CachedInfo().Config
			c.change(&have)
			if _, err := s.js.UpdateStream(t.Context(), have); err != nil {
				t.Fatal(err)
			}
			shut(t, s)
			if _, err := Open(t.Context(), config(dir)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v; want %q", err, c.want)
			}
		})
	}
}

func TestShardsAreFixed(t *testing.T) {
	dir := t.TempDir()
	c := config(dir)
	c.Shards = 3
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, s.Facts[2], "a", "x")
	if last, _ := s.Facts[1].Last(t.Context()); len(s.Facts) != 3 || last != 0 {
		t.Errorf("%d shards; the second holds %d messages", len(s.Facts), last)
	}
	shut(t, s)
	c.Shards = 2
	if _, err := Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "there are 3 shards of facts, not 2") {
		t.Errorf("Open with two shards = %v", err)
	}
}

func TestOneProcessPerDirectory(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	want := fmt.Sprintf("in use by process %d", os.Getpid())
	if _, err := Open(t.Context(), config(dir)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Open of an open directory = %v; want %q", err, want)
	}
	if _, err := Verify(dir); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Verify of an open directory = %v", err)
	}
	shut(t, s)
	shut(t, open(t, dir))
}

func TestOpenNeedsAPlace(t *testing.T) {
	if _, err := Open(t.Context(), Config{}); err == nil {
		t.Error("a store without a place is open")
	}
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, nil)
	if _, err := Open(t.Context(), config(file)); err == nil {
		t.Error("a store in a file is open")
	}
	small := config(t.TempDir())
	small.MaxStore, small.FactsBytes = 1<<20, 2<<20 // less than a shard of facts is to have
	if _, err := Open(t.Context(), small); err == nil || !strings.Contains(err.Error(), "FACTS_0") {
		t.Errorf("a store without room = %v", err)
	}
}

func TestSealer(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	p := event.NewProjection()
	seal := func(now time.Time, want bool) {
		t.Helper()
		if err := p.Catch(t.Context(), s.Log); err != nil {
			t.Fatal(err)
		}
		if made, err := s.Sealer.Seal(t.Context(), p, now); made != want || err != nil {
			t.Errorf("Seal at %d = %t, %v", p.Seq(), made, err)
		}
	}
	for i := range event.SealEvery - 1 {
		add(t, s, "flag.a", i)
	}
	seal(eventtest.Noon, false)
	add(t, s, "flag.b", 1)
	seal(eventtest.Noon, true)
	seal(eventtest.Noon.Add(2*time.Hour), false) // nothing but the seal since
	noted := sealed(t, dir)
	if noted.Seq != event.SealEvery || noted.Streams[controlStream] != event.SealEvery {
		t.Errorf("seal.json says %+v", noted)
	}
	add(t, s, "flag.b", 2)
	seal(eventtest.Noon.Add(59*time.Minute), false)
	seal(eventtest.Noon.Add(time.Hour), true)
	shut(t, s)
	r, err := Verify(dir)
	if err != nil || r.Seals.Last.Seq != event.SealEvery+2 || r.Log.Seq != event.SealEvery+3 || r.Noted.Seq != r.Log.Seq {
		t.Errorf("Verify = %+v, %v", r, err)
	}
}

func sealed(t *testing.T, dir string) (n note) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, filepath.Join(dir, sealFile)), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestTwoSealers lets two processes seal the same place: there is one seal.
func TestTwoSealers(t *testing.T) {
	s := open(t, t.TempDir())
	for i := range event.SealEvery {
		add(t, s, "flag.a", i)
	}
	p := event.NewProjection()
	if err := p.Catch(t.Context(), s.Log); err != nil {
		t.Fatal(err)
	}
	results := make(chan error, 4)
	for i := range cap(results) {
		go func() {
			_, err := s.Sealer.Seal(context.Background(), p, eventtest.Noon.Add(time.Duration(i)*time.Second))
			results <- err
		}()
	}
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if last, _ := s.Log.Last(t.Context()); last != event.SealEvery+1 {
		t.Errorf("the log has %d events", last)
	}
}

// TestTamperedSeal opens a log whose seal names another history.
func TestTamperedSeal(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	add(t, s, "flag.a", 1)
	if _, err := s.Log.Append(t.Context(), event.Sealed(event.Mark{Seq: 1, Head: event.Sum(nil)}, eventtest.Noon), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Log.catchUp(t.Context(), s.Log.reach); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("catching up with a damaged log = %v", err)
	}
	if _, _, err := s.Log.index.state(); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("the index goes on: %v", err)
	}
	if _, err := s.Log.Append(t.Context(), eventtest.Event("flag.a", 2), 1); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("Append to a damaged log = %v", err)
	}
	s.release()
	if _, err := Open(t.Context(), config(dir)); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("Open = %v", err)
	}
}

func TestFollowEndsWhenTheStoreIsClosed(t *testing.T) {
	s := open(t, t.TempDir())
	add(t, s, "flag.a", 1)
	ended := make(chan error, 1)
	ready := make(chan struct{})
	go func() {
		for r, err := range s.Log.Follow(context.Background(), event.Filter{}, 0) {
			if r.Seq == 1 {
				close(ready)
			}
			if err != nil {
				ended <- err
			}
		}
	}()
	<-ready
	shut(t, s)
	if err := <-ended; !strings.Contains(err.Error(), "closed") {
		t.Errorf("Follow ends with %v", err)
	}
	if _, err := s.Log.Append(t.Context(), eventtest.Event("flag.a", 2), 1); err == nil {
		t.Error("an event is appended to a closed log")
	}
}

// TestVoice passes the server's words on, at the level they deserve.
func TestVoice(t *testing.T) {
	var b strings.Builder
	v := &voice{lg: slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))}
	v.Noticef("n %d", 1)
	v.Debugf("d")
	v.Tracef("t")
	v.Warnf("w %d", 2)
	v.Errorf("e %d", 3)
	if v.reason() != nil {
		t.Error("there is a reason to give up")
	}
	v.Fatalf("f %d", 4)
	want := "level=WARN msg=\"nats: w 2\"\nlevel=ERROR msg=\"nats: e 3\"\nlevel=ERROR msg=\"nats: f 4\"\n"
	if b.String() != want || v.reason().Error() != "f 4" {
		t.Errorf("said %q, reason %v", b.String(), v.reason())
	}
}

// TestSmallDisk starts where a shard of facts cannot have its usual room, and
// again when there is less and when there is more.
func TestSmallDisk(t *testing.T) {
	dir := t.TempDir()
	for i, room := range []int64{64 << 20, 32 << 20, 256 << 20} {
		s, err := Open(t.Context(), Config{Dir: dir, MaxStore: room})
		if err != nil {
			t.Fatalf("with room for %d bytes: %v", room, err)
		}
		if seq := publish(t, s.Facts[0], fmt.Sprint(i), "x"); seq != uint64(i)+1 {
			t.Errorf("sequence %d, want %d", seq, i+1)
		}
		if err := s.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}
