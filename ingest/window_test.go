package ingest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// windows are those of environments by name.
type windows map[string]ingest.Window

func (w windows) Window(environment string) ingest.Window { return w[environment] }

// TestDoor_windows takes at the edge of each environment's window and refuses
// behind it; what is imported may be as old as it likes, and no further ahead.
func TestDoor_windows(t *testing.T) {
	const day = 24 * time.Hour
	d := door()
	d.Windows = windows{"staging": {Late: 30 * day, Ahead: 5 * time.Minute}}
	for _, c := range []struct {
		environment string
		imported    bool
		off         time.Duration // of the event
		why         string        // empty: taken
	}{
		{"production", false, -7 * day, ""},
		{"production", false, -7*day - time.Millisecond, "is older than the late window of 7d"},
		{"production", false, time.Hour, ""},
		{"production", false, time.Hour + time.Millisecond, "is more than 1h in the future"},
		{"staging", false, -30 * day, ""},
		{"staging", false, -30*day - time.Millisecond, "is older than the late window of 30d"},
		{"staging", false, 5 * time.Minute, ""},
		{"staging", false, 5*time.Minute + time.Millisecond, "is more than 5m in the future"},
		{"staging", true, -900 * day, ""},
		{"staging", true, time.Hour, "is more than 5m in the future"},
	} {
		d.Replay = c.imported
		body := fmt.Sprintf(`{"kind":"metric","id":%q,"name":"purchase","units":{"user":"u-1"}}`, ingesttest.ID(noon.Add(c.off), 1))
		_, err := d.Accept(c.environment, []byte(body), noon)
		var refused ingest.Refused
		if errors.As(err, &refused) != (c.why != "") || c.why != "" && (refused[0].Reason != ingest.TimeWindow || refused[0].Why != c.why) {
			t.Errorf("%s, %v off, imported %v: %v, want %q", c.environment, c.off, c.imported, err, c.why)
		}
	}
}

// TestDoor_before1970: no import brings back what happened before there were
// such clocks, and nobody is told to import what he imports.
func TestDoor_before1970(t *testing.T) {
	d := door()
	d.Replay = true
	_, err := d.Accept("production", []byte(`{"kind":"metric","id":"`+ingesttest.ID(noon, 1).String()+`","name":"purchase","at":"1969-12-31T23:59:59Z","units":{"user":"u"}}`), noon)
	var refused ingest.Refused
	if !errors.As(err, &refused) || refused[0].Field != "at" || refused[0].Why != "is before 1970" {
		t.Errorf("got %v, want a refusal of at", err)
	}
}
