package decisions

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

const gateEvents = "testdata/events_gates.json"

// recordGates records what is said to a gate, and the values that a guardrail is
// asked within.
func recordGates(t *testing.T) {
	h := newHouse(t)
	p := conditioned()
	p.Metrics.Guardrails[0].Within = "region"
	h.begin(p)
	h.do(Command{Op: OpReport, Actor: "service:ci", Report: &Reporting{Check: "smoke", State: Pass, For: 6 * time.Hour, Text: "40 of 40", Link: "https://ci.example/7"}})
	h.do(Command{Op: OpConfirm, Comment: "looked at the errors", Confirm: &Confirming{Owner: ana}})
	h.travel(newTraffic(harmless), 900, "eu", "us")
	h.step()
	h.verified()
	var events []event.Recorded
	for e, err := range h.log.Read(h.ctx, event.Filter{}, 0) {
		h.must(err)
		events = append(events, e)
	}
	writeJSON(t, gateEvents, events)
}

// What was recorded once means what it meant then.
func TestRecordedGateEventsFold(t *testing.T) {
	if *update {
		recordGates(t)
	}
	var events []event.Recorded
	readJSON(t, gateEvents, &events)
	s := NewState(Known{})
	for _, e := range events {
		if err := e.Check(); err != nil {
			t.Errorf("the recorded file was edited: %v", err)
		}
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	r, ok := s.Newest("production", "gate")
	if !ok || len(r.Frozen) == 0 || r.Frozen["within/day_7_retention/us"].Units == 0 {
		t.Errorf("found %t, frozen %v", ok, r.Frozen)
	}
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	want := Standing{
		Reported:  map[string]External{"smoke": {State: Pass, By: "service:ci", At: at, Expires: at.Add(6 * time.Hour), Text: "40 of 40", Link: "https://ci.example/7"}},
		Confirmed: map[string]Confirmation{"advanceWhen manual person:ana": {By: ana, At: at, Comment: "looked at the errors"}},
		Values:    map[string][]string{"day_7_retention": {"eu", "us"}},
	}
	if diff := cmp.Diff(want, Standing{Reported: r.Reported, Confirmed: r.Confirmed, Values: r.Values}); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
