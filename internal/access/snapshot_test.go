package access

import (
	"encoding/json"
	"testing"

	"github.com/sluice-hq/sluice/event/eventtest"
)

// TestSnapshot goes through every event that the fold knows.
func TestSnapshot(t *testing.T) {
	eventtest.Fold(t, NewState, story(t).history())
	if err := NewState().Restore(json.RawMessage(`[]`)); err == nil {
		t.Error("a list is restored")
	}
}
