package dashboards

import (
	"net/url"
	"slices"
)

// LetterOrder is the page before an order about dead letters.
type LetterOrder struct {
	Frame
	Name     string
	Effects  []string
	Selected []Fact // by what they are selected
	Form     *Form  // nil: it would be about none
	None     string // why
	Command  string
	Back     string
	JSON     string
}

func (LetterOrder) template() string { return "letterorder" }

// NewLetterOrder makes that page. selected letters wait; the order would be about
// n of them.
func NewLetterOrder(f Frame, replay bool, q url.Values, selected, n int, key string) LetterOrder {
	only := letterQuery(q)
	op, button := "purge", "Purge"
	p := LetterOrder{Frame: f, Name: "Purge dead letters", Back: asking("/events/letters", only), Effects: purgeEffects(n)}
	if replay {
		op, button = "replay", "Send again"
		p.Name, p.Effects = "Send dead letters again", replayEffects(selected, n)
	}
	whole := letterOrderQuery(q)
	preview := letterOrderQuery(q)
	preview.Set("replay", map[bool]string{true: "true", false: "false"}[replay])
	p.Command, p.JSON, p.Selected = letterCommand(op, whole)+" -m 'why'", asking("/api/v1/dlq/preview", preview), selectedBy(whole)
	if len(whole) == 0 {
		p.None = "Nothing is selected. Choose letters by a filter, or all of them."
		return p
	}
	if n == 0 {
		p.None = "No letter that is selected " + map[bool]string{true: "can be sent again", false: "waits"}[replay] + "."
		return p
	}
	p.Form = &Form{ID: Anchor(op), Action: "/events/letters/" + op, Key: key, Button: button, Grave: !replay, Cancel: p.Back, Fields: []Field{
		{Name: "comment", Label: "Why", Kind: AsText, Rows: 2, Help: "It stays on record, and must not name a unit."}, {Name: "seen", Kind: AsHidden, Value: revision(uint64(n))}}}
	for _, name := range slices.Concat(letterWords, []string{"all"}) {
		if v := whole.Get(name); v != "" {
			p.Form.Fields = append(p.Form.Fields, Field{Name: name, Kind: AsHidden, Value: v})
		}
	}
	for _, id := range whole["id"] {
		p.Form.Fields = append(p.Form.Fields, Field{Name: "id", Kind: AsHidden, Value: id})
	}
	return p
}

// letterOrderQuery is what an order is about: a filter, letters by name, or all.
func letterOrderQuery(q url.Values) url.Values {
	out := letterQuery(q)
	if ids := q["id"]; len(ids) > 0 {
		out["id"] = ids
	}
	if len(out) == 0 && q.Get("all") == "true" {
		out.Set("all", "true")
	}
	return out
}

func replayEffects(selected, n int) []string {
	out := []string{amount(n, "letter") + " will be sent again, under the IDs that their events have: what has been counted meanwhile counts once.",
		"What still cannot be counted becomes a dead letter again, with its reason."}
	if left := selected - n; left > 0 {
		out = append(out, amount(left, "letter")+" more cannot be sent again, since nothing of the event is left here.")
	}
	return out
}

func purgeEffects(n int) []string {
	return []string{amount(n, "letter") + " will no longer be shown, and never be counted. There is no way back.", "The bytes stay in the stream of dead letters, and the order in the log."}
}

// selectedBy says what an order is about.
func selectedBy(q url.Values) (facts []Fact) {
	for _, name := range letterWords {
		if v := q.Get(name); v != "" {
			facts = append(facts, Fact{upper(name), v})
		}
	}
	for _, id := range q["id"] {
		facts = append(facts, Fact{"Letter", id})
	}
	if q.Get("all") != "" {
		facts = append(facts, Fact{"Letters", "all that wait"})
	}
	return facts
}
