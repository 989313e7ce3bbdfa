package natslog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
	"github.com/sluice-hq/sluice/ingest"
)

// What the loaders ask of a stream and of their progress.
var (
	_ ingest.Stream = (*Stream)(nil)
	_ ingest.KV     = (*KV)(nil)
)

func publish(t testing.TB, s *Stream, id, data string) uint64 {
	t.Helper()
	seq, err := s.Publish(t.Context(), id, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func read(t testing.TB, s *Stream, after uint64, limit int) []event.Message {
	t.Helper()
	list, err := s.Read(t.Context(), after, limit)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestStream(t *testing.T) {
	s := open(t, t.TempDir()).Facts[0]
	if list := read(t, s, 0, 10); len(list) != 0 {
		t.Errorf("an empty stream holds %v", list)
	}
	var want []event.Message
	for i := range 1500 { // more than a page
		id, data := fmt.Sprint("id", i), fmt.Sprint("data", i)
		want = append(want, event.Message{Seq: publish(t, s, id, data), ID: id, Data: []byte(data)})
	}
	var got []event.Message
	for after := uint64(0); ; after = got[len(got)-1].Seq {
		page := read(t, s, after, 1<<20)
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("messages (-want +got):\n%s", d)
	}
	if d := cmp.Diff(want[7:10], read(t, s, 7, 3)); d != "" {
		t.Errorf("three messages behind 7 (-want +got):\n%s", d)
	}
	if last, err := s.Last(t.Context()); last != 1500 || err != nil {
		t.Errorf("Last = %d, %v", last, err)
	}
	if list := read(t, s, 1500, 5); len(list) != 0 {
		t.Errorf("behind the end are %v", list)
	}
}

func TestStreamKnowsARepeat(t *testing.T) {
	store, err := Open(t.Context(), Config{Dir: t.TempDir()}) // its memory of repeats is longer than any test
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.release)
	s := store.Dead
	publish(t, s, "a", "1")
	publish(t, s, "b", "2")
	if seq := publish(t, s, "a", "1"); seq != 1 {
		t.Errorf("a repeat has the sequence %d", seq)
	}
	if last, _ := s.Last(t.Context()); last != 2 {
		t.Errorf("there are %d messages", last)
	}
}

func TestStreamRefuses(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.Facts[0].Publish(t.Context(), "", []byte("x")); err == nil {
		t.Error("a message without an ID is stored")
	}
	if _, err := s.Facts[0].Publish(t.Context(), "big", make([]byte, 2<<20)); err == nil {
		t.Error("a message of 2 MiB is stored")
	}
	if _, err := s.Control.Publish(t.Context(), "x", []byte("x")); !errors.Is(err, event.ErrReadOnly) {
		t.Errorf("a message beside the log: %v", err)
	}
	if err := s.Control.Free(t.Context(), 1); err == nil {
		t.Error("the log can be purged")
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Facts[0].Publish(done, "late", []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
}

// TestControlIsReadAsAStream shows what the loader of control_events gets.
func TestControlIsReadAsAStream(t *testing.T) {
	s := open(t, t.TempDir())
	want := eventtest.Event("flag.a", 1)
	if _, err := s.Log.Append(t.Context(), want, 0); err != nil {
		t.Fatal(err)
	}
	list := read(t, s.Control, 0, 10)
	if len(list) != 1 || list[0].Seq != 1 || list[0].ID != want.ID.String() {
		t.Fatalf("the log's messages are %v", list)
	}
	r, err := decode(stored{seq: 1, subject: "flag.a", data: list[0].Data})
	if d := cmp.Diff(want, r.Event); d != "" || err != nil || r.Check() != nil {
		t.Errorf("the event is %v, %v:\n%s", r, err, d)
	}
}

func TestFree(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 9 {
		publish(t, s.Facts[0], fmt.Sprint(i), strings.Repeat("x", 1000))
	}
	if err := s.Facts[0].Free(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	checkSpan(t, s.Facts[0], 5, 9)
	if list := read(t, s.Facts[0], 4, 100); len(list) != 5 || list[0].Seq != 5 {
		t.Errorf("behind 4 are %d messages", len(list))
	}
	if _, err := s.Facts[0].Read(t.Context(), 2, 100); !errors.Is(err, event.ErrDamaged) || !strings.Contains(err.Error(), "pack 3") {
		t.Errorf("reading what was freed: %v", err)
	}
	// A stream that was freed, even of everything, goes on where it was.
	for _, upTo := range []uint64{6, 9} {
		if err := s.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
		if err := s.Facts[0].Free(t.Context(), upTo); err != nil {
			t.Fatal(err)
		}
		checkSpan(t, s.Facts[0], upTo+1, 9)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if seq := publish(t, s.Facts[0], "next", "x"); seq != 10 {
		t.Errorf("the next message has the sequence %d", seq)
	}
}

func checkSpan(t *testing.T, s *Stream, first, last uint64) {
	t.Helper()
	f, l, _, err := s.Span(t.Context())
	if f != first || l != last || err != nil {
		t.Errorf("the stream holds %d to %d (%v), want %d to %d", f, l, err, first, last)
	}
}

// TestFullStreamRefuses fills a shard: it says so, keeps what it has, and
// takes more when there is room.
func TestFullStreamRefuses(t *testing.T) {
	dir := t.TempDir()
	c := config(dir)
	c.FactsBytes = 64 << 10
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	facts, n := s.Facts[0], 0
	for ; err == nil && n < 100; n++ {
		_, err = facts.Publish(t.Context(), fmt.Sprint(n), bytes.Repeat([]byte("x"), 4<<10))
	}
	if !errors.Is(err, event.ErrFull) || !strings.Contains(err.Error(), "maximum bytes exceeded") {
		t.Fatalf("after %d messages: %v", n, err)
	}
	if bytes, most, err := facts.Fill(t.Context()); most != 64<<10 || bytes < 60<<10 || bytes > most || err != nil {
		t.Errorf("it takes %d bytes of %d, %v", bytes, most, err)
	}
	checkSpan(t, facts, 1, uint64(n)-1)
	if err := facts.Free(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	publish(t, facts, "again", "x")
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	c.FactsBytes = 128 << 10 // may grow
	if s, err = Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	s.release()
	c.FactsBytes = 32 << 10 // never shrinks
	if _, err = Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "max bytes is 131072, not 32768") {
		t.Errorf("a smaller shard: %v", err)
	}
}

// TestDamageWhileRunning spoils packs under a running server, which passes
// over them without a word: the read names the first.
func TestDamageWhileRunning(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 6 {
		publish(t, s.Facts[0], fmt.Sprint(i), strings.Repeat("x", 1000))
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []uint64{1, 3, 6} {
		spoiled := copyDir(t, dir)
		s = open(t, spoiled)
		path := blockFile(spoiled, factsStream+"0")
		b := readFile(t, path)
		b[int(damaged-1)*len(b)/6+500] ^= 1
		writeFile(t, path, b)
		got, err := s.Facts[0].Read(t.Context(), damaged-1, 10)
		named := errors.Is(err, event.ErrDamaged) && strings.Contains(err.Error(), fmt.Sprintf("pack %d of FACTS_0 is missing", damaged))
		// The server may still have what it wrote in memory; then it answers that.
		whole := err == nil && len(got) > 0 && got[0].Seq == damaged && string(got[0].Data) == strings.Repeat("x", 1000)
		if !named && !whole {
			t.Errorf("pack %d damaged: Read = %d messages, %v", damaged, len(got), err)
		}
		s.release()
	}
}

func TestKV(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	checkValue(t, s.KV, "loader.1.facts-0", "", 0)
	first := save(t, s.KV, "loader.1.facts-0", "a", 0)
	checkValue(t, s.KV, "loader.1.facts-0", "a", first)
	second := save(t, s.KV, "loader.1.facts-0", "b", first)
	save(t, s.KV, "loader.1.facts-1", "c", 0)
	for _, rev := range []uint64{0, first, second + 1, 1 << 40} {
		if _, err := s.KV.Save(t.Context(), "loader.1.facts-0", []byte("x"), rev); !errors.Is(err, event.ErrConflict) {
			t.Errorf("Save at %d = %v", rev, err)
		}
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	checkValue(t, s.KV, "loader.1.facts-0", "b", second)
	rev := second
	for i := range 20 { // more than the history that is kept
		rev = save(t, s.KV, "loader.1.facts-0", fmt.Sprint(i), rev)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	checkValue(t, s.KV, "loader.1.facts-0", "19", rev)
	checkValue(t, s.KV, "loader.1.facts-1", "c", second+1)
	for _, key := range []string{"", "a b", "*", ">", "a..b", "a/b"} {
		if _, _, err := s.KV.Load(t.Context(), key); err == nil {
			t.Errorf("the key %q is looked up", key)
		}
		if _, err := s.KV.Save(t.Context(), key, nil, 0); err == nil {
			t.Errorf("the key %q is saved", key)
		}
	}
}

func save(t *testing.T, kv *KV, key, value string, rev uint64) uint64 {
	t.Helper()
	next, err := kv.Save(t.Context(), key, []byte(value), rev)
	if err != nil || next <= rev {
		t.Fatalf("Save(%s, %s, %d) = %d, %v", key, value, rev, next, err)
	}
	return next
}

func checkValue(t *testing.T, kv *KV, key, want string, rev uint64) {
	t.Helper()
	value, at, err := kv.Load(t.Context(), key)
	if string(value) != want || at != rev || err != nil {
		t.Errorf("%s is %q at %d (%v), want %q at %d", key, value, at, err, want, rev)
	}
}

// TestBlobPartIsMended spoils one part of a document: it is refused, and mended
// when the document is stored again.
func TestBlobPartIsMended(t *testing.T) {
	s := open(t, t.TempDir())
	doc := bytes.Repeat([]byte("evidence"), 100_000)
	name, err := s.Blobs.Put(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Blobs.publish(t.Context(), message(partSubject(name, 1), "spoiled", []byte("x"))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Blobs.Load(t.Context(), name); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("Load of a spoiled document = %v", err)
	}
	if _, err := s.Blobs.Put(t.Context(), doc); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Blobs.Load(t.Context(), name); !bytes.Equal(got, doc) || err != nil {
		t.Errorf("Load of a mended document = %d bytes, %v", len(got), err)
	}
	if last, _ := s.Blobs.last(t.Context()); last != 4 {
		t.Errorf("two parts, a spoiled and a mended one are %d messages", last)
	}
}
