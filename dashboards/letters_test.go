package dashboards

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

func sampleLetter(i int) ingest.Letter {
	return ingest.Letter{ID: fmt.Sprintf("facts-0.%d.3", 1000+i), Shard: "facts-0", Seq: uint64(1000 + i), Idx: 3, Events: 1, Reason: ingest.UnknownMetric, Why: "no metric declares the event puchase",
		Environment: "production", Name: "puchase", EventID: event.ID{1, 2, 3}, At: at.Add(-time.Duration(i) * time.Minute),
		Fact: json.RawMessage(`{"kind":"metric","name":"puchase","units":{"user":"hash:00c0ffee00c0ffee"},"value":19.99}`)}
}

func sampleDamaged() ingest.Letter {
	return ingest.Letter{ID: "facts-0.7.0", Shard: "facts-0", Seq: 7, Events: 1000, Reason: ingest.Unreadable, Why: "its checksum is another", Bytes: []byte(strings.Repeat("SLC\x01 not what it was ", 300))}
}

func sampleOrders() []ingest.Order {
	return []ingest.Order{
		{At: at, Actor: "person:ana", Replay: true, Letters: 3, Comment: "purchases are declared now"},
		{At: at.Add(-time.Hour), Actor: "person:lee", Replay: true, Letters: 1200, Outcome: &ingest.Outcome{Sent: 1200, Dead: 3, Refused: 1}},
		{At: at.Add(-2 * time.Hour), Actor: "person:lee", Letters: 1},
	}
}

func letterSamples() map[string]Page {
	f := sampleFrame(InEvents)
	f.Path, f.Refresh, f.Environment, f.Environments = "/events/letters", 0, "", nil
	f.Log = 412
	q := url.Values{"reason": {"unknown_metric"}, "name": {"puchase"}, "since": {"2026-11-20T00:00"}}
	seen := LettersSeen{Total: 12345, Next: "n", Orders: sampleOrders(), MayReplay: true, MayPurge: true, Letters: []ingest.Letter{sampleLetter(1), sampleDamaged(), {ID: "facts-0.9.0", Reason: ingest.Lost, Why: "the stream lost it", Events: 12}}}
	many := LettersSeen{Total: 200}
	for i := range 50 { // a page of them
		many.Letters = append(many.Letters, sampleLetter(i))
	}
	one := url.Values{"id": {"facts-0.1001.3"}}
	return map[string]Page{
		"letters": NewLetters(f, q, seen), "letters-many": NewLetters(f, url.Values{"cursor": {"x"}}, many),
		"letters-empty": NewLetters(f, url.Values{}, LettersSeen{}), "letters-none": NewLetters(f, q, LettersSeen{}),
		"letter": NewLetter(f, sampleLetter(1), true, true), "letter-bytes": NewLetter(f, sampleDamaged(), true, true),
		"letters-replay": NewLetterOrder(f, true, q, 12, 9, "018f"), "letters-purge": NewLetterOrder(f, false, one, 1, 1, "018f"), "letters-nothing": NewLetterOrder(f, true, one, 1, 0, "018f"),
	}
}

// TestNewLetters: what is selected is said, and ordered by the same filter; who
// may not, sees no button.
func TestNewLetters(t *testing.T) {
	p := letterSamples()["letters"].(Letters)
	if p.Said != "12,345\u00a0dead letters that wait fit the filter." || len(p.Acts) != 2 || p.Acts[0].Link != "/events/letters/replay?name=puchase&reason=unknown_metric&since=2026-11-20T00%3A00" {
		t.Errorf("said %q, acts %+v", p.Said, p.Acts)
	}
	if want := "sluice dlq list --reason unknown_metric --name puchase --since 2026-11-20T00:00:00Z"; p.Command != want {
		t.Errorf("the command is %s, want %s", p.Command, want)
	}
	for i, want := range []string{"3\u00a0letters being sent again", "1,200\u00a0letters: 1,200\u00a0events sent again, 3 of them dead again, since no metric declares them, 1 refused", "purged 1 letter"} {
		if p.Orders[i].What != want {
			t.Errorf("order %d: %q, want %q", i, p.Orders[i].What, want)
		}
	}
	if p := letterSamples()["letters-many"].(Letters); p.Acts != nil || len(p.Rows) != 50 || p.Pager.Newer == "" {
		t.Errorf("a viewer: %+v, %d rows", p.Acts, len(p.Rows))
	}
	if all := letterActs(url.Values{}, LettersSeen{MayPurge: true}); len(all) != 1 || all[0].Link != "/events/letters/purge?all=true" {
		t.Errorf("all letters: %+v", all)
	}
}

// TestNewLetter: bytes that nobody can read are shown as far as a page goes, and
// what cannot be sent again has no button that says so.
func TestNewLetter(t *testing.T) {
	p := letterSamples()["letter-bytes"].(Letter)
	if p.Text != "" || !strings.HasPrefix(p.Bytes, "00000000  53 4c 43 01") || !strings.Contains(p.Size, "the first 4,096") || strings.Count(p.Bytes, "\n") != bytesShown/16 {
		t.Errorf("%q %q: %.40q", p.Text, p.Size, p.Bytes)
	}
	if p := NewLetter(Frame{}, ingest.Letter{Reason: ingest.Lost}, true, true); len(p.Acts) != 1 || !p.Acts[0].Grave {
		t.Errorf("of what is lost: %+v", p.Acts)
	}
	if got := indented(json.RawMessage(`{"a":`)); got != `{"a":` {
		t.Errorf("what is no JSON: %s", got)
	}
}

// TestNewLetterOrder: the form holds what was looked at, and there is none for
// nothing.
func TestNewLetterOrder(t *testing.T) {
	p := letterSamples()["letters-replay"].(LetterOrder)
	hidden := map[string]string{}
	for _, f := range p.Form.Fields {
		hidden[f.Name] = f.Value
	}
	if hidden["seen"] != "9" || hidden["reason"] != "unknown_metric" || hidden["since"] != "2026-11-20T00:00" || p.Form.Grave || len(p.Effects) != 3 {
		t.Errorf("%+v %+v", hidden, p.Effects)
	}
	if p := letterSamples()["letters-nothing"].(LetterOrder); p.Form != nil || p.None == "" {
		t.Errorf("of nothing: %+v", p.Form)
	}
	if p := NewLetterOrder(Frame{}, false, url.Values{}, 3, 3, "018f"); p.Form != nil {
		t.Error("an order that nobody has selected anything for")
	}
	purge := letterSamples()["letters-purge"].(LetterOrder)
	if !purge.Form.Grave || purge.Command != "sluice dlq purge facts-0.1001.3 -m 'why'" {
		t.Errorf("%s", purge.Command)
	}
	if word("it's") != `'it'\''s'` || word("") != "''" || word("user/u-1") != "user/u-1" {
		t.Error("words of a shell break out")
	}
}
