package event_test

import (
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

func TestMemLog(t *testing.T) {
	eventtest.Log(t, func(*testing.T) event.Log { return event.NewMemLog() })
}

func TestMemBlobs(t *testing.T) {
	eventtest.Blobs(t, func(*testing.T) event.Blobs { return new(event.MemBlobs) })
}
