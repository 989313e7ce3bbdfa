package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// intake returns an intake of n shards and their streams.
func intake(n int) (*ingest.Intake, []*ingest.MemStream) {
	in := &ingest.Intake{Door: door()}
	var streams []*ingest.MemStream
	for range n {
		s := new(ingest.MemStream)
		streams = append(streams, s)
		in.Packers = append(in.Packers, ingest.NewPacker(s, codec, "a"))
	}
	return in, streams
}

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstded(t testing.TB, text string, options ...zstd.EOption) string {
	t.Helper()
	z, err := zstd.NewWriter(nil, options...)
	if err != nil {
		t.Fatal(err)
	}
	return string(z.EncodeAll([]byte(text), nil))
}

func request(encoding, body string) ingest.Request {
	return ingest.Request{Environment: "production", Encoding: encoding, Type: "application/json", Body: strings.NewReader(body)}
}

// TestIntake_encodings sends the same events in every encoding, twice, so that
// reused decompressors are met.
func TestIntake_encodings(t *testing.T) {
	body := "[" + marshal(t, exposure()) + `,{"kind":"metric","id":"` + id1.String() + `","name":"puchase","units":{"user":"u"}},7]`
	in, streams := intake(1)
	for range 2 {
		for encoding, wire := range map[string]string{"": body, "identity": body, "GZIP": gzipped(t, body), "zstd": zstded(t, body)} { // names of codings have no case (RFC 9110, section 8.4.1)
			got, err := in.Accept(t.Context(), request(encoding, wire), noon)
			if err != nil || got.Accepted != 2 || got.DeadLetters != 1 || len(got.Rejected) != 1 || !cmp.Equal(got.Undeclared, []string{"puchase"}) {
				t.Errorf("%q: %+v, %v", encoding, got, err)
			}
		}
	}
	if last, _ := streams[0].Last(t.Context()); last != 8 {
		t.Errorf("%d messages, want 8", last)
	}
}

// TestIntake_imports: an import brings old events and units that are hashes, and
// leaves the door of everybody else as it was.
func TestIntake_imports(t *testing.T) {
	in, streams := intake(1)
	old := exposure()
	old.At = noon.AddDate(-1, 0, 0)
	old.ID, old.Unit.ID = ingest.DeriveID(old.At, "a"), "hash:00000000000000ff"
	for _, imports := range []bool{true, false} {
		r := request("", marshal(t, []any{old}))
		r.Import = imports
		if got, err := in.Accept(t.Context(), r, noon); (err == nil) != imports || imports && got.Accepted != 1 {
			t.Errorf("import %t: %+v, %v", imports, got, err)
		}
	}
	messages, err := streams[0].Read(t.Context(), 0, 2)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d messages, %v", len(messages), err)
	}
	b, err := codec.Decode("facts-0", messages[0])
	if err != nil || b.Exposures[0].Unit != 0xff || !b.Exposures[0].At.Equal(old.At) {
		t.Errorf("got %+v, %v", b.Exposures, err)
	}
}

// TestIntake_checks: a check says what an import would, and keeps nothing.
func TestIntake_checks(t *testing.T) {
	in, streams := intake(1)
	r := request("", "["+marshal(t, exposure())+",7]")
	r.Check = true
	got, err := in.Accept(t.Context(), r, noon)
	if err != nil || got.Accepted != 1 || len(got.Rejected) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	if last, _ := streams[0].Last(t.Context()); last != 0 {
		t.Errorf("%d messages are kept", last)
	}
}

func TestIntake_refusals(t *testing.T) {
	good := marshal(t, exposure())
	noise := make([]byte, 2<<20)
	for i, r := 0, rand.NewPCG(1, 1); i < len(noise); i++ {
		noise[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[r.Uint64()%36]
	}
	spaces := strings.Repeat(" ", 9<<20)
	broken := iotest.ErrReader(errors.New("connection reset"))
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	invalid := func(err error) bool { return errors.As(err, new(event.Invalids)) }
	for _, c := range []struct {
		name string
		req  ingest.Request
		want func(error) bool
	}{
		{"wire too large", request("", good+spaces), is(ingest.ErrTooLarge)},
		{"wire one byte too large", request("", good+spaces[:1<<20+1-len(good)]), is(ingest.ErrTooLarge)},
		{"gzip bomb", request("gzip", gzipped(t, good+spaces)), is(ingest.ErrTooLarge)},
		{"zstd bomb", request("zstd", zstded(t, good+spaces)), is(ingest.ErrTooLarge)},
		{"gzip wire too large", request("gzip", gzipped(t, string(noise))), is(ingest.ErrTooLarge)},
		{"zstd wire too large", request("zstd", zstded(t, string(noise))), is(ingest.ErrTooLarge)},
		{"zstd window too large", request("zstd", hugeWindow), invalid},
		{"not gzip", request("gzip", good), invalid},
		{"not zstd", request("zstd", good), invalid},
		{"gzip cut", request("gzip", gzipped(t, good)[:40]), invalid},
		{"zstd cut", request("zstd", zstded(t, good)[:40]), invalid},
		{"unknown encoding", request("br", good), is(ingest.ErrMedia)},
		{"two encodings", request("gzip, gzip", good), is(ingest.ErrMedia)},
		{"unknown type", ingest.Request{Type: "multipart/form-data; boundary=x", Body: strings.NewReader(good)}, is(ingest.ErrMedia)},
		{"type not one", ingest.Request{Type: "json;;", Body: strings.NewReader(good)}, is(ingest.ErrMedia)},
		{"syntax", request("", "{"), invalid},
		{"nothing good", request("", `[{"kind":"click"}]`), func(err error) bool { return errors.As(err, new(ingest.Refused)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, streams := intake(1)
			got, err := in.Accept(t.Context(), c.req, noon)
			if !c.want(err) || got.Accepted != 0 {
				t.Errorf("got %+v, %v", got, err)
			}
			if last, _ := streams[0].Last(t.Context()); last != 0 {
				t.Error("something is kept")
			}
		})
	}
	t.Run("broken connection", func(t *testing.T) {
		in, _ := intake(1)
		for _, encoding := range []string{"", "gzip", "zstd"} {
			_, err := in.Accept(t.Context(), ingest.Request{Encoding: encoding, Body: broken}, noon)
			if err == nil || !strings.Contains(err.Error(), "connection reset") {
				t.Errorf("%q: %v", encoding, err)
			}
		}
	})
	t.Run("largest", func(t *testing.T) {
		in, _ := intake(1)
		if got, err := in.Accept(t.Context(), request("", good+spaces[:1<<20-len(good)]), noon); err != nil || got.Accepted != 1 {
			t.Errorf("a body of 1 MiB: %+v, %v", got, err)
		}
	})
}

// hugeWindow is a zstd frame that asks for a window of 2 GiB.
const hugeWindow = "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00"

func TestIntake_contentTypes(t *testing.T) {
	for _, media := range []string{"", "application/json; charset=utf-8", "application/x-ndjson", "application/jsonl", "text/plain;charset=UTF-8"} {
		in, _ := intake(1)
		req := request("", marshal(t, exposure()))
		req.Type = media
		if got, err := in.Accept(t.Context(), req, noon); err != nil || got.Accepted != 1 {
			t.Errorf("%q: %+v, %v", media, got, err)
		}
	}
}

func TestIntake_busy(t *testing.T) {
	in := &ingest.Intake{Door: door()}
	s := &slowStream{fail: func(int) error { return errors.New("full") }}
	p := ingest.NewPacker(s, codec, "a")
	p.Patience = time.Millisecond
	in.Packers = append(in.Packers, p)
	if _, err := in.Accept(t.Context(), request("", marshal(t, exposure())), noon); !errors.Is(err, ingest.ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
}

// TestIntake_shards sends units to several shards: all rows of a unit are in
// its own, every event is somewhere, and indexes have no holes.
func TestIntake_shards(t *testing.T) {
	const n = 3
	in, streams := intake(n)
	var events []any
	for i := range uint64(200) {
		id := ingesttest.ID(noon, i)
		e := exposure()
		e.ID, e.Unit.ID = id, id.String()
		events = append(events, e,
			ingest.MetricEvent{Kind: ingest.KindMetric, ID: id, Name: "purchase", Units: map[string]string{"user": id.String(), "workspace": "w"}},
			ingest.MetricEvent{Kind: ingest.KindMetric, ID: id, Name: "unknown", Units: map[string]string{"user": id.String()}},
			ingest.Reading{Kind: ingest.KindReading, ID: id, Name: "cpu"})
	}
	if got, err := in.Accept(t.Context(), request("", marshal(t, events)), noon); err != nil || got.Accepted != 800 {
		t.Fatalf("%+v, %v", got, err)
	}
	rows, dead := 0, 0
	for i, s := range streams {
		messages, err := s.Read(t.Context(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			b, err := codec.Decode("", m) // also checks the indexes
			if err != nil {
				t.Fatal(err)
			}
			rows, dead = rows+b.Rows.Len(), dead+len(b.Dead)
			b.Each(func(k ingest.Key, _ ingest.Place) {
				if k.UnitKind != "" && k.Unit%n != uint64(i) {
					t.Errorf("unit %d is in shard %d", k.Unit, i)
				}
			})
		}
	}
	if rows != 800 || dead != 200 {
		t.Errorf("%d rows and %d dead letters, want 800 and 200", rows, dead)
	}
}

// TestIntake_shardsDoNotWaitForEachOther: a request that opens the packs of several
// shards publishes them together, because other requests are in them, and one
// stream that takes long, or has no leader, is no reason for the others to wait.
func TestIntake_shardsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 4
		in := &ingest.Intake{Door: door()}
		for range n {
			in.Packers = append(in.Packers, ingest.NewPacker(&slowStream{takes: time.Second}, codec, "a"))
		}
		var events []ingest.Exposure
		for i := range uint64(50) {
			e := exposure()
			e.ID = ingesttest.ID(noon, i)
			e.Unit.ID = e.ID.String()
			events = append(events, e)
		}
		began := time.Now()
		if _, err := in.Accept(t.Context(), request("", marshal(t, events)), noon); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 1500*time.Millisecond {
			t.Errorf("%d streams of one second a message took %v", n, took)
		}
	})
}

// replica is the history of the flag checkout as one replica knows it: made at
// event 1, with an allocation from event 2 on.
type replica struct {
	log     *event.MemLog
	history *event.Projection
	house
}

func newReplica(t *testing.T, events int) *replica {
	t.Helper()
	r := &replica{log: event.NewMemLog(), history: event.NewProjection()}
	for i := range events {
		e := event.Event{ID: event.Derive("replica", fmt.Sprint(i)), Type: "flag.changed", Subject: "flag.checkout", Time: noon, Data: []byte("{}")}
		if _, err := r.log.Append(t.Context(), e, event.Any); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *replica) Known(_, flag string) bool { return r.history.Seq() >= 1 && flag == "checkout" }

func (r *replica) UnitKind(string, string, uint64) string { return "user" }

func (r *replica) Assigned(_, _ string, revision uint64, variant string) (ingest.Assignment, bool) {
	return ingest.Assignment{Rollout: "production/checkout/1", Stage: "canary", Arm: variant}, min(revision, r.history.Seq()) == 2
}

func (r *replica) intake() (*ingest.Intake, *ingest.MemStream) {
	in, streams := intake(1)
	in.Door.Flags, in.History, in.End = r, r.history, r.log.Last
	return in, streams[0]
}

func exposed(t *testing.T, revision uint64) ingest.Request {
	e := exposure()
	e.Revision, e.Rollout, e.Stage, e.Epoch = revision, "", "", 0
	return request("", marshal(t, e))
}

// TestIntake_waitsForTheRevision sends an exposure of revision 2 to a replica
// that has not heard of the flag.
func TestIntake_waitsForTheRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReplica(t, 2)
		in, stream := r.intake()
		answer := make(chan error)
		go func() {
			_, err := in.Accept(t.Context(), exposed(t, 2), noon)
			answer <- err
		}()
		synctest.Wait() // it waits for the history
		if err := r.history.Catch(t.Context(), r.log); err != nil {
			t.Fatal(err)
		}
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
		messages, _ := stream.Read(t.Context(), 0, 10)
		if b, err := codec.Decode(shard, messages[0]); err != nil || len(b.Exposures) != 1 || !b.Exposures[0].Enrolled {
			t.Errorf("stored %+v, %v; want an enrolled unit", b.Exposures, err)
		}
	})
}

// TestIntake_neverTakesALaggingHistoryForTheTruth sends it where the history
// does not catch up: nothing is kept, and it may be sent again.
func TestIntake_neverTakesALaggingHistoryForTheTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReplica(t, 2)
		in, stream := r.intake()
		if _, err := in.Accept(t.Context(), exposed(t, 2), noon); !errors.Is(err, ingest.ErrBusy) {
			t.Errorf("got %v, want ErrBusy", err)
		}
		in.End = func(context.Context) (uint64, error) { return 0, event.ErrReadOnly }
		if _, err := in.Accept(t.Context(), exposed(t, 2), noon); !errors.Is(err, ingest.ErrBusy) || !errors.Is(err, event.ErrReadOnly) {
			t.Errorf("with a log that lost its end: %v, want ErrBusy", err)
		}
		if last, _ := stream.Last(t.Context()); last != 0 {
			t.Errorf("%d messages were kept", last)
		}
	})
}

// TestIntake_revisionThatIsNowhere takes it without waiting: the claim is
// counted as one that the history does not bear out.
func TestIntake_revisionThatIsNowhere(t *testing.T) {
	r := newReplica(t, 3)
	if err := r.history.Catch(t.Context(), r.log); err != nil {
		t.Fatal(err)
	}
	in, _ := r.intake()
	if got, err := in.Accept(t.Context(), exposed(t, 1<<40), noon); err != nil || got.Accepted != 1 || got.Differs != 1 {
		t.Errorf("got %+v, %v, want one accepted that differs", got, err)
	}
}
