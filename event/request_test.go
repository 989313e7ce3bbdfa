package event_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

func TestRequestsKnowWhatAskedForAnEvent(t *testing.T) {
	log, asked := event.NewMemLog(), event.Request{Key: event.Derive("a key"), Hash: event.Sum([]byte("a request"))}
	for i, data := range []string{`{"comment":"why"}`, ` { } `, `{"note":"a \"requested\": in words"}`, `{"requested":7}`} {
		e := event.Event{ID: event.Derive("request", data), Type: "flag.changed", Subject: "flag.a", Data: json.RawMessage(data)}
		if i < 2 {
			var err error
			if e, err = event.Requested(e, asked); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := log.Append(context.Background(), e, event.Any); err != nil {
			t.Fatal(err)
		}
	}
	var history []event.Recorded
	var q event.Requests
	for r, err := range log.Read(context.Background(), event.Filter{}, 0) {
		if err == nil {
			err = q.Apply(r)
		}
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, r)
	}
	for i, want := range []event.Kept{{Seq: 1, Request: asked}, {Seq: 2, Request: asked}, {}, {}} {
		if got, ok := q.Find(history[i].ID); got != want || ok != (i < 2) {
			t.Errorf("event %d: got %+v, want %+v", i, got, want)
		}
	}
	if h, ok := q.Hash(asked.Key); !ok || h != asked.Hash {
		t.Errorf("the key has %v, %v", h, ok)
	}
	if _, ok := q.Hash(event.Derive("another")); ok {
		t.Error("a key that nobody used is known")
	}
	var first struct{ Comment string }
	if err := json.Unmarshal(history[0].Data, &first); err != nil || first.Comment != "why" {
		t.Errorf("the data is %s: %v", history[0].Data, err)
	}
	eventtest.Fold(t, func() *event.Requests { return &event.Requests{} }, history)
}

// The member that an event names its request with is recorded for ever.
func TestRequestedIsRecorded(t *testing.T) {
	e, err := event.Requested(event.Event{Data: json.RawMessage(`{"a":1}`)}, event.Request{Key: event.Derive("k"), Hash: event.Sum(nil)})
	const want = `{"requested":{"key":"ba500991-1031-5f6a-9480-8211bd8e63a0","hash":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"a":1}`
	if diff := cmp.Diff(want, string(e.Data)); err != nil || diff != "" {
		t.Errorf("%v: want -, got +\n%s", err, diff)
	}
}

func TestRequestedRefusesDataThatIsNoObject(t *testing.T) {
	if _, err := event.Requested(event.Event{Type: "a", Data: json.RawMessage(`5`)}, event.Request{}); err == nil || err.Error() != "the data of a a is no object" {
		t.Errorf("got %v", err)
	}
}
