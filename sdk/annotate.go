package sdk

import (
	"context"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/sluice-hq/sluice/flags"
)

// evaluated is the name of the event that semantic conventions have for an
// evaluation.
const evaluated = "feature_flag.evaluation"

// annotate writes an answer on the active span (OpenTelemetry semantic
// conventions 1.44, feature flags). A span has room for the attributes of one
// flag, which are those of the last; the event is there for each. s is nil before
// the first flags.
func annotate(ctx context.Context, s *snapshot, r *flags.Result, targetingKey string) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	list := make([]attribute.KeyValue, 0, 8)
	list = append(list,
		attribute.String("feature_flag.key", r.Key),
		attribute.String("feature_flag.provider.name", providerName),
		attribute.String("feature_flag.result.reason", strings.ToLower(string(r.Reason))))
	if s != nil {
		list = append(list, attribute.String("feature_flag.set.id", s.set.Environment()))
	}
	if r.Revision > 0 {
		list = append(list, attribute.String("feature_flag.version", strconv.FormatUint(r.Revision, 10)))
	}
	if r.Variant != "" {
		list = append(list, attribute.String("feature_flag.result.variant", r.Variant))
	}
	if id := unitOr(r, targetingKey); id != "" {
		list = append(list, attribute.String("feature_flag.context.id", id))
	}
	if r.Error != "" {
		list = append(list, attribute.String("error.type", strings.ToLower(string(r.Error))))
	}
	span.SetAttributes(list...)
	span.AddEvent(evaluated, trace.WithAttributes(list...))
}

// unitOr returns the id on which exposures join: the unit's where there is one.
func unitOr(r *flags.Result, targetingKey string) string {
	if r.UnitID != "" {
		return r.UnitID
	}
	return targetingKey
}
