// Package tracetest keeps spans in memory and draws them as a tree, for tests.
package tracetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/sluice-hq/sluice/internal/trace/otlp"
)

// Recorder keeps the spans that are exported to it. NewRecorder makes one.
type Recorder struct{ exporter *tracetest.InMemoryExporter }

// NewRecorder returns a Recorder.
func NewRecorder() *Recorder { return &Recorder{tracetest.NewInMemoryExporter()} }

// Sender returns one that sends to the recorder, every span as it ends.
func (r *Recorder) Sender() *otlp.Sender {
	return otlp.New(sdk.NewTracerProvider(sdk.WithSyncer(r.exporter)))
}

// Has reports whether a span of a name has ended that links to the trace, or
// goes back to it by spans in between.
func (r *Recorder) Has(trace, name string) bool {
	return slices.ContainsFunc(r.from(trace), func(s tracetest.SpanStub) bool { return s.Name == name })
}

// from returns the spans of a trace, and of those that its links lead to.
func (r *Recorder) from(id string) []tracetest.SpanStub {
	all, traces := r.exporter.GetSpans(), map[string]bool{id: true}
	for grown := true; grown; {
		grown = false
		for _, s := range all {
			own := s.SpanContext.TraceID().String()
			follows := slices.ContainsFunc(s.Links, func(l sdk.Link) bool { return traces[l.SpanContext.TraceID().String()] })
			if follows && !traces[own] {
				traces[own], grown = true, true
			}
		}
	}
	return slices.DeleteFunc(all, func(s tracetest.SpanStub) bool { return !traces[s.SpanContext.TraceID().String()] })
}

// Draw draws the spans that a trace led to, in the order in which they began:
// below each those that are part of it, and, with an arrow, those that link to
// it. A span that links to several stands below the first. Of the attributes
// show says which are shown.
func (r *Recorder) Draw(traceID string, show ...string) string {
	d := drawing{spans: r.from(traceID), show: show, drawn: map[trace.SpanID]bool{}}
	slices.SortStableFunc(d.spans, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
	for _, s := range d.spans {
		d.draw(s, 0, "")
	}
	return d.String()
}

type drawing struct {
	strings.Builder
	spans []tracetest.SpanStub
	show  []string
	drawn map[trace.SpanID]bool
}

func (d *drawing) draw(s tracetest.SpanStub, depth int, arrow string) {
	id := s.SpanContext.SpanID()
	if d.drawn[id] {
		return
	}
	d.drawn[id] = true
	fmt.Fprintf(d, "%s%s%s%s\n", strings.Repeat("  ", depth), arrow, s.Name, d.attributes(s))
	for _, c := range d.spans {
		if c.Parent.SpanID() == id {
			d.draw(c, depth+1, "")
		}
	}
	for _, c := range d.spans {
		if slices.ContainsFunc(c.Links, func(l sdk.Link) bool { return l.SpanContext.SpanID() == id }) {
			d.draw(c, depth+1, "~> ")
		}
	}
}

func (d *drawing) attributes(s tracetest.SpanStub) string {
	var out strings.Builder
	slices.SortFunc(s.Attributes, func(a, b attribute.KeyValue) int { return cmp.Compare(a.Key, b.Key) })
	for _, a := range s.Attributes {
		if slices.Contains(d.show, string(a.Key)) {
			fmt.Fprintf(&out, " %s=%s", a.Key, a.Value.String())
		}
	}
	return out.String()
}
