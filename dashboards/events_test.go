package dashboards

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

func pointer[T any](v T) *T { return &v }

func sampleHeard() []ingest.Heard {
	id := event.ID{1, 2, 3}
	return []ingest.Heard{
		{Received: at.Add(-time.Minute), Environment: "production", Verdict: ingest.Barred, Notes: []ingest.Note{{Why: ingest.ErrTooLarge.Error(), Fix: "the sender was told more"}}},
		{Received: at.Add(-time.Second), Environment: "production", Verdict: ingest.Turned, ID: id, Events: 1, Notes: []ingest.Note{
			{Field: "flag", Value: "shop.chekout", Reason: ingest.UnknownFlag, Why: "is not a flag of production", Fix: "write one of its flags"},
			{Field: "at", Reason: ingest.TimeWindow, Why: "is too far in the future", Fix: "set the clock of the sender"}}},
		{Received: at, Environment: "production", Verdict: ingest.Buried, Kind: ingest.KindMetric, Name: "puchase", ID: id, Events: 1, Fact: json.RawMessage(`{"kind":"metric","name":"puchase","units":{"user":"hash:00c0ffee00c0ffee"}}`),
			Notes: []ingest.Note{{Field: "name", Value: "puchase", Reason: ingest.UnknownMetric, Why: "no metric declares it", Fix: "declare a metric that uses it, then send the dead letter again"}}},
	}
}

func sampleInflow() Inflow {
	return Inflow{PerSecond: pointer(1234.5), Over: 32 * time.Second, Ack99: pointer(25 * time.Millisecond), Behind: pointer(2 * time.Second),
		Repeats: pointer(uint64(17)), UnknownFlags: 4, Undeclared: pointer(3), DeadLetters: pointer(1_000_000), TwoArms: 12}
}

var sampleExample = Example{Base: "https://sluice.example", Flag: "shop.checkout", Variant: "on", Unit: "user", ID: "018f2c1e-7c1f-7d13-9a53-0d5f3a6c9e11"}

func eventSamples() map[string]Page {
	f := sampleFrame(InEvents)
	f.Path, f.Environments, f.Refresh = "/events?environment=production&verdict=dead", nil, 0
	where, query := []string{"production", "staging"}, url.Values{"environment": {"production"}, "verdict": {"dead"}, "unit": {"user=u-1"}}
	var many []ingest.Heard
	for len(many) < 200 {
		many = append(many, sampleHeard()...)
	}
	return map[string]Page{
		"events":       NewEvents(f, where, query, sampleHeard(), "", sampleInflow(), sampleExample),
		"events-many":  NewEvents(f, where, url.Values{}, many[:200], "", sampleInflow(), sampleExample),
		"events-empty": NewEvents(f, where, url.Values{}, nil, "", Inflow{}, sampleExample),
		"events-quiet": NewEvents(f, where, url.Values{}, nil, "This replica takes no events; ask one that has the role ingest.", Inflow{}, sampleExample),
	}
}

// TestNewEvents: the stream is of what the filters ask for, and what was not
// measured is not a nought.
func TestNewEvents(t *testing.T) {
	p := eventSamples()["events"].(Events)
	if want := "/api/v1/events/tail?environment=production&unit=user%3Du-1&verdict=dead"; p.Tail != want {
		t.Errorf("the stream is %s, want %s", p.Tail, want)
	}
	if len(p.Rows) != 3 || p.Rows[0].Mark != DeadLetter || p.Rows[1].Mark != Rejected || len(p.Rows[1].Notes) != 2 || p.Rows[2].Mark != Refused || p.Rows[2].ID != "" {
		t.Errorf("rows: %+v", p.Rows)
	}
	for i, want := range []string{"1,230", "25.0\u00a0ms", "2\u00a0s", "17", "4", "3", "12", "1,000,000"} {
		if p.Tiles[i].Value != want {
			t.Errorf("%s: %q, want %q", p.Tiles[i].Name, p.Tiles[i].Value, want)
		}
	}
	empty := eventSamples()["events-empty"].(Events)
	if empty.Tiles[0].Value != "—" || empty.Tiles[7].Value != "—" || empty.Empty == nil || !strings.Contains(empty.Empty.Command, "sluice events send -e production --exposure shop.checkout") {
		t.Errorf("nothing is known: %+v %+v", empty.Tiles, empty.Empty)
	}
	if quiet := eventSamples()["events-quiet"].(Events); quiet.Tail != "" || quiet.Empty != nil {
		t.Errorf("nothing is heard, and it listens to %q", quiet.Tail)
	}
}

// TestSnippets: what is copied into a shell stays one word.
func TestSnippets(t *testing.T) {
	e := sampleExample
	e.Flag = "it's"
	if got := snippets("production", e)[1].Text; !strings.Contains(got, `"flag":"it'\''s"`) || !strings.Contains(got, "'https://sluice.example/v1/events?environment=production'") {
		t.Errorf("got %s", got)
	}
}
