package decisions

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// TestTally: what is left out counts nowhere; a stage lasts from the decision
// that entered it to the one that left it.
func TestTally(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2026, 11, 1, h, 0, 0, 0, time.UTC) }
	made := func(id string, h, from int, a Action, by, against string) Decision {
		return Decision{ID: id, At: at(h), From: from, By: by, Against: against, Verdict: Verdict{Action: a}}
	}
	r := Rollout{Decisions: []Decision{
		made("1", 0, -1, Expand, Controlling, ""), made("2", 1, 0, Pause, Controlling, ""), made("3", 5, 0, Expand, "person:ana", "hold: units open"),
		made("4", 8, 1, Rollback, Controlling, ""),
	}, Return: &Return{Decision: "4", Proven: &Proving{TimeToSafe: event.Duration(3 * time.Second)}}}
	all := func(Rollout, Decision) bool { return true }
	want := Tally{Decisions: 4, PerWeek: 4, Automatic: 3, Overrides: 1, Rollbacks: 1, InStage: 5 * time.Hour, ToSafe: 3 * time.Second}
	if diff := cmp.Diff(want, NewTally([]Rollout{r}, all)); diff != "" {
		t.Error(diff)
	}
	none := func(Rollout, Decision) bool { return false }
	if got := NewTally([]Rollout{r}, none); got != (Tally{}) {
		t.Errorf("nothing sums up to %+v", got)
	}
}
