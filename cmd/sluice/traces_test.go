package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	doors "github.com/sluice-hq/sluice/internal/server"
	"github.com/sluice-hq/sluice/internal/trace/tracetest"
)

// TestTraceToTheDecision follows one request with events through a whole house
// to the flag command that they caused. What is drawn stands in the
// documentation.
func TestTraceToTheDecision(t *testing.T) {
	spans := tracetest.NewRecorder()
	s := stand(t, config{Data: t.TempDir(), Lib: enginetest.Library(t)}, func(h *house) { h.traces = spans.Sender() })
	s.want(200, "", "POST", "/api/v1/apply", goesWrong)
	s.want(200, "", "POST", "/api/v1/rollouts/production/checkout.wrong/1/start", "{}")
	within(t, "it is in its first stage", func() bool { return s.release().Stage == 0 })
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	s.post(failing(s), "00-"+trace+"-00f067aa0ba902b7-01")
	within(t, "it is rolled back and the spans are written", func() bool { return s.release().Return != nil && spans.Has(trace, "change flag") })
	within(t, "the look has ended", func() bool { return spans.Has(trace, "look") })
	got := spans.Draw(trace, "http.response.status_code", "sluice.events", "sluice.shard", "sluice.rows", "sluice.action", "sluice.flag")
	docs, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(docs), "<!-- a trace -->\n```\n")
	want, _, _ := strings.Cut(rest, "```")
	if got != want {
		t.Errorf("drawn (-documentation +got):\n%s", cmp.Diff(want, got))
	}
}

// TestTraces_collectorThatHangs: no request waits for a collector, and the end of
// a house sends what is left.
func TestTraces_collectorThatHangs(t *testing.T) {
	c := tracetest.NewCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10") // ms
	t.Setenv("OTEL_BSP_EXPORT_TIMEOUT", "600000")
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "600000")
	c.Hold()
	s := stand(t, config{Data: t.TempDir(), Roles: roles{doors.Flags, doors.Ingest}})
	s.want(200, "", "POST", "/api/v1/apply", aFlag)
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	s.post(anEvent(s), "00-"+trace+"-"+parent+"-01")
	c.Await() // and is not answered
	for range 3 {
		s.post(anEvent(s), "")
		s.want(200, `"value":true`, "POST", "/ofrep/v1/evaluate/flags/checkout.express?environment=production", `{"context":{"targetingKey":"u"}}`)
	}
	c.Release()
	s.stop()
	want := map[string]int{"POST /v1/events of the sender": 1, "POST /v1/events of nobody": 3, "publish events of a request": 4}
	var got map[string]int
	within(t, "all spans have arrived", func() bool {
		got = arrived(c, trace+" "+parent)
		return got["POST /v1/events of the sender"]+got["POST /v1/events of nobody"] >= 4
	})
	delete(got, "publish events of nobody") // what the house itself evaluated
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("of 4 requests (-want +arrived):\n%s", d)
	}
	if about := c.Resource(); about["service.instance.id"] != s.replica.ID || about["service.version"] != version {
		t.Errorf("they are of %v", about)
	}
}

// arrived counts the spans that have arrived by name and by what they are a part of.
func arrived(c *tracetest.Collector, sender string) map[string]int {
	all := map[string]int{}
	for _, batch := range c.Batches() {
		for _, span := range batch {
			of := "nobody"
			switch {
			case fmt.Sprintf("%x %x", span.TraceId, span.ParentSpanId) == sender:
				of = "the sender"
			case len(span.ParentSpanId) > 0:
				of = "a request"
			}
			all[span.Name+" of "+of]++
		}
	}
	return all
}

// failing are units of both arms, of which some treated ones fail.
func failing(s *standing) string {
	var f flags.Recorded
	s.projection.View(func(uint64) { f, _ = s.folds.Flags.Flag("checkout.wrong") })
	var events []string
	at := now().Format("2006-01-02T15:04:05.000Z07:00")
	for i := range 200 {
		events = append(events, fmt.Sprintf(`{"kind":"exposure","id":%q,"flag":"checkout.wrong","variant":%q,"unit":{"kind":"user","id":"u-%d"},"revision":%d,"enrolled":true,"reason":"SPLIT","at":%q}`,
			event.New(), []string{"on", "off"}[i%2], i, f.Revision, at))
	}
	for i := range 15 {
		events = append(events, fmt.Sprintf(`{"kind":"metric","id":%q,"name":"checkout_error","value":1,"units":{"user":"u-%d"},"at":%q}`, event.New(), 2*i, at))
	}
	return "[" + strings.Join(events, ",") + "]"
}

// post sends events as a part of a trace.
func (s *standing) post(events, traceparent string) {
	s.t.Helper()
	q, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.address()+"/v1/events?environment=production", strings.NewReader(events))
	if err != nil {
		s.t.Fatal(err)
	}
	q.Header = http.Header{"Authorization": {"Bearer " + s.token}, "Content-Type": {"application/json"}, "Traceparent": {traceparent}}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		s.t.Fatalf("the events are answered %d", answer.StatusCode)
	}
}

// TestWantsTraces: traces are off until the environment names a collector.
func TestWantsTraces(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	for _, tt := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{endpoint: "http://collector:4318"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/metrics"}, false},
		{map[string]string{endpoint: "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, false},
		{map[string]string{endpoint: "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, false},
	} {
		if got := wantsTraces(func(name string) string { return tt.env[name] }); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.env, got, tt.want)
		}
	}
}
