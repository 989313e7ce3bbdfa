package otlp_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/sluice-hq/sluice/internal/trace"
	"github.com/sluice-hq/sluice/internal/trace/otlp"
	"github.com/sluice-hq/sluice/internal/trace/tracetest"
)

// Somebody else's trace, of which they write.
const (
	theirs = "4bf92f3577b34da6a3ce929d0e0e4736"
	parent = "00f067aa0ba902b7"
)

// words is a log that several goroutines write.
type words struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// sending opens a sender to a collector, by the environment as people do.
func sending(t *testing.T, address string) (*otlp.Sender, *words) {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "600000") // ms: batches go when they are full, or at the end, however slow the machine is
	said := &words{}
	s, err := otlp.Open(t.Context(), otlp.Self{Version: "v7", Instance: "i-1"}, slog.New(slog.NewTextHandler(said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return s, said
}

// write starts and ends so many spans.
func write(s *otlp.Sender, n int) {
	ctx := s.Into(context.Background())
	for i := range n {
		_, span := trace.Start(ctx, trace.Internal, fmt.Sprint("span ", i))
		span.End(nil)
	}
}

func closed(t *testing.T, s *otlp.Sender) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

// TestOpen: what a process traced arrives when it ends, as it was, and says of
// whom it is.
func TestOpen(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20a-secret")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging,service.version=v8")
	c := tracetest.NewCollector(t)
	s, said := sending(t, c.URL)
	from := http.Header{"Traceparent": {"00-" + theirs + "-" + parent + "-01"}}
	ctx, request := trace.Start(trace.From(s.Into(t.Context()), from), trace.Server, "request")
	_, publish := trace.Start(ctx, trace.Producer, "publish")
	publish.Number("sluice.events", 3)
	publish.End(errors.New("the disk is full"))
	message := trace.Parent(ctx)
	request.Text("http.route", "/v1/events")
	request.End(nil)
	_, load := trace.Start(s.Into(t.Context()), trace.Consumer, "load", message)
	load.End(nil)
	unwanted := http.Header{"Traceparent": {"00-" + theirs + "-" + parent + "-00"}}
	_, silent := trace.Start(trace.From(s.Into(t.Context()), unwanted), trace.Server, "unwanted")
	silent.End(nil)
	closed(t, s)

	got := c.Spans()
	if len(got) != 3 || len(c.Batches()) != 1 {
		t.Fatalf("arrived are %v, in %d batches; the log says %s", got, len(c.Batches()), said)
	}
	for name, want := range map[string]string{
		"request": "SPAN_KIND_SERVER of " + theirs + " under " + parent + " STATUS_CODE_UNSET",
		"publish": "SPAN_KIND_PRODUCER of " + theirs + " under " + hex.EncodeToString(got["request"].SpanId) + " STATUS_CODE_ERROR",
		"load":    "SPAN_KIND_CONSUMER of " + hex.EncodeToString(got["load"].TraceId) + " under  STATUS_CODE_UNSET linked to " + hex.EncodeToString(got["request"].SpanId),
	} {
		if d := cmp.Diff(want, drawn(got[name])); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if p := got["publish"]; p.Status.Message != "the disk is full" || p.Attributes[0].Key != "sluice.events" || p.Attributes[0].Value.GetIntValue() != 3 {
		t.Errorf("the span that failed is %v", p)
	}
	if at := tracetest.Texts(got["request"].Attributes)["http.route"]; at != "/v1/events" {
		t.Errorf("the request came to %q", at)
	}
	about := c.Resource()
	for name, want := range map[string]string{"service.name": "sluice", "service.version": "v8", "service.instance.id": "i-1", "deployment.environment.name": "staging"} {
		if about[name] != want {
			t.Errorf("%s is %q, want %q", name, about[name], want)
		}
	}
	if h := c.Await(); h.Get("Authorization") != "Bearer a-secret" {
		t.Errorf("the collector was asked with %v", h)
	}
	if said.String() != "" {
		t.Errorf("the log says %s", said)
	}
}

// drawn is one span as a line.
func drawn(s *spans.Span) string {
	line := fmt.Sprintf("%s of %x under %x %s", s.Kind, s.TraceId, s.ParentSpanId, s.Status.GetCode())
	for _, l := range s.Links {
		line += fmt.Sprintf(" linked to %x", l.SpanId)
	}
	return line
}

// TestBatches: many spans go in batches that have a bound, and all arrive.
func TestBatches(t *testing.T) {
	c := tracetest.NewCollector(t)
	s, _ := sending(t, c.URL)
	const n = 1500 // fewer than may wait, so that none is dropped however slow the collector is
	write(s, n)
	closed(t, s)
	all, batches := 0, c.Batches()
	for i, b := range batches {
		if all += len(b); len(b) > 512 {
			t.Errorf("batch %d has %d spans", i, len(b))
		}
	}
	if all != n || len(batches) < 3 {
		t.Errorf("%d of %d spans arrived, in %d batches", all, n, len(batches))
	}
}

// TestCollectorThatHangs: whoever starts and ends spans never waits for it. As
// many as may wait do, and arrive when it goes on; the others are dropped.
func TestCollectorThatHangs(t *testing.T) {
	t.Setenv("OTEL_BSP_EXPORT_TIMEOUT", "600000") // ms: this machine may be slow, too
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "600000")
	c := tracetest.NewCollector(t)
	s, _ := sending(t, c.URL)
	c.Hold()
	write(s, 600)
	c.Await()      // the first batch of 512 is under way, and stays so
	write(s, 5000) // would never come back if anybody waited
	short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if err := s.Close(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the end waits for the collector: %v", err)
	}
	c.Release()
	const most = 512 + 2048
	for all, end := 0, time.Now().Add(2*time.Minute); all != most; {
		all = 0
		for _, b := range c.Batches() {
			all += len(b)
		}
		if all > most || time.Now().After(end) {
			t.Fatalf("%d spans arrived, want %d", all, most)
		}
	}
}

// TestCollectorThatRefuses: that spans are lost is said once, however many
// batches are, and how many were when they are taken again.
func TestCollectorThatRefuses(t *testing.T) {
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
	c := tracetest.NewCollector(t)
	c.Answer(http.StatusUnauthorized)
	s, said := sending(t, c.URL)
	for range 3 {
		write(s, 10)
		c.Await()
	}
	c.Answer(http.StatusOK)
	write(s, 10)
	closed(t, s)
	if n := len(c.Spans()); n != 10 {
		t.Errorf("%d spans are taken", n)
	}
	log := said.String()
	if strings.Count(log, "\n") != 2 || !strings.Contains(log, "401") || !strings.Contains(log, "lost=30") {
		t.Errorf("the log says\n%s", log)
	}
}

// TestCollectorThatIsAway: nothing listens there; what is lost is said, and the
// end waits for nobody.
func TestCollectorThatIsAway(t *testing.T) {
	c := tracetest.NewCollector(t)
	c.Server.Close()
	s, said := sending(t, c.URL)
	write(s, 3)
	closed(t, s)
	if log := said.String(); !strings.Contains(log, "connection refused") || !strings.Contains(log, "lost=3") {
		t.Errorf("the log says\n%s", log)
	}
}

// TestNobodyTraces: without a sender there is nothing to write, to send and to
// close.
func TestNobodyTraces(t *testing.T) {
	var s *otlp.Sender
	if ctx := s.Into(t.Context()); trace.On(ctx) {
		t.Error("somebody traces")
	}
	closed(t, s)
}
