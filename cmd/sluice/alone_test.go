package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	doors "github.com/sluice-hq/sluice/internal/server"
)

// standing is a house of this process that serves.
type standing struct {
	*house
	t     *testing.T
	token string
	stop  func()
}

// stand opens a house, changes it as wanted, and lets it run until the test is
// over, or stop.
func stand(t *testing.T, c config, change ...func(*house)) *standing {
	t.Helper()
	c.Listen, c.Quiet, c.Every = "127.0.0.1:0", true, 20*time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	h, err := open(ctx, c)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	for _, f := range change {
		f(h)
	}
	s := &standing{house: h, t: t, token: h.adminToken}
	ended := make(chan error, 1)
	go func() {
		ended <- h.run(ctx, func(ctx context.Context, _, _ string) error { <-ctx.Done(); return nil })
	}()
	s.stop = func() {
		if cancel(); ended == nil {
			return
		}
		if err := <-ended; err != nil {
			t.Errorf("closing the house: %v", err)
		}
		ended = nil
	}
	t.Cleanup(s.stop)
	return s
}

// ask sends a request as the admin.
func (s *standing) ask(method, path, body string) (*http.Response, string) {
	s.t.Helper()
	q, err := http.NewRequestWithContext(context.Background(), method, s.address()+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+s.token)
	q.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, string(b)
}

// want complains about another status, or an answer without the text.
func (s *standing) want(status int, text, method, path, body string) {
	s.t.Helper()
	got, answer := s.ask(method, path, body)
	if got.StatusCode != status || !strings.Contains(answer, text) {
		s.t.Errorf("%s %s: %d %s\nwant %d with %q", method, path, got.StatusCode, answer, status, text)
	}
	if status == http.StatusServiceUnavailable && strings.Contains(path, "/v1/") && got.Header.Get("Retry-After") == "" {
		s.t.Errorf("%s %s: nobody says when to come back", method, path)
	}
}

const aFlag = `apiVersion: sluice/v1
kind: Flag
key: checkout.express
purpose: kill-switch
owner: payments
type: boolean
variants: {on: true, off: false}
default: "on"
safe: "off"
unit: user
environments: {production: {enabled: true}}
`

// servesFlags checks all that must work whatever else is down: changes are
// accepted, evaluated, streamed and shown, and load balancers are told so.
func (s *standing) servesFlags() {
	s.t.Helper()
	s.want(200, "", "POST", "/api/v1/apply", aFlag)
	const evaluate = "/ofrep/v1/evaluate/flags/checkout.express?environment=production"
	s.want(200, `"value":true`, "POST", evaluate, `{"context":{"targetingKey":"u"}}`)
	s.want(200, "", "POST", "/api/v1/flags/checkout.express/force", `{"environment":"production","comment":"a test"}`)
	s.want(200, `"value":false`, "POST", evaluate, `{"context":{"targetingKey":"u"}}`)
	s.want(200, "", "POST", "/api/v1/flags/checkout.express/unforce", `{"environment":"production","comment":"a test"}`)
	s.want(200, "checkout.express", "POST", "/ofrep/v1/evaluate/flags?environment=production", `{"context":{"targetingKey":"u"}}`)
	s.want(200, "<html", "GET", "/", "")
	s.want(200, `"flags":"ok"`, "GET", "/readyz?for=flags", "")
	s.streams()
}

// streams opens a stream of rulesets and reads its first message.
func (s *standing) streams() {
	s.t.Helper()
	ctx, stop := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer stop()
	q, err := http.NewRequestWithContext(ctx, "GET", s.address()+"/api/v1/stream?environment=production", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	var got bytes.Buffer
	for b := make([]byte, 4096); !strings.Contains(got.String(), "checkout.express"); {
		n, err := answer.Body.Read(b)
		if got.Write(b[:n]); err != nil {
			s.t.Errorf("the stream: %d %v %s", answer.StatusCode, err, got.String())
			return
		}
	}
}

// anEvent is an exposure of the flag.
func anEvent(s *standing) string {
	return fmt.Sprintf(`[{"kind":"exposure","id":"%s","flag":"checkout.express","variant":"on","unit":{"kind":"user","id":"u"},"at":%q}]`,
		s.replica.ID, now().Format(time.RFC3339))
}

// TestWithoutAWarehouse: the engine's library is nowhere. Flags are served,
// events are taken, and what is to be counted is 503 with the way out.
func TestWithoutAWarehouse(t *testing.T) {
	s := stand(t, config{Data: t.TempDir(), Lib: "/no/such/libchdb.so"})
	s.servesFlags()
	within(t, "the warehouse has been tried", func() bool {
		_, body := s.ask("GET", "/readyz", "")
		return strings.Contains(body, "there is no library at /no/such/libchdb.so")
	})
	s.want(503, `"event intake":"ok"`, "GET", "/readyz", "")
	s.want(503, "there is no library at /no/such/libchdb.so", "GET", "/readyz", "")
	s.want(503, "make engine", "GET", "/api/v1/facts", "")
	if answer, body := s.ask("POST", "/v1/events?environment=production", anEvent(s)); answer.StatusCode != 202 {
		t.Errorf("events: %d %s", answer.StatusCode, body)
	}
	if err := s.counting.first(t.Context()); err == nil {
		t.Error("the warehouse is there")
	}
}

// TestServerThatIsNotThere: a ClickHouse server that nobody can reach.
func TestServerThatIsNotThere(t *testing.T) {
	s := stand(t, config{Data: t.TempDir(), Clickhouse: "http://127.0.0.1:1/sluice"})
	s.servesFlags()
	within(t, "the warehouse has been tried", func() bool {
		_, body := s.ask("GET", "/readyz", "")
		return strings.Contains(body, "connection refused")
	})
	s.want(503, "/problems/unavailable", "GET", "/api/v1/facts", "")
}

// TestEngineThatIsGone: the engine's child is killed, and there is no library
// any more to start another with.
func TestEngineThatIsGone(t *testing.T) {
	library := filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.Symlink(enginetest.Library(t), library); err != nil {
		t.Fatal(err)
	}
	s := stand(t, config{Data: t.TempDir(), Lib: library})
	if err := s.counting.first(t.Context()); err != nil {
		t.Fatal(err)
	}
	within(t, "the warehouse answers", func() bool { _, body := s.ask("GET", "/readyz", ""); return strings.Contains(body, `"warehouse":"ok"`) })
	s.want(200, "shards", "GET", "/api/v1/facts", "")
	c, _ := s.counting.get()
	if err := os.Remove(library); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(c.motor.Status().PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	within(t, "the engine is missed", func() bool {
		answer, _ := s.ask("GET", "/readyz", "")
		return answer.StatusCode == 503
	})
	s.servesFlags()
	s.want(503, `"flags":"ok"`, "GET", "/readyz", "")
	s.want(503, "the warehouse is not there now; flags are served", "GET", "/api/v1/facts", "")
	if err := os.Symlink(enginetest.Library(t), library); err != nil {
		t.Fatal(err)
	}
	within(t, "the engine is there again", func() bool {
		answer, _ := s.ask("GET", "/api/v1/facts", "")
		return answer.StatusCode == 200
	})
}

// TestFactsThatAreGone takes the stream of facts away from a running house,
// and starts another one without it.
func TestFactsThatAreGone(t *testing.T) {
	url := natsServer(t)
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	c := config{Data: t.TempDir(), Nats: url, TrustSync: true, Roles: roles{doors.Flags, doors.Ingest, doors.Web}, Lib: "/no/such/libchdb.so"}
	s := stand(t, c)
	s.servesFlags()
	const events = "/v1/events?environment=production"
	if answer, body := s.ask("POST", events, anEvent(s)); answer.StatusCode != 202 {
		t.Fatalf("events: %d %s", answer.StatusCode, body)
	}
	st, err := js.Stream(t.Context(), "FACTS_0")
	if err == nil {
		err = js.DeleteStream(t.Context(), "FACTS_0")
	}
	if err != nil {
		t.Fatal(err)
	}
	within(t, "the facts are missed", func() bool {
		_, body := s.ask("GET", "/readyz", "")
		return !strings.Contains(body, `"event intake":"ok"`)
	})
	s.want(503, "/problems/unavailable", "POST", events, anEvent(s))
	s.servesFlags()
	s.stop()

	other := st.CachedInfo().Config
	other.MaxAge = time.Hour // with which facts would be lost
	if _, err := js.CreateStream(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	again := stand(t, c)
	again.token = s.token
	again.servesFlags()
	again.want(503, "the event intake is not there now", "POST", events, anEvent(again))
	again.want(503, "max age is 1h0m0s, not 0s", "GET", "/readyz", "")
	if err := js.DeleteStream(t.Context(), "FACTS_0"); err != nil {
		t.Fatal(err)
	}
	within(t, "events are taken again", func() bool {
		answer, _ := again.ask("POST", events, anEvent(again))
		return answer.StatusCode == 202
	})
}

// TestDamagedFacts starts on files of which a byte has changed: events are
// refused, flags are not.
func TestDamagedFacts(t *testing.T) {
	c := config{Data: t.TempDir(), Lib: "/no/such/libchdb.so"}
	s := stand(t, c)
	s.servesFlags()
	s.want(202, "", "POST", "/v1/events?environment=production", anEvent(s))
	s.stop()
	block := filepath.Join(filepath.Dir(controlBlock(c.Data)), "..", "..", "FACTS_0", "msgs", "1.blk")
	b, err := os.ReadFile(block)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(block, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		again := stand(t, c)
		again.token = s.token
		again.servesFlags()
		again.want(503, "the event intake is not there now", "POST", "/v1/events?environment=production", anEvent(again))
		again.want(503, "FACTS_0 is missing", "GET", "/readyz", "")
		again.stop()
	}
	if left, err := os.ReadFile(block); err != nil || !bytes.Equal(left, b) {
		t.Errorf("the damaged file is not what and where it was: %v", err)
	}
}

// TestNATSThatIsGone: without the server of the log, every evaluation is
// answered from what is known, and load balancers keep the replica.
func TestNATSThatIsGone(t *testing.T) {
	url, end := natsServerToEnd(t)
	s := stand(t, config{Data: t.TempDir(), Nats: url, TrustSync: true, Roles: roles{doors.Flags, doors.Web}})
	s.servesFlags()
	end()
	within(t, "the server is missed", func() bool {
		answer, _ := s.ask("GET", "/readyz", "")
		return answer.StatusCode == http.StatusServiceUnavailable
	})
	for i := range 300 {
		s.want(200, `"value":true`, "POST", "/ofrep/v1/evaluate/flags/checkout.express?environment=production", fmt.Sprintf(`{"context":{"targetingKey":"u-%d"}}`, i))
	}
	s.want(200, `"flags":"ok"`, "GET", "/readyz?for=flags", "")
	s.want(200, "<html", "GET", "/", "")
	s.streams()
	begin := time.Now()
	s.stop()
	if took := time.Since(begin); took > time.Minute { // each part waits for a few seconds
		t.Errorf("it shut down in %v", took)
	}
}

// TestFoldThatStops: after an event that cannot be applied, flags are answered
// as of the one before, and nothing is changed by a replica that does not know
// what the log has.
func TestFoldThatStops(t *testing.T) {
	s := stand(t, config{Data: t.TempDir(), Roles: roles{doors.Flags, doors.Web}, Lib: "/no/such/libchdb.so"})
	s.servesFlags()
	bad := event.Event{ID: event.New(), Source: "test", Type: flags.EventType, Subject: "flag.checkout.express", Time: now(), Actor: "test", Data: []byte(`[]`)}
	if _, err := s.house.streams.Log.Append(t.Context(), bad, event.Any); err != nil {
		t.Fatal(err)
	}
	within(t, "the fold stops", func() bool {
		answer, _ := s.ask("GET", "/readyz?for=flags", "")
		return answer.StatusCode == http.StatusServiceUnavailable
	})
	s.want(200, `"value":true`, "POST", "/ofrep/v1/evaluate/flags/checkout.express?environment=production", `{"context":{"targetingKey":"u-1"}}`)
	s.want(503, "no longer follows", "POST", "/api/v1/flags/checkout.express/disable", `{"environment":"production","comment":"off"}`)
	if last, err := s.house.streams.Log.Last(t.Context()); err != nil || last != s.projection.Seq()+1 {
		t.Errorf("the log ends at %d, %v; the fold at %d", last, err, s.projection.Seq())
	}
}

// natsServer runs a server on a port that writes before it answers.
func natsServer(t *testing.T) string {
	t.Helper()
	url, _ := natsServerToEnd(t)
	return url
}

// natsServerToEnd runs one that can be ended before the test is over.
func natsServerToEnd(t *testing.T) (url string, end func()) {
	t.Helper()
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
		JetStreamMaxStore: 8 << 30, JetStreamMaxMemory: 64 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	end = func() { srv.Shutdown(); srv.WaitForShutdown() }
	t.Cleanup(end)
	if !srv.ReadyForConnections(2 * time.Minute) {
		t.Fatal("the server did not start")
	}
	return srv.ClientURL(), end
}
