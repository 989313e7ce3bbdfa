// Package trace writes down what an event leads to as spans of OpenTelemetry:
// the request that brought it, the block that loaded it, the look it was
// counted in, the decision and the flag command. Rooms start spans through it
// and know nothing of what becomes of them; package otlp below sends them away.
// It decides nothing, stores nothing and has no errors: a trace that cannot be
// written must never keep an event from its way.
//
// The tracer travels in the context, so that only functions that have one, the
// shells, can start a span. Without a tracer nothing is done, and nothing is
// allocated:
//
//	ctx, span := trace.Start(ctx, trace.Consumer, "load", block.Traces...)
//	defer func() { span.End(err) }()
//	span.Number("sluice.rows", rows)
//
// Between processes, and between a message and whoever reads it later, a place
// in a trace is a text: the traceparent of W3C Trace Context.
package trace

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Kind is a span's part in a conversation between processes.
type Kind int

// The kinds of spans that there are here.
const (
	Internal = Kind(trace.SpanKindInternal)
	Server   = Kind(trace.SpanKindServer)
	Producer = Kind(trace.SpanKindProducer)
	Consumer = Kind(trace.SpanKindConsumer)
)

// scope names the library that the spans are of: this program itself.
const scope = "github.com/sluice-hq/sluice"

type tracerKey struct{}

// With returns a context below which spans are started with a provider's tracer.
func With(ctx context.Context, p trace.TracerProvider) context.Context {
	return context.WithValue(ctx, tracerKey{}, p.Tracer(scope))
}

// On reports whether spans are written below ctx.
func On(ctx context.Context) bool { return ctx.Value(tracerKey{}) != nil }

// Span is something that takes its time. The zero Span is none: it takes
// everything and says nothing.
type Span struct{ span trace.Span }

// Start begins a span below the one that ctx is in, and returns a context that
// is in it. links are traceparents of what it goes back to without being part
// of it; those that cannot be read are passed over.
func Start(ctx context.Context, kind Kind, name string, links ...string) (context.Context, Span) {
	tracer, on := ctx.Value(tracerKey{}).(trace.Tracer)
	if !on {
		return ctx, Span{}
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKind(kind))}
	for _, l := range links {
		if at := parse(l); at.IsValid() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: at}))
		}
	}
	ctx, span := tracer.Start(ctx, name, options...)
	return ctx, Span{span}
}

// Text notes a text.
func (s Span) Text(key, value string) {
	if s.span != nil {
		s.span.SetAttributes(attribute.String(key, value))
	}
}

// Number notes a number.
func (s Span) Number(key string, value int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int(key, value))
	}
}

// End ends the span, which failed when there is an error.
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	if err != nil {
		s.span.SetStatus(codes.Error, err.Error())
	}
	s.span.End()
}

// In returns the span that ctx is in.
func In(ctx context.Context) Span {
	if !On(ctx) {
		return Span{}
	}
	return Span{trace.SpanFromContext(ctx)}
}

// Link notes what the span goes back to, where that is known only after it has
// begun.
func (s Span) Link(traceparent string) {
	if at := parse(traceparent); s.span != nil && at.IsValid() {
		s.span.AddLink(trace.Link{SpanContext: at})
	}
}

// Parent returns the traceparent of the span that ctx is in; empty when nobody
// is to hear of it.
func Parent(ctx context.Context) string {
	if !On(ctx) || !trace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[header]
}

// From returns a context whose spans are below the one that a request's headers
// name, if they do.
func From(ctx context.Context, h http.Header) context.Context {
	if !On(ctx) {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(h))
}

const header = "traceparent"

// parse reads a traceparent; what cannot be read is no place in a trace.
func parse(traceparent string) trace.SpanContext {
	carrier := propagation.MapCarrier{header: traceparent}
	ctx := propagation.TraceContext{}.Extract(context.Background(), carrier)
	return trace.SpanContextFromContext(ctx)
}
