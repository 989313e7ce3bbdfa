package decisions

import (
	"encoding/json"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// TestSnapshot restores the state at every place of the recorded events, which
// have every type there is, with decisions that wait and that had their effect.
func TestSnapshot(t *testing.T) {
	var events []event.Recorded
	readJSON(t, "testdata/events.json", &events)
	eventtest.Fold(t, func() *State { return NewState(Known{}) }, events)
}

func TestSnapshot_refusesWhatIsNone(t *testing.T) {
	if err := NewState(Known{}).Restore(json.RawMessage(`{"rollouts":[]}`)); err == nil {
		t.Error("a list of rollouts is restored")
	}
}
