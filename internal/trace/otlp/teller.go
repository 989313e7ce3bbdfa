package otlp

import (
	"context"
	"log/slog"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// teller is an exporter that says when spans begin to be lost, and how many were
// when they are taken again: a collector may be away for days, and there may be
// many batches a second. The SDK calls it from one goroutine at a time.
type teller struct {
	sdk.SpanExporter
	lg   *slog.Logger
	lost int // spans since a batch was taken
}

// ExportSpans implements sdk.SpanExporter. What goes wrong is said here.
func (e *teller) ExportSpans(ctx context.Context, batch []sdk.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, batch)
	if err == nil {
		e.found()
		return nil
	}
	if e.lost == 0 {
		e.lg.Warn("the collector does not take spans: they are lost until it does", "error", err)
	}
	e.lost += len(batch)
	return nil
}

// Shutdown implements sdk.SpanExporter.
func (e *teller) Shutdown(ctx context.Context) error {
	e.found()
	return e.SpanExporter.Shutdown(ctx)
}

// found says what was lost until now.
func (e *teller) found() {
	if e.lost > 0 {
		e.lg.Warn("spans were lost", "lost", e.lost)
	}
	e.lost = 0
}
