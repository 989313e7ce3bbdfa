package main

import (
	"cmp"
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/internal/trace"
	"github.com/sluice-hq/sluice/internal/trace/otlp"
	"github.com/sluice-hq/sluice/internal/warehouse"
)

// openTraces makes what sends the spans of this process, if the environment
// says where to. A house without traces is whole: what is wrong with them is
// said, and is no reason not to start.
func (h *house) openTraces(ctx context.Context) error {
	if !wantsTraces(os.Getenv) {
		return nil
	}
	if p := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")); p != "" && p != "http/protobuf" {
		h.lg.Warn("no traces are sent: only http/protobuf is spoken, mostly on port 4318", "protocol", p)
		return nil
	}
	var err error
	if h.traces, err = otlp.Open(ctx, otlp.Self{Version: version, Instance: h.replica.ID}, h.lg); err != nil {
		h.lg.Warn("no traces are sent", "error", err)
	}
	return nil
}

// wantsTraces reports whether the environment, as OpenTelemetry reads it, names
// a collector and does not switch traces off.
func wantsTraces(getenv func(string) string) bool {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || getenv("OTEL_TRACES_EXPORTER") == "none" {
		return false
	}
	return getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != ""
}

// closeTraces sends what is left. That nobody takes it is no fault of the house.
func (h *house) closeTraces() {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	if err := h.traces.Close(ctx); err != nil {
		h.lg.Warn("some traces are lost", "error", err)
	}
}

// linkBlocks links the look at a rollout to the newest block of every shard that its
// evidence was counted from.
func linkBlocks(ctx context.Context, kept warehouse.Kept) {
	look := trace.In(ctx)
	for _, shard := range slices.Sorted(maps.Keys(kept.Progress)) {
		look.Link(kept.Progress[shard].Trace)
	}
}
