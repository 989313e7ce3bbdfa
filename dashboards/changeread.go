package dashboards

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Reading turns what a form of this package sent into what it asks for.
type Reading struct {
	Sent func(name string) string
	When func(text string) (*flags.Condition, error) // reads a written condition
	Type flags.Type                                  // of the flag's values
}

// Change reads a form of the editor. What cannot be read is told at its field;
// whether it makes sense, the flag says.
func (r Reading) Change() (flags.Change, error) {
	var faults event.Invalids
	c := flags.Change{
		Op: flags.Op(r.Sent("op")), Environment: r.text("environment"), Name: r.text("name"), Variant: r.text("variant"), Description: r.text("description"),
		Owner: r.text("owner"), Purpose: flags.Purpose(r.text("purpose")), Tag: r.text("tag"), Unit: r.text("unit"), From: r.text("from"), Units: listed(r.Sent("units")),
	}
	c.Place = r.number("place", &faults)
	if text := r.text("value"); text != "" {
		c.Value = r.value("value", text, &faults)
	}
	switch c.Op {
	case flags.AddRule, flags.ChangeRule:
		rule := r.rule(&faults)
		c.Rule = &rule
	case flags.AddPrerequisite:
		c.Prerequisite = &flags.Prerequisite{Flag: r.text("prerequisite.flag"), Variant: r.text("prerequisite.variant")}
	case flags.SetDates:
		if d := (flags.Dates{On: flags.Date(r.text("dates.on")), Off: flags.Date(r.text("dates.off"))}); d != (flags.Dates{}) {
			c.Dates = &d
		}
	case flags.SetCleanup:
		c.Cleanup = r.cleanup(&faults)
	}
	return c, faults.Err()
}

func (r Reading) text(name string) string { return strings.TrimSpace(r.Sent(name)) }

func (r Reading) number(name string, faults *event.Invalids) int {
	text := r.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		faults.Add(name, text, "is not a whole number", "write one such as 1")
	}
	return n
}

// value reads a variant's value: JSON, and of a flag of texts also what stands
// without quotes.
func (r Reading) value(path, text string, faults *event.Invalids) json.RawMessage {
	if r.Type == flags.String && !strings.HasPrefix(text, `"`) {
		b, err := json.Marshal(text)
		if err == nil { // a text can always be written
			return b
		}
	}
	if !json.Valid([]byte(text)) {
		faults.Add(path, text, "is not JSON", `write true, 20, "text" or {"limit": 5}`)
	}
	return json.RawMessage(text)
}

// rule reads a rule: who it is for, and what they get.
func (r Reading) rule(faults *event.Invalids) flags.Rule {
	rule := flags.Rule{Name: r.text("rule.name"), Until: flags.Date(r.text("rule.until"))}
	rule.When = r.condition(faults)
	rule.Serve, rule.Split = shares("rule.serve", r.text("rule.serve"), faults)
	return rule
}

// condition reads one test, or a written tree of them, which goes before.
func (r Reading) condition(faults *event.Invalids) *flags.Condition {
	if text := r.text("rule.when"); text != "" {
		c, err := r.When(text)
		if err != nil {
			faults.Add("rule.when", nil, err.Error(), "")
		}
		return c
	}
	op := flags.Operator(r.text("rule.operator"))
	if op == "" {
		return nil
	}
	c := &flags.Condition{Attribute: r.text("rule.attribute"), Op: op}
	for _, text := range listed(r.Sent("rule.values")) {
		c.Values = append(c.Values, scalar(op, text))
	}
	if len(c.Values) == 1 {
		c.Value, c.Values = c.Values[0], nil
	}
	return c
}

// scalar reads numbers and truth values as such, and everything else, and what
// a version, date or address is, as text. Quotes make a text of anything.
func scalar(op flags.Operator, text string) any {
	switch op {
	case flags.Before, flags.After, flags.CIDR, flags.InSegment, flags.NotInSegment:
		return text
	}
	if strings.HasPrefix(string(op), "semver") {
		return text
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return text
	}
	switch v.(type) {
	case float64, bool, string:
		return v
	}
	return text
}

// shares reads a variant, or a split such as "on 30, off 70".
func shares(path, text string, faults *event.Invalids) (string, []flags.Arm) {
	if !strings.ContainsAny(text, ", ") {
		return text, nil
	}
	var all []flags.Arm
	for _, part := range strings.Split(text, ",") {
		variant, share, ok := strings.Cut(strings.TrimSpace(part), " ")
		p, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(share), "%"), 64)
		if !ok || err != nil {
			faults.Add(path, part, "is not a variant and its share", "write one variant, or a split such as: on 30, off 70")
			return "", nil
		}
		all = append(all, flags.Arm{Variant: variant, Weight: int(p*flags.Whole/100 + 0.5)})
	}
	return "", all
}

// cleanup reads how the flag ends; nil: nothing was said.
func (r Reading) cleanup(faults *event.Invalids) *flags.Cleanup {
	c := flags.Cleanup{EndState: flags.EndState(r.text("cleanup.endState")), Why: r.text("cleanup.why"), Review: flags.Date(r.text("cleanup.review")), Ticket: r.text("cleanup.ticket")}
	if text := r.text("cleanup.due"); text != "" {
		due, err := event.ParseDuration(text)
		if err != nil {
			faults.Add("cleanup.due", text, "is not a length of time", "write one such as 30d")
		}
		c.Due = event.Duration(due)
	}
	if c == (flags.Cleanup{}) {
		return nil
	}
	return &c
}

// Flag reads the form of a new flag.
func (r Reading) Flag(environments []string) (flags.Flag, error) {
	var faults event.Invalids
	f := flags.Flag{
		Key: r.text("key"), Description: r.text("description"), Owner: r.text("owner"), Purpose: flags.Purpose(r.text("purpose")), Type: flags.Type(r.text("type")),
		Default: r.text("default"), Safe: r.text("safe"), Unit: r.text("unit"), Tags: listed(r.Sent("tags")), Variants: flags.Variants{}, Environments: map[string]flags.Environment{},
	}
	r.Type = f.Type
	for _, line := range lines(r.Sent("variants")) {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			faults.Add("variants", line, "is not a variant and its value", "write one a line, such as on: true")
			continue
		}
		f.Variants[strings.TrimSpace(name)] = r.value("variants", strings.TrimSpace(value), &faults)
	}
	f.Cleanup = r.cleanup(&faults)
	for _, name := range environments {
		switch r.Sent("environments." + name) {
		case "enabled":
			f.Environments[name] = flags.Environment{Enabled: true}
		case "disabled":
			f.Environments[name] = flags.Environment{}
		}
	}
	return f, faults.Err()
}

// listed reads what stands one a line, or between commas.
func listed(text string) []string {
	var out []string
	for _, line := range lines(text) {
		for _, word := range strings.Split(line, ",") {
			if word = strings.TrimSpace(word); word != "" {
				out = append(out, word)
			}
		}
	}
	return out
}

func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
