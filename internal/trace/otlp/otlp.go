// Package otlp sends spans to a collector, as OTLP over HTTP. Where to and how
// is said by the environment variables that OpenTelemetry has for it:
// OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER,
// OTEL_SERVICE_NAME and their kin, which its SDK reads by itself.
//
// Spans wait in a bounded queue and are dropped when it is full: whoever starts
// or ends one never waits for the collector.
package otlp

import (
	"context"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/sluice-hq/sluice/internal/trace"
)

// Self says who writes the spans.
type Self struct {
	Version  string
	Instance string // differs between replicas, and at every start
}

// Sender sends what is traced. The nil *Sender traces nothing.
type Sender struct{ provider *sdk.TracerProvider }

// Open returns a Sender to where the environment says. It does not wait for the
// collector; what goes wrong with it later is logged.
func Open(ctx context.Context, self Self, lg *slog.Logger) (*Sender, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("preparing to send traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "sluice"), attribute.String("service.version", self.Version), attribute.String("service.instance.id", self.Instance),
	), resource.WithFromEnv())
	if err != nil {
		lg.Warn("spans say less of this program than OTEL_RESOURCE_ATTRIBUTES wants", "error", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { lg.Warn("sending traces", "error", err) })) // the SDK has one place for what its goroutines run into
	return New(sdk.NewTracerProvider(sdk.WithBatcher(&teller{SpanExporter: exporter, lg: lg}), sdk.WithResource(about))), nil
}

// New returns a Sender by a provider of one's own.
func New(p *sdk.TracerProvider) *Sender { return &Sender{p} }

// Into returns a context below which spans are written and sent.
func (s *Sender) Into(ctx context.Context) context.Context {
	if s == nil {
		return ctx
	}
	return trace.With(ctx, s.provider)
}

// Close sends what is left until ctx is done.
func (s *Sender) Close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	if err := s.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("sending the last traces: %w", err)
	}
	return nil
}
