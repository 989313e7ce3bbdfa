package event_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// recorded is one line of testdata/recorded.jsonl: an event as it is stored,
// and the head of the log there.
type recorded struct {
	event.Recorded
	Head event.Hash `json:"head"`
}

// events are what testdata/recorded.jsonl was made from. Neither ever changes:
// logs that people have hold such bytes and such hashes.
func events() []event.Event {
	at := time.Date(2026, 11, 21, 9, 30, 0, 123456789, time.FixedZone("CET", 3600))
	return []event.Event{
		{ID: event.Derive("first"), Source: "sluice/flags", Type: "flag.changed", Subject: "flag.checkout.express-pay", Time: at, Actor: "person:ana", Data: json.RawMessage(`{"changes": [ {"op":"define"} ]}`)},
		{ID: event.Derive("second", "part"), Source: "sluice/flags", Type: "flag.changed", Subject: "flag.checkout.express-pay", Time: at.Add(time.Hour), Actor: "person:<ana> & co", Cause: event.Derive("first").String(), Data: json.RawMessage(`"a<b & c>d é"`)},
		{ID: event.Derive("third"), Source: "sluice/decisions", Type: "decision.made", Subject: "rollout.production.checkout.express-pay", Time: time.Time{}, Actor: "controller", Data: json.RawMessage(`null`)},
		{ID: event.Derive("second"), Source: "", Type: "flag.changed", Subject: "flag.checkout.express-pay", Time: at.UTC(), Actor: "", Data: json.RawMessage(`1.50e3`)},
		event.Sealed(event.Mark{Seq: 4, Head: event.Sum([]byte("head")), State: event.Sum([]byte("state"))}, at),
	}
}

func TestRecordedEventsNeverChange(t *testing.T) {
	file, err := os.ReadFile("testdata/recorded.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(file), lines(t)); d != "" {
		t.Errorf("events are stored or hashed in another way than they were (-recorded +now):\n%s", d)
	}
}

// lines records the events anew.
func lines(t *testing.T) string {
	t.Helper()
	log, chain := event.NewMemLog(), event.Chain{}
	var b bytes.Buffer
	for _, e := range events() {
		if _, err := log.Append(t.Context(), e, event.Any); err != nil {
			t.Fatal(err)
		}
	}
	for r, err := range log.Read(t.Context(), event.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if err := chain.Next(r); err != nil {
			t.Fatal(err)
		}
		if err := json.NewEncoder(&b).Encode(recorded{r, chain.Head}); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// TestRecordedEventsAreReadBack reads the file and finds every hash right and
// every byte the same when written again.
func TestRecordedEventsAreReadBack(t *testing.T) {
	file, err := os.ReadFile("testdata/recorded.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var chain event.Chain
	for line := range bytes.Lines(file) {
		var r recorded
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if err := chain.Next(r.Recorded); err != nil || chain.Head != r.Head {
			t.Errorf("event %d: %v, head %s, recorded %s", r.Seq, err, chain.Head, r.Head)
		}
		again, err := json.Marshal(r)
		if err != nil || string(again)+"\n" != string(line) {
			t.Errorf("event %d is written again as\n%s (%v), not\n%s", r.Seq, again, err, line)
		}
	}
	if chain.Seq != 5 {
		t.Errorf("%d events are recorded, want 5", chain.Seq)
	}
}

func TestDerivedIDsNeverChange(t *testing.T) {
	for _, c := range []struct {
		parts []string
		want  string
	}{
		{nil, "35755077-088b-59ee-a286-f40847d70fb1"},
		{[]string{"a"}, "b9827bb3-9dcc-5046-aecb-6f3654de96ca"},
		{[]string{"a", "b"}, "6ac7ec84-2506-5f27-a386-4c690a1f88c5"},
		{[]string{"ab"}, "c4f69abc-4874-50e8-8210-71bc16ca15d9"},
	} {
		if got := event.Derive(c.parts...).String(); got != c.want {
			t.Errorf("Derive(%q) = %s, want %s", c.parts, got, c.want)
		}
	}
}
