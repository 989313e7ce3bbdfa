package tracetest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	collect "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Collector is a program in this process that spans are sent to: it takes OTLP
// over HTTP, in protobuf. NewCollector makes one.
type Collector struct {
	*httptest.Server
	t    testing.TB
	came chan http.Header // of every request, before it is answered

	mu     sync.Mutex
	status int           // that it answers
	held   chan struct{} // nil: it answers at once
	got    []*collect.ExportTraceServiceRequest
}

// NewCollector returns a collector that takes everything.
func NewCollector(t testing.TB) *Collector {
	c := &Collector{t: t, came: make(chan http.Header, 10_000), status: http.StatusOK}
	c.Server = httptest.NewServer(c)
	t.Cleanup(func() {
		c.Release()
		c.Server.Close()
	})
	return c
}

// Answer has it answer another status. What it does not take is not kept.
func (c *Collector) Answer(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

// Hold has it answer nobody until it is released.
func (c *Collector) Hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = make(chan struct{})
}

// Release has it answer all that it was holding.
func (c *Collector) Release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held != nil {
		close(c.held)
		c.held = nil
	}
}

// Await waits until one more request has come, and returns its headers.
func (c *Collector) Await() http.Header {
	c.t.Helper()
	select {
	case h := <-c.came:
		return h
	case <-time.After(2 * time.Minute):
		c.t.Fatal("no spans are sent")
		return nil
	}
}

// Batches returns the spans that it has taken, as they came together.
func (c *Collector) Batches() (all [][]*spans.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.got {
		var batch []*spans.Span
		for _, of := range r.ResourceSpans {
			for _, by := range of.ScopeSpans {
				batch = append(batch, by.Spans...)
			}
		}
		all = append(all, batch)
	}
	return all
}

// Spans returns the spans that it has taken, by name.
func (c *Collector) Spans() map[string]*spans.Span {
	all := map[string]*spans.Span{}
	for _, batch := range c.Batches() {
		for _, s := range batch {
			all[s.Name] = s
		}
	}
	return all
}

// Resource returns what the first request says of who sends.
func (c *Collector) Resource() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.got) == 0 {
		return nil
	}
	return Texts(c.got[0].ResourceSpans[0].Resource.Attributes)
}

// Texts returns attributes whose values are texts.
func Texts(attributes []*common.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range attributes {
		all[a.Key] = a.Value.GetStringValue()
	}
	return all
}

// ServeHTTP implements http.Handler.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	request := &collect.ExportTraceServiceRequest{}
	if err == nil {
		err = proto.Unmarshal(body, request)
	}
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		c.t.Errorf("%s %s of %s: %v", r.Method, r.URL.Path, r.Header.Get("Content-Type"), err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	held, status := c.held, c.status // as they are before anybody hears of the request
	c.mu.Unlock()
	c.came <- r.Header
	if held != nil {
		<-held
	}
	if status == http.StatusOK {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.got = append(c.got, request)
	}
	w.WriteHeader(status)
}
