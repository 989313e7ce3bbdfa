package flags

import (
	"encoding/json"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// TestSnapshot restores the state at every place of a story that has every
// change there is: what State keeps beside the flags must come back too.
func TestSnapshot(t *testing.T) {
	eventtest.Fold(t, NewState, read(t, story(t).log))
}

func TestSnapshot_refusesWhatIsNone(t *testing.T) {
	for _, bad := range []string{`{"ids":"AAA="}`, `{"flags":[]}`, `x`} {
		if err := NewState().Restore(json.RawMessage(bad)); err == nil {
			t.Errorf("%s is restored", bad)
		}
	}
}

// read returns every event of a log.
func read(t *testing.T, log event.Log) (list []event.Recorded) {
	t.Helper()
	for r, err := range log.Read(t.Context(), event.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}
