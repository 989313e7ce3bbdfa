package dashboards

import (
	"encoding/hex"
	"encoding/json"
	"net/url"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
)

// Letter is one dead letter with what it is made of.
type Letter struct {
	Frame
	Tabs    []Tab
	Letter  LetterRow
	Facts   []Fact
	Text    string // the event as it is kept; empty: there is none
	Bytes   string // of a message that cannot be read, in hexadecimal digits
	Size    string // how many those are
	Metrics string // where a metric is declared; empty: that is no help
	Acts    []LetterAct
	Command string
	AsOf    AsOf
}

func (Letter) template() string { return "letter" }

// bytesShown is how many bytes of a message are shown; the copy has all.
const bytesShown = 4096

// NewLetter makes the page of one letter.
func NewLetter(f Frame, l ingest.Letter, mayReplay, mayPurge bool) Letter {
	p := Letter{Frame: f, Tabs: eventTabs(f, OfLetters), Letter: newLetterRow(l), Text: indented(l.Fact), Command: "sluice dlq show " + word(l.ID),
		AsOf: AsOf{Log: f.Log, JSON: "/api/v1/dlq/letters/" + url.PathEscape(l.ID)}}
	p.Facts = letterFacts(l)
	if n := len(l.Bytes); n > 0 {
		p.Bytes, p.Size = hex.Dump(l.Bytes[:min(n, bytesShown)]), amount(n, "byte")
		if n > bytesShown {
			p.Size += ", the first " + count(bytesShown) + " of which are shown; the copy as JSON has all"
		}
	}
	if l.Reason == ingest.UnknownMetric && f.Rights.Write {
		p.Metrics = "/catalogue"
	}
	one := url.Values{"id": {l.ID}}
	if mayReplay && l.Sendable() {
		p.Acts = append(p.Acts, LetterAct{Name: "Send it again…", Link: "/events/letters/replay?" + one.Encode()})
	}
	if mayPurge {
		p.Acts = append(p.Acts, LetterAct{Name: "Purge it…", Link: "/events/letters/purge?" + one.Encode(), Grave: true})
	}
	return p
}

func letterFacts(l ingest.Letter) []Fact {
	facts := []Fact{{"Environment", or(l.Environment, "not known")}, {"Event", or(l.Name, "not known")}}
	if l.EventID != (event.ID{}) {
		facts = append(facts, Fact{"Event's ID", l.EventID.String()})
	}
	if !l.At.IsZero() {
		facts = append(facts, Fact{"Time of the event", moment(l.At)})
	}
	return append(facts, Fact{"Message", l.Shard + ", message " + revision(l.Seq) + ", event " + revision(uint64(l.Idx))}, Fact{"Stands for", amount(int(l.Events), "event")})
}

// indented is JSON in lines; what is none stays as it is.
func indented(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return string(raw) // unreachable: it was JSON
	}
	return string(b)
}
