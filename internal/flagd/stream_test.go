package flagd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/sluice-hq/sluice/flags"
	evaluationv1 "github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v1"
	"github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v1/evaluationv1connect"
	evaluationv2 "github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v2"
	"github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v2/evaluationv2connect"
	syncv1 "github.com/sluice-hq/sluice/internal/flagd/gen/sync/v1"
	"github.com/sluice-hq/sluice/internal/flagd/gen/sync/v1/syncv1connect"
)

// receive returns the next message of a stream that is not a keep-alive, and
// how many of those came before.
func receive(t *testing.T, s *connect.ServerStreamForClient[evaluationv1.EventStreamResponse]) (kind string, data map[string]any, alive int) {
	t.Helper()
	for s.Receive() {
		if s.Msg().GetType() != "keep_alive" {
			return s.Msg().GetType(), s.Msg().GetData().AsMap(), alive
		}
		alive++
	}
	t.Fatalf("the stream ended: %v", s.Err())
	return "", nil, 0
}

// TestEventStream follows real changes through a stream that is older than a
// request may become, in every protocol, and to the end of the house.
func TestEventStream(t *testing.T) {
	for name, options := range protocols {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t).defineAll()
			h.KeepAlive, h.readTimeout = 600*time.Millisecond, 2*time.Second
			h.serve()
			clients := []*http.Client{overHTTP2(t)}
			if name == "Connect" || name == "gRPC-Web" {
				clients = append(clients, h.Client())
			}
			for i, over := range clients {
				s, err := evaluationv1connect.NewServiceClient(over, h.URL, options...).EventStream(t.Context(), connect.NewRequest(&evaluationv1.EventStreamRequest{}))
				if err != nil {
					t.Fatal(err)
				}
				if kind, data, _ := receive(t, s); kind != "provider_ready" || len(data) != 0 {
					t.Fatalf("first came %s %v", kind, data)
				}
				for range 4 { // 2.4 s, of which a request may take 2
					if !s.Receive() || s.Msg().GetType() != "keep_alive" {
						t.Fatalf("no sign of life: %v %v", s.Msg(), s.Err())
					}
				}
				h.do("bool", flags.Change{Op: []flags.Op{flags.Disable, flags.Enable}[i], Environment: "production"})
				kind, data, _ := receive(t, s)
				want := map[string]any{"flags": map[string]any{"bool": map[string]any{"type": "update"}}}
				if diff := cmp.Diff(want, data); diff != "" || kind != "configuration_change" {
					t.Errorf("%s (-want +got):\n%s", kind, diff)
				}
				if i == len(clients)-1 {
					close(h.closing)
					if kind, _, _ := receive(t, s); kind != "provider_shutdown" || s.Receive() || s.Err() != nil {
						t.Errorf("the end: %s, then %v", kind, s.Err())
					}
				}
				_ = s.Close()
			}
		})
	}
}

// TestEventStream_names every kind of change, in the older and the newer
// service alike.
func TestEventStream_names(t *testing.T) {
	old, next := newHouse(t), newHouse(t)
	old.define(flags.Boolean, "gone", "true", "false")
	before, _ := old.at("production")
	next.define(flags.Boolean, "new", "true", "false")
	after, _ := next.at("production")
	want := map[string]any{"flags": map[string]any{"new": map[string]any{"type": "write"}, "gone": map[string]any{"type": "delete"}}}
	if diff := cmp.Diff(want, changed(after.Since(before)).AsMap()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	h := newHouse(t).serve()
	s, err := evaluationv2connect.NewServiceClient(overHTTP2(t), h.URL, connect.WithGRPC()).EventStream(t.Context(), connect.NewRequest(&evaluationv2.EventStreamRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var got []string
	for len(got) < 2 && s.Receive() {
		if got = append(got, s.Msg().GetType()); len(got) == 1 {
			h.define(flags.Boolean, "late", "true", "false")
		}
	}
	if !slices.Equal(got, []string{"provider_ready", "configuration_change"}) {
		t.Errorf("got %v, %v", got, s.Err())
	}
}

// TestSync follows real changes: all flags at once, and all of them again when
// they differ.
func TestSync(t *testing.T) {
	h := newHouse(t)
	h.define(flags.Boolean, "a", "true", "false")
	h.serve()
	client := syncv1connect.NewFlagSyncServiceClient(overHTTP2(t), h.URL, connect.WithGRPC())
	var streams []*connect.ServerStreamForClient[syncv1.SyncFlagsResponse]
	for range 3 {
		s, err := client.SyncFlags(t.Context(), connect.NewRequest(&syncv1.SyncFlagsRequest{ProviderId: "test"}))
		if err != nil {
			t.Fatal(err)
		}
		streams = append(streams, s)
	}
	next := func(want string) {
		t.Helper()
		for i, s := range streams {
			if !s.Receive() || s.Msg().GetFlagConfiguration() != want || s.Msg().GetSyncContext() == nil {
				t.Fatalf("stream %d: got %v, %v; want %s", i, s.Msg(), s.Err(), want)
			}
		}
	}
	next(`{"flags":["a"]}`)
	h.do("a", flags.Change{Op: flags.Disable, Environment: "production"}) // the document here does not show it
	h.define(flags.Boolean, "b", "true", "false")
	next(`{"flags":["a","b"]}`)
	if n := h.exports.Load(); n > 3 {
		t.Errorf("%d exports of 3 states for 3 streams", n)
	}

	all, err := client.FetchAllFlags(t.Context(), connect.NewRequest(&syncv1.FetchAllFlagsRequest{}))
	if err != nil || all.Msg.GetFlagConfiguration() != `{"flags":["a","b"]}` {
		t.Errorf("fetched %v, %v", all, err)
	}
	meta, err := client.GetMetadata(t.Context(), connect.NewRequest(&syncv1.GetMetadataRequest{}))
	if err != nil || meta.Msg.GetMetadata() == nil {
		t.Errorf("metadata %v, %v", meta, err)
	}
	close(h.closing)
	for _, s := range streams {
		if s.Receive() || connect.CodeOf(s.Err()) != connect.CodeUnavailable {
			t.Errorf("the end: %v, want unavailable", s.Err())
		}
	}
}

// TestSync_unavailable: what goes wrong inside is not told, and not kept.
func TestSync_unavailable(t *testing.T) {
	h := newHouse(t)
	h.define(flags.Boolean, "broken", "true", "false")
	client := syncv1connect.NewFlagSyncServiceClient(overHTTP2(t), h.serve().URL, connect.WithGRPC())
	const want = "unavailable: the flags cannot be read now"
	if _, err := client.FetchAllFlags(t.Context(), connect.NewRequest(&syncv1.FetchAllFlagsRequest{})); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	d := documents{house: New(h.Config), made: map[string]document{}}
	if _, err := d.at("production"); err == nil {
		t.Error("no error")
	}
	d.house.Document = func(string) ([]byte, error) { return []byte("{}"), nil }
	if text, err := d.at("production"); text != "{}" || err != nil {
		t.Errorf("the error was kept: %q, %v", text, err)
	}
}

// TestStreams_endWithTheirClients: a client that goes leaves nothing behind,
// whether it hangs up or its deadline passes.
func TestStreams_endWithTheirClients(t *testing.T) {
	h := newHouse(t).serve()
	over := overHTTP2(t)
	for name, options := range protocols {
		over := over
		if name == "Connect" {
			over = h.Client() // over HTTP/1.1
		}
		ctx, hangUp := context.WithCancel(t.Context())
		events, err := evaluationv1connect.NewServiceClient(over, h.URL, options...).EventStream(ctx, connect.NewRequest(&evaluationv1.EventStreamRequest{}))
		if err != nil {
			t.Fatal(err)
		}
		sync, err := syncv1connect.NewFlagSyncServiceClient(over, h.URL, options...).SyncFlags(ctx, connect.NewRequest(&syncv1.SyncFlagsRequest{}))
		if err != nil {
			t.Fatal(err)
		}
		if !events.Receive() || !sync.Receive() {
			t.Fatalf("%s: %v, %v", name, events.Err(), sync.Err())
		}
		hangUp()
		got := []string{<-h.ended, <-h.ended} // a handler that stays would block the test
		slices.Sort(got)
		if !slices.Equal(got, []string{EvaluationV1 + "EventStream", SyncV1 + "SyncFlags"}) {
			t.Errorf("%s: ended %v", name, got)
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	sync, err := syncv1connect.NewFlagSyncServiceClient(over, h.URL, connect.WithGRPC()).SyncFlags(ctx, connect.NewRequest(&syncv1.SyncFlagsRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	for sync.Receive() {
	}
	if connect.CodeOf(sync.Err()) != connect.CodeDeadlineExceeded {
		t.Errorf("a stream with a deadline ended with %v", sync.Err())
	}
	<-h.ended
}

// TestTell_keepsAlive every 20 seconds, as flagd does, and stops when a
// message cannot be sent.
func TestTell_keepsAlive(t *testing.T) {
	house := newHouse(t)
	synctest.Test(t, func(t *testing.T) {
		start, gone := time.Now(), errors.New("gone")
		var got []string
		h := New(Config{Set: house.at, Moved: func() (uint64, <-chan struct{}) { return 0, nil }})
		err := h.tell(t.Context(), "production", func(kind string, _ *structpb.Struct) error {
			if got = append(got, kind+" "+time.Since(start).String()); len(got) == 4 {
				return gone
			}
			return nil
		})
		want := []string{"provider_ready 0s", "keep_alive 20s", "keep_alive 40s", "keep_alive 1m0s"}
		if !slices.Equal(got, want) || !errors.Is(err, gone) {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		var sets []*flags.Set // the second comes without a word
		h := New(Config{Set: func(string) (*flags.Set, error) { defer func() { sets = sets[1:] }(); return sets[0], nil }, Moved: func() (uint64, <-chan struct{}) { return 0, nil }})
		first, _ := house.at("production")
		house.define(flags.Boolean, "late", "true", "false")
		second, _ := house.at("production")
		sets = []*flags.Set{first, second}
		var got []string
		err := h.tell(t.Context(), "production", func(kind string, _ *structpb.Struct) error {
			if got = append(got, kind); kind == "configuration_change" {
				return errClosing
			}
			return nil
		})
		if want := "provider_ready keep_alive configuration_change provider_shutdown"; strings.Join(got, " ") != want || err != nil {
			t.Errorf("got %v, %v; want %s", got, err, want)
		}
	})
	if err := New(house.Config).tell(t.Context(), "moon", nil); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("an environment that does not exist: got %v", err)
	}
}

// TestStreams_areAdmitted: a stream is asked for before it begins, told when it
// may not come in, and counted until it ends.
func TestStreams_areAdmitted(t *testing.T) {
	h := newHouse(t)
	busy := errors.New("too many streams")
	var open atomic.Int64
	h.Enter = func(bool) (func(), error) {
		if !open.CompareAndSwap(0, 1) {
			return nil, busy
		}
		return func() { open.Add(-1) }, nil
	}
	h.serve()
	over := overHTTP2(t)
	events := evaluationv1connect.NewServiceClient(over, h.URL, connect.WithGRPC())
	all := syncv1connect.NewFlagSyncServiceClient(over, h.URL, connect.WithGRPC())
	for range 2 { // the second time there is room again
		ctx, hangUp := context.WithCancel(t.Context())
		first, err := events.EventStream(ctx, connect.NewRequest(&evaluationv1.EventStreamRequest{}))
		if err != nil || !first.Receive() {
			t.Fatal(err, first.Err())
		}
		second, err := all.SyncFlags(t.Context(), connect.NewRequest(&syncv1.SyncFlagsRequest{}))
		if err != nil {
			t.Fatal(err)
		}
		if second.Receive() || connect.CodeOf(second.Err()) != connect.CodeUnavailable || !strings.Contains(second.Err().Error(), busy.Error()) {
			t.Errorf("the second: got %v", second.Err())
		}
		<-h.ended
		hangUp()
		<-h.ended
	}
	if n := open.Load(); n != 0 {
		t.Errorf("%d streams are counted after their end", n)
	}
}

// TestStreams_endWithTheirToken: a token that is taken back ends what it has
// opened, at the next sign of life.
func TestStreams_endWithTheirToken(t *testing.T) {
	house := newHouse(t)
	house.define(flags.Boolean, "a", "true", "false")
	for name, follow := range map[string]func(context.Context, *Handler, func()) error{
		"events": func(ctx context.Context, h *Handler, said func()) error {
			return h.tell(ctx, "production", func(string, *structpb.Struct) error { said(); return nil })
		},
		"sync": func(ctx context.Context, h *Handler, said func()) error {
			return h.snapshots(ctx, "production", func(string) error { said(); return nil })
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			var asked []string
			said := 0
			h := New(Config{
				Set: house.at, Document: house.document, Moved: func() (uint64, <-chan struct{}) { return 0, nil },
				MayStay: func(_ context.Context, environment string, rules bool) bool {
					asked = append(asked, fmt.Sprint(environment, rules))
					return len(asked) < 3
				},
			})
			err := follow(t.Context(), h, func() { said++ })
			if connect.CodeOf(err) != connect.CodeUnauthenticated || len(asked) != 3 || said == 0 || asked[0] != fmt.Sprint("production", name == "sync") {
				t.Errorf("%s: asked %v, %d messages, ended with %v", name, asked, said, err)
			}
		})
	}
}

// TestSync_cutsSlowReaders: a client that does not read is left, so that it
// holds no memory here.
func TestSync_cutsSlowReaders(t *testing.T) {
	h := newHouse(t)
	h.Patience = 50 * time.Millisecond
	large := []byte(strings.Repeat("x", 16<<20)) // more than the buffers of a connection hold
	h.Document = func(string) ([]byte, error) { return large, nil }
	h.serve()
	c, err := net.Dial("tcp", h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const body = "\x00\x00\x00\x00\x02{}"
	_, err = fmt.Fprintf(c, "POST %sSyncFlags HTTP/1.1\r\nHost: sluice\r\nContent-Type: application/connect+json\r\nContent-Length: %d\r\n\r\n%s", SyncV1, len(body), body)
	if err != nil {
		t.Fatal(err)
	}
	<-h.ended // it would block the test otherwise
}
