package flags

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

func TestEnvironmentEvents_refusals(t *testing.T) {
	many := make([]string, maxEventAttributes+1)
	for i := range many {
		many[i] = fmt.Sprint("a", i)
	}
	for name, c := range map[string]struct {
		events EnvironmentEvents
		want   []string
	}{
		"empty name": {EnvironmentEvents{Attributes: []string{""}}, []string{"events.attributes[0]: is empty"}},
		"long name":  {EnvironmentEvents{Private: []string{strings.Repeat("x", 129)}}, []string{"events.private[0]: is longer than 128 bytes"}},
		"twice":      {EnvironmentEvents{Private: []string{"ip", "ip"}}, []string{"events.private[1]: is named twice"}},
		"too many":   {EnvironmentEvents{Attributes: many}, []string{"events.attributes: are more than the 64 attributes that an event can have"}},
		"recording":  {EnvironmentEvents{Exposures: "always"}, []string{"events.exposures: is not a way of recording"}},
		"windows": {
			EnvironmentEvents{LateWindow: event.Duration(time.Hour), FutureTolerance: event.Duration(25 * time.Hour)},
			[]string{"events.lateWindow: is not between 1d and 90d", "events.futureTolerance: is not between 1m and 1d"},
		},
		"kept and private, and all at once": {
			EnvironmentEvents{Attributes: []string{"plan", "email"}, Private: []string{"email", ""}, Exposures: "never"},
			[]string{"events.private[1]: is empty", "events.private[0]: is among the attributes that are kept", "events.exposures: is not a way of recording"},
		},
	} {
		_, err := newHouse(t).tryEnvironment(production, &EnvironmentDoc{Key: production, Events: c.events})
		wantRefusal(t, name, err, c.want...)
	}
}

// A list that keeps nothing is not the list that is absent, which keeps all:
// the document is recorded, and read back, as it was written.
func TestEnvironmentEvents_recordedAsWritten(t *testing.T) {
	h := newHouse(t)
	for _, events := range []EnvironmentEvents{
		{},
		{Attributes: []string{}},
		{Attributes: []string{"plan"}, Private: []string{"email"}, Exposures: OnEvaluate},
		{LateWindow: event.Duration(14 * 24 * time.Hour), FutureTolerance: event.Duration(5 * time.Minute)},
	} {
		h.environment(EnvironmentDoc{Key: "moon", Events: events, Description: fmt.Sprint(events)})
		got, _ := h.state.Environment("moon")
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var back RecordedEnvironment
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		for _, e := range []RecordedEnvironment{got, back} {
			if diff := cmp.Diff(events, e.Events); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
		}
	}
}

// Documents that say nothing of events are recorded as they were before any
// could.
func TestEnvironmentEvents_absentFromOlderDocuments(t *testing.T) {
	text, err := json.Marshal(EnvironmentDoc{Key: "moon"})
	if err != nil || string(text) != `{"key":"moon"}` {
		t.Errorf("got %s, %v", text, err)
	}
}
