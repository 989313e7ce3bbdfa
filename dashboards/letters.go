package dashboards

import (
	"net/url"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/ingest"
)

// Letters is the list of dead letters: events that are on disk and cannot be
// counted, until somebody mends why and sends them again, or is done with them.
type Letters struct {
	Frame
	Tabs    []Tab
	Filter  Form
	Said    string // how many are selected
	Rows    []LetterRow
	Pager   Pager
	Orders  []LetterOrdered
	Acts    []LetterAct
	Command string
	Empty   *Empty
	AsOf    AsOf
}

func (Letters) template() string { return "letters" }

// LetterRow is one letter in a list.
type LetterRow struct {
	ID, Link          string
	Mark              Mark
	Reason            string
	Environment, Name string
	At                time.Time // of the event; zero: nobody knows
	Why, Fix          string
}

// LetterAct leads to what an order about the letters would do.
type LetterAct struct {
	Name, Link string
	Grave      bool
}

// LetterOrdered is an order that was given.
type LetterOrdered struct {
	At      time.Time
	By      string
	What    string
	Comment string
}

// LettersSeen is what the server knows of dead letters.
type LettersSeen struct {
	Total     int // that the filter selects
	Letters   []ingest.Letter
	Next      string // cursor of the next page
	Orders    []ingest.Order
	MayReplay bool // whoever looks may send them again
	MayPurge  bool
}

// letterWords are the words of the filter, as addresses, the API and the command
// have them.
var letterWords = []string{"reason", "name", "environment", "unit", "text", "since", "until"}

// letterQuery is the filter alone.
func letterQuery(q url.Values) url.Values {
	out := url.Values{}
	for _, name := range letterWords {
		if v := q.Get(name); v != "" {
			out.Set(name, v)
		}
	}
	return out
}

// NewLetters makes the list. q is the filter as the address has it.
func NewLetters(f Frame, q url.Values, in LettersSeen) Letters {
	only := letterQuery(q)
	p := Letters{Frame: f, Tabs: eventTabs(f, OfLetters), Filter: letterFilter(f, q), Said: lettersSaid(in.Total, len(only) > 0), Pager: Turn(f.Here(), q, in.Next),
		Command: letterCommand("list", only), AsOf: AsOf{Log: f.Log, JSON: asking("/api/v1/dlq", only)}}
	for _, l := range in.Letters {
		p.Rows = append(p.Rows, newLetterRow(l))
	}
	for _, o := range in.Orders {
		p.Orders = append(p.Orders, LetterOrdered{At: o.At, By: o.Actor, What: orderSaid(o), Comment: o.Comment})
	}
	switch {
	case in.Total > 0:
		p.Acts = letterActs(only, in)
	case len(only) > 0:
		p.Empty = &Empty{Title: "No dead letter fits", Text: "Nothing that waits is selected by these filters. All that wait:", Command: "sluice dlq list"}
	default:
		p.Empty = &Empty{Title: "No dead letter waits", Text: "An event lands here when it is on disk and cannot be counted: no metric declares it, or its message cannot be read. To try it, send one that no metric declares:",
			Command: "sluice events send -e " + or(f.Environment, "production") + " --metric no-such-metric --unit user=u-1"}
	}
	return p
}

func newLetterRow(l ingest.Letter) LetterRow {
	return LetterRow{ID: l.ID, Link: letterLink(l.ID), Mark: DeadLetter, Reason: reasonText(l.Reason), Environment: l.Environment, Name: l.Name, At: l.At,
		Why: sentence(upper(l.Why)), Fix: sentence(upper(l.Fix()))}
}

func letterLink(id string) string { return "/events/letters/" + url.PathEscape(id) }

func reasonText(r ingest.Reason) string { return strings.ReplaceAll(string(r), "_", " ") }

func lettersSaid(n int, narrowed bool) string {
	text := amount(n, "dead letter")
	switch {
	case n == 1 && narrowed:
		return text + " that waits fits the filter."
	case narrowed:
		return text + " that wait fit the filter."
	case n == 1:
		return text + " waits."
	}
	return text + " wait."
}

// letterActs are what whoever looks may order about the letters of a filter.
func letterActs(only url.Values, in LettersSeen) (acts []LetterAct) {
	query := url.Values{"all": {"true"}}
	if len(only) > 0 {
		query = only
	}
	which := "all"
	if len(only) > 0 {
		which = "these"
	}
	if in.MayReplay {
		acts = append(acts, LetterAct{Name: "Send " + which + " again…", Link: "/events/letters/replay?" + query.Encode()})
	}
	if in.MayPurge {
		acts = append(acts, LetterAct{Name: "Purge " + which + "…", Link: "/events/letters/purge?" + query.Encode(), Grave: true})
	}
	return acts
}

func letterFilter(f Frame, q url.Values) Form {
	reasons := []Option{{"", "all"}}
	for _, r := range ingest.Reasons {
		reasons = append(reasons, Option{string(r), reasonText(r)})
	}
	return Form{ID: "filter", Action: f.Here(), Get: true, Button: "Show", Fields: []Field{
		{Name: "environment", Kind: AsHidden, Value: q.Get("environment")},
		{Name: "reason", Label: "Reason", Kind: AsChoice, Value: q.Get("reason"), Options: reasons},
		{Name: "name", Label: "Event", Kind: AsLine, Value: q.Get("name"), Hint: "purchase"},
		{Name: "unit", Label: "Unit", Kind: AsLine, Value: q.Get("unit"), Hint: "user/u-17, or hash:…"},
		{Name: "text", Label: "Text", Kind: AsLine, Value: q.Get("text")},
		{Name: "since", Label: "Since (UTC)", Kind: AsMoment, Value: q.Get("since")},
		{Name: "until", Label: "Until (UTC)", Kind: AsMoment, Value: q.Get("until")},
	}}
}

// letterCommand does from a terminal what the page does.
func letterCommand(op string, q url.Values) string {
	text := "sluice dlq " + op
	for _, name := range letterWords {
		v := q.Get(name)
		if at, ok := FormMoment(v); ok && (name == "since" || name == "until") {
			v = at.Format(time.RFC3339)
		}
		if v != "" {
			text += " --" + name + " " + word(v)
		}
	}
	if q.Get("all") != "" {
		text += " --all"
	}
	for _, id := range q["id"] {
		text += " " + word(id)
	}
	return text
}

// word is a text as one word of a shell, in quotes only where it needs them.
func word(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=", r)
	}
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return text
	}
	return quoted(text)
}

// FormMoment reads a time of a form, which browsers write without a zone: UTC.
func FormMoment(text string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// orderSaid is what was ordered, and what came of it.
func orderSaid(o ingest.Order) string {
	n := amount(o.Letters, "letter")
	switch {
	case !o.Replay:
		return "purged " + n
	case o.Outcome == nil:
		return n + " being sent again"
	}
	text := n + ": " + amount(o.Outcome.Sent, "event") + " sent again"
	if o.Outcome.Dead > 0 {
		text += ", " + count(int64(o.Outcome.Dead)) + " of them dead again, since no metric declares them"
	}
	if o.Outcome.Refused > 0 {
		text += ", " + count(int64(o.Outcome.Refused)) + " refused"
	}
	return text
}

// asking is a path with a query, where there is one.
func asking(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
