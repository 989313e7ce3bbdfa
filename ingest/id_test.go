package ingest_test

import (
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// TestDeriveID: an ID that is derived is one that the door takes, has the
// event's time, and never changes, since an import that is repeated would count
// everything again.
func TestDeriveID(t *testing.T) {
	at := time.Date(2026, 11, 1, 9, 30, 0, 250e6, time.UTC)
	id := ingest.DeriveID(at, "orders", "4711")
	if got, want := id.String(), "01a19671-c2ba-7b4e-9d01-2d39858d1fb3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if id.Version() != 7 || ingest.DayOf(id) != ingest.Day(at.Unix()/86400) {
		t.Errorf("%s is of version %d and day %d", id, id.Version(), ingest.DayOf(id))
	}
	seen := map[event.ID]string{id: "itself"}
	for name, other := range map[string]event.ID{
		"another time": ingest.DeriveID(at.Add(time.Millisecond), "orders", "4711"), "another part": ingest.DeriveID(at, "orders", "4712"),
		"other borders": ingest.DeriveID(at, "orders4", "711"), "no border": ingest.DeriveID(at, "orders4711"), "an empty part": ingest.DeriveID(at, "orders", "4711", ""),
	} {
		if was, ok := seen[other]; ok {
			t.Errorf("%s gives the ID of %s", name, was)
		}
		seen[other] = name
	}
}
