package ingesttest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// Stream checks a version of ingest.Stream. fresh returns an empty stream.
func Stream(t *testing.T, fresh func(*testing.T) ingest.Stream) {
	for _, c := range []struct {
		name string
		test func(*testing.T, ingest.Stream)
	}{
		{"empty", streamEmpty}, {"order", streamOrder}, {"repeat", streamRepeat}, {"bytes", streamBytes},
	} {
		t.Run("Stream_"+c.name, func(t *testing.T) { c.test(t, fresh(t)) })
	}
}

// Keeper runs the suite of a stream that gives up its oldest messages.
func Keeper(t *testing.T, fresh func(*testing.T) ingest.Keeper) {
	t.Run("Free", func(t *testing.T) { keeperFree(t, fresh(t)) })
	t.Run("Fill", func(t *testing.T) { keeperFill(t, fresh(t)) })
}

// keeperFree frees the start: what is left is read as before, what is gone is
// no end of the stream, and the sequences go on.
func keeperFree(t *testing.T, s ingest.Keeper) {
	publish(t, s, 5)
	for _, upTo := range []uint64{2, 1, 2} { // the second and third change nothing
		if err := s.Free(t.Context(), upTo); err != nil {
			t.Fatal(err)
		}
	}
	first, last, _, err := s.Span(t.Context())
	if first != 3 || last != 5 || err != nil {
		t.Errorf("it keeps %d to %d, %v; want 3 to 5", first, last, err)
	}
	list, err := s.Read(t.Context(), 2, 10)
	if len(list) != 3 || err != nil || list[0].Seq != 3 {
		t.Errorf("behind 2: %v, %v", list, err)
	}
	if list, err := s.Read(t.Context(), 0, 10); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("what is gone: %v, %v", list, err)
	}
	if err := s.Free(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if seq, err := s.Publish(t.Context(), "next", []byte("x")); seq != 6 || err != nil {
		t.Errorf("the next message has the sequence %d, %v", seq, err)
	}
}

func keeperFill(t *testing.T, s ingest.Keeper) {
	if bytes, _, err := s.Fill(t.Context()); bytes != 0 || err != nil {
		t.Errorf("an empty stream takes %d bytes, %v", bytes, err)
	}
	publish(t, s, 5)
	full, most, err := s.Fill(t.Context())
	if full == 0 || most > 0 && most < full || err != nil {
		t.Errorf("five messages take %d of %d bytes, %v", full, most, err)
	}
	if err := s.Free(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	if bytes, _, err := s.Fill(t.Context()); bytes == 0 || bytes >= full || err != nil {
		t.Errorf("one message of five takes %d bytes of %d, %v", bytes, full, err)
	}
}

func streamEmpty(t *testing.T, s ingest.Stream) {
	if last, err := s.Last(t.Context()); err != nil || last != 0 {
		t.Errorf("Last of an empty stream = %d, %v", last, err)
	}
	for _, after := range []uint64{0, 7} {
		if m, err := s.Read(t.Context(), after, 10); err != nil || len(m) != 0 {
			t.Errorf("Read of an empty stream behind %d = %v, %v", after, m, err)
		}
	}
}

func streamOrder(t *testing.T, s ingest.Stream) {
	want := publish(t, s, 25)
	if got := readAll(t, s, 7); !cmp.Equal(got, want) {
		t.Errorf("messages (-want +got):\n%s", cmp.Diff(want, got))
	}
	got, err := s.Read(t.Context(), 10, 3)
	if err != nil || !cmp.Equal(got, want[10:13]) {
		t.Errorf("Read behind 10, 3 messages = %v, %v", got, err)
	}
	if got, err := s.Read(t.Context(), 25, 3); err != nil || len(got) != 0 {
		t.Errorf("Read at the end = %v, %v", got, err)
	}
	if last, err := s.Last(t.Context()); err != nil || last != 25 {
		t.Errorf("Last = %d, %v; want 25", last, err)
	}
}

func streamRepeat(t *testing.T, s ingest.Stream) {
	want := publish(t, s, 3)
	seq, err := s.Publish(t.Context(), "m-1", []byte("something else"))
	if err != nil || seq != 2 {
		t.Errorf("Publish of a known ID = %d, %v; want 2", seq, err)
	}
	if got := readAll(t, s, 10); !cmp.Equal(got, want) {
		t.Errorf("messages after a repeat (-want +got):\n%s", cmp.Diff(want, got))
	}
}

// streamBytes checks that data comes back as it was, whatever it holds, and
// that neither side's slice is the stream's own.
func streamBytes(t *testing.T, s ingest.Stream) {
	data := make([]byte, 512<<10)
	for i := range data {
		data[i] = byte(i * i >> 3)
	}
	want := slices.Clone(data)
	if _, err := s.Publish(t.Context(), "big", data); err != nil {
		t.Fatal(err)
	}
	data[0]++
	if got := readAll(t, s, 1)[0].Data; !slices.Equal(got, want) {
		t.Error("a message of 512 KiB does not come back as it was")
	}
}

func publish(t *testing.T, s ingest.Stream, n int) (want []event.Message) {
	t.Helper()
	for i := range n {
		m := event.Message{Seq: uint64(i) + 1, ID: fmt.Sprintf("m-%d", i), Data: []byte{byte(i), 0, 255}}
		for trace := range i % 3 {
			m.Traces = append(m.Traces, fmt.Sprintf("00-%032x-%016x-01", i, trace+1))
		}
		if seq, err := s.Publish(t.Context(), m.ID, m.Data, m.Traces...); err != nil || seq != m.Seq {
			t.Fatalf("Publish(%s) = %d, %v; want %d", m.ID, seq, err, m.Seq)
		}
		want = append(want, m)
	}
	return want
}

func readAll(t *testing.T, s ingest.Stream, page int) (all []event.Message) {
	t.Helper()
	for after := uint64(0); ; {
		m, err := s.Read(t.Context(), after, page)
		if err != nil {
			t.Fatal(err)
		}
		if len(m) == 0 {
			return all
		}
		all, after = append(all, m...), m[len(m)-1].Seq
	}
}

// KV checks a version of ingest.KV. fresh returns one without values.
func KV(t *testing.T, fresh func(*testing.T) ingest.KV) {
	t.Run("KV_revisions", func(t *testing.T) { kvRevisions(t, fresh(t)) })
	t.Run("KV_conflicts", func(t *testing.T) { kvConflicts(t, fresh(t)) })
}

func kvRevisions(t *testing.T, kv ingest.KV) {
	if v, rev, err := kv.Load(t.Context(), "loader.1.facts-0"); err != nil || rev != 0 || len(v) != 0 {
		t.Errorf("Load of nothing = %q, %d, %v", v, rev, err)
	}
	var rev uint64
	for i := range 20 {
		value := fmt.Sprintf("value %d", i)
		next, err := kv.Save(t.Context(), "loader.1.facts-0", []byte(value), rev)
		if err != nil || next <= rev {
			t.Fatalf("Save at revision %d = %d, %v", rev, next, err)
		}
		rev = next
		if got, at, err := kv.Load(t.Context(), "loader.1.facts-0"); err != nil || at != rev || string(got) != value {
			t.Fatalf("Load = %q, %d, %v; want %q, %d", got, at, err, value, rev)
		}
	}
}

func kvConflicts(t *testing.T, kv ingest.KV) {
	a := save(t, kv, "a", "1", 0)
	b := save(t, kv, "b", "1", 0)
	a2 := save(t, kv, "a", "2", a)
	for _, c := range []struct {
		key string
		rev uint64
	}{{"a", 0}, {"a", a}, {"a", a2 + 1}, {"b", 0}, {"b", a}, {"c", 1}} {
		if rev, err := kv.Save(t.Context(), c.key, []byte("no"), c.rev); !errors.Is(err, event.ErrConflict) {
			t.Errorf("Save(%s) at revision %d = %d, %v; want a conflict", c.key, c.rev, rev, err)
		}
	}
	for key, want := range map[string]uint64{"a": a2, "b": b, "c": 0} {
		if _, rev, err := kv.Load(t.Context(), key); err != nil || rev != want {
			t.Errorf("revision of %s after conflicts = %d, %v; want %d", key, rev, err, want)
		}
	}
}

func save(t *testing.T, kv ingest.KV, key, value string, rev uint64) uint64 {
	t.Helper()
	next, err := kv.Save(t.Context(), key, []byte(value), rev)
	if err != nil {
		t.Fatal(err)
	}
	return next
}
