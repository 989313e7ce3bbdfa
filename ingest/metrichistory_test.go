package ingest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// TestMetricHistory tells what each version of a definition made different.
func TestMetricHistory(t *testing.T) {
	at := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	catalog := NewCatalog()
	var events []event.Recorded
	define := func(seq uint64, m Metric, comment string) {
		e, _, err := catalog.Handle(Define{ID: event.New(), Metric: m, Expect: event.Any, At: at.Add(time.Duration(seq) * time.Hour), Actor: "person:ana", Comment: comment})
		if err != nil {
			t.Fatal(err)
		}
		r := event.Recorded{Event: e, Seq: seq}
		if err := catalog.Apply(r); err != nil {
			t.Fatal(err)
		}
		events = append(events, r)
	}
	m := Metric{Key: "orders", Description: "Orders", Owner: "shop", Aggregate: "count", Direction: "increase"}
	define(3, m, "")
	m.Aggregate, m.Cap = "sum", &Cap{Percentile: 0.99}
	define(9, m, "revenue is what counts")
	got, err := MetricHistory(append(events, event.Recorded{Event: event.Event{Type: "other"}}))
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %+v", err, got)
	}
	if diff := cmp.Diff([]string{"aggregate: count → sum", `cap: none → {"percentile":0.99}`}, got[1].Changes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got[0].Changes != nil || got[1].Version != 2 || got[1].Revision != 9 || got[1].Comment != "revenue is what counts" || got[1].Metric.Aggregate != "sum" {
		t.Errorf("the versions are %+v", got)
	}
	events[0].Data = []byte("{")
	if _, err := MetricHistory(events); err == nil {
		t.Error("an event that cannot be read was told")
	}
}
