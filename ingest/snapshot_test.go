package ingest_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/stats"
)

func TestCatalog_snapshot(t *testing.T) {
	c, log := ingest.NewCatalog(), event.NewMemLog()
	for _, m := range []ingest.Metric{
		metric(),
		metric(func(m *ingest.Metric) {
			m.Key, m.Event, m.Aggregate, m.Denominator = "per_visit", "", stats.Ratio, &ingest.Denominator{Event: "visit"}
		}),
		metric(func(m *ingest.Metric) { m.Event = "bought" }),
	} {
		record(t, c, log, ingest.Define{ID: event.Derive("snapshot", m.Key, m.Event), Metric: m, Expect: event.Any, At: noon, Actor: "person:ana"})
	}
	var history []event.Recorded
	for r, err := range log.Read(t.Context(), event.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, r)
	}
	// The whole catalog hangs on an atomic pointer: what it says is compared.
	said := cmp.Comparer(func(a, b *ingest.Catalog) bool {
		same := cmp.Equal(a.State(), b.State())
		for _, name := range []string{"purchase", "visit", "bought", "per_visit"} {
			same = same && cmp.Equal(a.ByEvent(name), b.ByEvent(name))
		}
		return same
	})
	eventtest.Fold(t, ingest.NewCatalog, history, said)
	if err := ingest.NewCatalog().Restore(json.RawMessage(`{}`)); err == nil {
		t.Error("an object is restored")
	}
}
