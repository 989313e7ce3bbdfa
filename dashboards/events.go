package dashboards

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
)

// Events is the debugger of events: what comes in, what becomes of each and
// why, and how to send one. Whoever writes an SDK opens it first.
type Events struct {
	Frame
	Tabs     []Tab
	Filter   Form
	Tiles    []Tile
	Tail     string // address of the stream of events; empty: this replica hears none
	Rows     []HeardEvent
	Shape    HeardEvent // the row that a script fills in
	Marks    []VerdictMark
	Quiet    string // why nothing is heard; empty: it is
	Snippets []Snippet
	Empty    *Empty
	AsOf     AsOf
}

func (Events) template() string { return "events" }

// HeardEvent is one event and what became of it at the door.
type HeardEvent struct {
	At         time.Time
	Mark       Mark // empty in the row that a script fills in
	Kind, Name string
	ID         string
	Notes      []string
	Fact       string // the event as it is kept; empty: nothing is
}

// VerdictMark is the mark of a verdict, for the script.
type VerdictMark struct {
	ID   Anchor
	Mark Mark
}

// Snippet is something to copy.
type Snippet struct{ Name, Text string }

// Inflow is how events come in, as the server measured it. A nil is not known.
type Inflow struct {
	PerSecond    *float64
	Over         time.Duration // that PerSecond is told of
	Ack99        *time.Duration
	Behind       *time.Duration
	Repeats      *uint64
	UnknownFlags uint64
	Undeclared   *int
	DeadLetters  *int
	TwoArms      int64
}

// Example is what the snippets send.
type Example struct {
	Base                string // address of the server, as the browser knows it
	Flag, Variant, Unit string // Unit is a kind
	ID                  string // of the event
}

// NewEvents makes the page. query holds the filters as they were sent, recent
// what was not simply taken lately, the newest last; quiet says why nothing is
// heard.
func NewEvents(f Frame, environments []string, query url.Values, recent []ingest.Heard, quiet string, in Inflow, e Example) Events {
	p := Events{Frame: f, Tabs: eventTabs(f, OfLive), Filter: eventFilter(f, environments, query), Tiles: inflowTiles(f, in), Quiet: quiet, Snippets: snippets(f.Environment, e),
		Shape: HeardEvent{Notes: []string{""}}, AsOf: AsOf{Log: f.Log, JSON: "/api/v1/events/inflow?" + url.Values{"environment": {f.Environment}}.Encode()}}
	if quiet == "" {
		p.Tail = "/api/v1/events/tail?" + tailQuery(f.Environment, query).Encode()
	}
	for _, v := range ingest.Verdicts {
		p.Marks = append(p.Marks, VerdictMark{Anchor("verdict-" + v), verdictMark(v)})
	}
	for i := len(recent) - 1; i >= 0; i-- {
		p.Rows = append(p.Rows, heardEvent(recent[i]))
	}
	if len(recent) == 0 && quiet == "" {
		p.Empty = &Empty{Title: "Nothing was turned away lately", Text: "Every event that comes from now on is shown here. Send one, and watch what becomes of it:",
			Command: sending(f.Environment, e)}
		p.Snippets = slices.DeleteFunc(p.Snippets, func(s Snippet) bool { return s.Text == p.Empty.Command }) // it stands above
	}
	return p
}

// tailQuery are the words that the stream understands.
func tailQuery(environment string, query url.Values) url.Values {
	q := url.Values{"environment": {environment}}
	for _, name := range []string{"verdict", "kind", "name", "unit"} {
		if v := query.Get(name); v != "" {
			q.Set(name, v)
		}
	}
	return q
}

func heardEvent(h ingest.Heard) HeardEvent {
	e := HeardEvent{At: h.Received, Mark: verdictMark(h.Verdict), Kind: h.Kind, Name: h.Name, Fact: string(h.Fact)}
	if h.ID != (event.ID{}) {
		e.ID = h.ID.String()
	}
	for _, n := range h.Notes {
		e.Notes = append(e.Notes, n.String())
	}
	return e
}

func verdictMark(v ingest.Verdict) Mark {
	switch v {
	case ingest.Took:
		return Accepted
	case ingest.Buried:
		return DeadLetter
	case ingest.Turned:
		return Rejected
	case ingest.Barred:
		return Refused
	}
	return Mark(v) // unreachable: the door knows no other verdict
}

func inflowTiles(f Frame, in Inflow) []Tile {
	rate, over, ack, behind, repeats := "—", "events a second", "—", "—", "—"
	if in.PerSecond != nil {
		rate, over = number(*in.PerSecond), "events a second, over "+length(in.Over)
	}
	if in.Ack99 != nil {
		ack = number(float64(*in.Ack99)/float64(time.Millisecond)) + space + "ms"
	}
	if in.Behind != nil {
		behind = length(*in.Behind)
	}
	if in.Repeats != nil {
		repeats = count(int64(*in.Repeats))
	}
	return []Tile{
		{rate, over}, {ack, "until an event is on disk (99 of 100, at most)"}, {behind, "behind: what waits to be countable"}, {repeats, "duplicates, counted once"},
		{count(int64(in.UnknownFlags)), "of unknown flags, not taken"}, {howMany(in.Undeclared), "of unknown metrics, waiting"},
		{count(in.TwoArms), "units in two arms, in " + f.Environment}, {howMany(in.DeadLetters), "dead letters of " + f.Environment},
	}
}

func howMany(n *int) string {
	if n == nil {
		return "—"
	}
	return count(int64(*n))
}

func eventFilter(f Frame, environments []string, q url.Values) Form {
	all := Option{"", "all"}
	where := make([]Option, len(environments))
	for i, e := range environments {
		where[i] = Option{e, e}
	}
	verdicts, kinds := []Option{all}, []Option{all}
	for _, v := range ingest.Verdicts {
		verdicts = append(verdicts, Option{string(v), string(v)})
	}
	for _, k := range ingest.Kinds {
		kinds = append(kinds, Option{k, k})
	}
	return Form{ID: "filter", Action: f.Here(), Get: true, Button: "Show", Fields: []Field{
		{Name: "environment", Label: "Environment", Kind: AsChoice, Value: f.Environment, Options: where},
		{Name: "verdict", Label: "Verdict", Kind: AsChoice, Value: q.Get("verdict"), Options: verdicts},
		{Name: "kind", Label: "Kind", Kind: AsChoice, Value: q.Get("kind"), Options: kinds},
		{Name: "name", Label: "Name, or flag", Kind: AsLine, Value: q.Get("name")},
		{Name: "unit", Label: "Unit", Kind: AsLine, Value: q.Get("unit"), Hint: "user=u-1"},
	}}
}

// snippets are what a unit gets by OFREP, an exposure by curl and by Go, and the
// commands that send one and that watch.
func snippets(environment string, e Example) []Snippet {
	address := e.Base + "/v1/events?" + url.Values{"environment": {environment}}.Encode()
	body := fmt.Sprintf(`[{"kind":"exposure","id":"%s","flag":"%s","variant":"%s","unit":{"kind":"%s","id":"u-1"},"reason":"SPLIT"}]`, e.ID, e.Flag, e.Variant, e.Unit)
	context := `{"context":{"targetingKey":"u-1"}}`
	if e.Unit != flags.DefaultUnit {
		context = fmt.Sprintf(`{"context":{"targetingKey":"u-1","%s":"u-1"}}`, e.Unit)
	}
	return []Snippet{
		{"With OFREP: what a unit gets", "curl -sS " + quoted(e.Base+"/ofrep/v1/evaluate/flags/"+url.PathEscape(e.Flag)) + " \\\n  -H 'Authorization: Bearer sls_…' -H 'Content-Type: application/json' \\\n  -d " + quoted(context)},
		{"With curl: sent twice, it counts once", "curl -sS " + quoted(address) + " \\\n  -H 'Authorization: Bearer sls_…' -H 'Content-Type: application/json' \\\n  -d " + quoted(body)},
		{"In Go, when the unit meets the variant", fmt.Sprintf(goSnippet, e.Flag, e.Variant, e.Unit, address)},
		{"In a terminal: ask the flag, and send what the unit met", sending(environment, e)},
		{"In a terminal: the same stream", "sluice events tail -e " + environment},
	}
}

// sending is the command that evaluates a flag and sends what a unit met.
func sending(environment string, e Example) string {
	return "sluice events send -e " + environment + " --exposure " + e.Flag + " --unit " + e.Unit + "=u-1"
}

// quoted is a text as one word of a shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

const goSnippet = `id := uuid.Must(uuid.NewV7()) // made once, and kept on every retry
body, err := json.Marshal([]any{map[string]any{
	"kind": "exposure", "id": id, "flag": %q, "variant": %q,
	"unit": map[string]string{"kind": %q, "id": "u-1"}, "reason": "SPLIT",
}})
if err != nil {
	return err
}
req, err := http.NewRequestWithContext(ctx, "POST", %q, bytes.NewReader(body))
if err != nil {
	return err
}
req.Header.Set("Authorization", "Bearer "+os.Getenv("SLUICE_TOKEN")) // sls_…
req.Header.Set("Content-Type", "application/json")
resp, err := http.DefaultClient.Do(req) // 202: every accepted event is on disk
`
