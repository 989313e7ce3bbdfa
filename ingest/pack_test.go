package ingest_test

import (
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// batch returns n events of all kinds and one dead letter behind them.
func batch(n int) ingest.Batch {
	b := ingest.Batch{
		Rows: ingesttest.Rows("", 0, 0, n), Count: uint32(n) + 1,
		Oldest: noon.Add(-time.Minute), Newest: noon, Received: noon,
	}
	b.Dead = []ingest.Dead{{
		Place: ingest.Place{Idx: uint32(n)}, ID: id1, Environment: "production", Name: "puchase", Reason: ingest.UnknownMetric,
		Why: "no metric declares the event puchase", At: noon.Add(-time.Minute), Fact: []byte(`{"kind":"metric"}`),
	}}
	return b
}

func TestCodec_roundTrip(t *testing.T) {
	for _, want := range []ingest.Batch{batch(0), batch(1), batch(40), batch(1000)} {
		got, err := codec.Decode("", event.Message{Data: codec.Encode(want)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%d events (-want +got):\n%s", want.Count, diff)
		}
	}
}

func TestCodec_places(t *testing.T) {
	got, err := codec.Decode("facts-3", event.Message{Seq: 17, Data: codec.Encode(batch(8))})
	if err != nil {
		t.Fatal(err)
	}
	got.Each(func(k ingest.Key, p ingest.Place) {
		if p.Shard != "facts-3" || p.Seq != 17 {
			t.Errorf("row %v is at %v", k, p)
		}
	})
	if p := got.Dead[0].Place; p != (ingest.Place{Shard: "facts-3", Seq: 17, Idx: 8}) {
		t.Errorf("dead letter is at %v", p)
	}
}

// TestCodec_golden reads a pack that an earlier version wrote. If it cannot be
// read any more, acknowledged events of existing users become dead letters.
func TestCodec_golden(t *testing.T) {
	const path = "testdata/pack-v1.bin"
	if *update {
		if err := os.WriteFile(path, codec.Encode(batch(40)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := codec.Decode("", event.Message{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(batch(40), got); diff != "" {
		t.Errorf("golden pack (-want +got):\n%s", diff)
	}
}

func TestReadHeader(t *testing.T) {
	h, err := ingest.ReadHeader(codec.Encode(batch(8)))
	want := ingest.Header{Version: 1, Count: 9, Oldest: noon.Add(-time.Minute), Newest: noon, Received: noon}
	if diff := cmp.Diff(want, h, cmpopts.IgnoreUnexported(h)); diff != "" || err != nil {
		t.Errorf("header: %v (-want +got):\n%s", err, diff)
	}
}

// TestCodec_damage flips every bit of a pack and cuts it at every byte: each
// is noticed.
func TestCodec_damage(t *testing.T) {
	good := codec.Encode(batch(4))
	for i := range len(good) * 8 {
		data := append([]byte(nil), good...)
		data[i/8] ^= 1 << (i % 8)
		if _, err := codec.Decode("", event.Message{Data: data}); !errors.Is(err, ingest.ErrUnreadable) {
			t.Errorf("bit %d of byte %d flipped: %v", i%8, i/8, err)
		}
	}
	for n := range good {
		if _, err := codec.Decode("", event.Message{Data: good[:n]}); !errors.Is(err, ingest.ErrUnreadable) {
			t.Errorf("cut at byte %d: %v", n, err)
		}
	}
	if n := codec.CountEvents(event.Message{Data: good[:10]}); n != 1 {
		t.Errorf("a cut pack stands for %d events, want 1", n)
	}
}

func TestControlDecoder(t *testing.T) {
	log := event.NewMemLog()
	for i, subject := range []string{"flag.a", "flag.a"} {
		e := event.Event{
			ID: event.Derive(subject, string(rune('0'+i))), Source: "sluice/flags", Type: "flag.changed", Subject: subject,
			Time: noon, Actor: "person:ana", Cause: "decision", Data: []byte(`{"a":1}`),
		}
		if _, err := log.Append(t.Context(), e, event.Any); err != nil {
			t.Fatal(err)
		}
	}
	for r, err := range log.Read(t.Context(), event.Filter{}, 1) {
		if err != nil {
			t.Fatal(err)
		}
		got, err := ingest.ControlDecoder{}.Decode("control", event.Message{Seq: 2, Data: []byte(marshal(t, r))})
		want := ingest.ControlRow{
			Place: ingest.Place{Shard: "control", Seq: 2}, ID: r.ID, Day: ingest.DayOf(ingesttest.ID(noon, 0)), Type: "flag.changed",
			Subject: "flag.a", Source: "sluice/flags", Actor: "person:ana", Cause: "decision", At: noon, Data: `{"a":1}`,
			Prev: r.Prev, Hash: r.Hash,
		}
		if diff := cmp.Diff([]ingest.ControlRow{want}, got.Control); err != nil || diff != "" || got.Count != 1 {
			t.Errorf("row: %v (-want +got):\n%s", err, diff)
		}
		if _, err := (ingest.ControlDecoder{}).Decode("control", event.Message{Seq: 3, Data: []byte(marshal(t, r))}); !errors.Is(err, ingest.ErrUnreadable) {
			t.Errorf("an event of another sequence: %v", err)
		}
	}
	for _, data := range []string{"", "{}", "[]", `{"id":"x"}`} {
		if _, err := (ingest.ControlDecoder{}).Decode("control", event.Message{Seq: 1, Data: []byte(data)}); !errors.Is(err, ingest.ErrUnreadable) {
			t.Errorf("%q: %v", data, err)
		}
	}
}

func FuzzCodec(f *testing.F) {
	f.Add(codec.Encode(batch(4)))
	f.Add([]byte("SLPK"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := codec.Decode("", event.Message{Data: data}); err != nil && !errors.Is(err, ingest.ErrUnreadable) {
			t.Errorf("error %v is not ErrUnreadable", err)
		}
	})
}
