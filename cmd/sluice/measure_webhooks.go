package main

import (
	"context"

	"github.com/sluice-hq/sluice/internal/meter"
	"github.com/sluice-hq/sluice/internal/notify"
)

// measureWebhooks returns how the deliveries of every webhook go. They are few:
// administrators declare them.
func (h *house) measureWebhooks(ctx context.Context) []meter.Family {
	waiting := meter.Family{Name: "sluice_webhook_waiting", Help: "Deliveries that wait for their next try.", Kind: meter.Gauge}
	failing := meter.Family{Name: "sluice_webhook_failing_seconds", Help: "Since when every try has failed, 0 while the last one did not.", Kind: meter.Gauge}
	suspended := meter.Family{Name: "sluice_webhook_suspended", Help: "1 while nothing is sent, until somebody resumes it.", Kind: meter.Gauge}
	ended := meter.Family{Name: "sluice_webhook_deliveries_total", Help: "Deliveries by what they ended in.", Kind: meter.Counter}
	var hooks []notify.Hook
	h.projection.View(func(uint64) { hooks = h.folds.Webhooks.Hooks() })
	for _, w := range hooks {
		suspended.Add(truth(w.Suspended != nil), "webhook", w.Key)
		b, err := h.hooks.Outbox(ctx, w.Key)
		if err != nil {
			continue
		}
		since := 0.0
		if !b.Failing.IsZero() {
			since = now().Sub(b.Failing).Seconds()
		}
		waiting.Add(float64(len(b.Waiting)), "webhook", w.Key)
		failing.Add(since, "webhook", w.Key)
		ended.Add(float64(b.Delivered), "webhook", w.Key, "outcome", "delivered")
		ended.Add(float64(b.GivenUp), "webhook", w.Key, "outcome", "given up")
	}
	return []meter.Family{waiting, failing, suspended, ended}
}
