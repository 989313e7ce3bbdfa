package dashboards

import (
	"net/url"
	"strings"

	"github.com/sluice-hq/sluice/flags"
)

// FlagExplain is the page that says why one unit gets what it gets.
type FlagExplain struct {
	Frame
	Top     FlagTop
	Form    Form
	Answer  *Explained // nil: nobody was asked for
	Follow  Form       // leads to what becomes of the unit's events
	Command string
	AsOf    AsOf
}

func (FlagExplain) template() string { return "flagexplain" }

// Explained is one evaluation, step by step.
type Explained struct {
	Text     string // "on, because the rule staff matches"
	Variant  string
	Value    string
	Reason   string
	Revision uint64
	Looks    []Looked
	Buckets  []Bucket
}

// Looked is one thing that evaluation looked at.
type Looked struct {
	Mark       Mark // Decided: the answer was given here
	Step, Name string
	Why        string
	Tests      []Test
}

// Test is one part of a condition, with what the attribute was.
type Test struct {
	Mark      Mark
	Condition string
	Is        string // what was found, in words; empty: that is in its parts
	Deep      int    // how far inside others
}

// Bucket is one hash, with the text that was hashed.
type Bucket struct{ Of, Text, Value, Meaning string }

// UnitQuestion is what somebody asks of a flag.
type UnitQuestion struct{ Environment, Unit, Attributes, At string }

// NewFlagExplain makes the page. x is nil while nobody is asked for.
func NewFlagExplain(f Frame, s FlagSeen, environments []string, q UnitQuestion, x *flags.Explanation, asOf AsOf) FlagExplain {
	p := FlagExplain{Frame: f, Top: newFlagTop(f, s, TabExplain), AsOf: asOf, Command: "sluice explain " + s.Flag.Key + " -e " + or(q.Environment, "production") + " -u " + or(q.Unit, "user-14")}
	for _, a := range lines(q.Attributes) {
		p.Command += " '" + strings.ReplaceAll(a, "'", "") + "'"
	}
	if q.At != "" {
		p.Command += " --at " + q.At
	}
	p.Form = Form{ID: "ask", Get: true, Action: flagLink(s.Flag.Key), Button: "Explain", Fields: []Field{
		{Name: "tab", Kind: AsHidden, Value: string(TabExplain)},
		choice("environment", "Environment", q.Environment, "", environments...),
		{Name: "unit", Label: "Id of the " + p.Top.Unit, Kind: AsLine, Value: q.Unit, Must: true, Hint: "user-14"},
		{Name: "attributes", Label: "Attributes", Kind: AsText, Value: q.Attributes, Hint: "plan=pro", Help: "One a line. A value is JSON, or else text."},
		{Name: "at", Label: "As it was at", Kind: AsLine, Value: q.At, Hint: "412, or 2027-01-31T09:00:00Z", Help: "A revision or a time; empty: now."},
	}}
	p.Follow = follow(p.Top, q)
	if x != nil {
		p.Answer = explained(*x)
	}
	return p
}

// follow is the way to the page of one unit. It is sent out of sight, because an
// id stands in no address there.
func follow(t FlagTop, q UnitQuestion) Form {
	return Form{ID: "follow", Action: "/events/unit", Button: "Follow its events", Fields: []Field{
		{Name: "environment", Kind: AsHidden, Value: q.Environment}, {Name: "flag", Kind: AsHidden, Value: t.Key},
		{Name: "kind", Kind: AsHidden, Value: t.Unit}, {Name: "id", Kind: AsHidden, Value: q.Unit}, {Name: "attributes", Kind: AsHidden, Value: q.Attributes},
	}}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func explained(x flags.Explanation) *Explained {
	r := x.Result
	e := &Explained{Variant: orCode(r.Variant), Value: compact(r.Value), Reason: string(r.Reason), Revision: r.Revision}
	e.Text = e.Variant
	if r.Error != "" {
		e.Reason += ", " + string(r.Error)
	}
	for _, l := range x.Looks {
		look := Looked{Mark: WentOn, Step: string(l.Step), Name: l.Name, Why: l.Why}
		if l.Decided {
			look.Mark = Decided
			e.Text += ", because " + l.Why
		}
		if l.Condition != nil {
			look.Tests = tests(*l.Condition, 0)
		}
		e.Looks = append(e.Looks, look)
	}
	e.Text = sentence(e.Text)
	for _, b := range x.Buckets {
		e.Buckets = append(e.Buckets, Bucket{Of: b.Of, Text: b.Text, Value: count(int64(b.Bucket)), Meaning: meaning(b)})
	}
	return e
}

// tests lists a condition and its parts, each with what was found.
func tests(t flags.Tested, deep int) []Test {
	out := []Test{{Mark: NotMet, Condition: t.Condition, Deep: deep}}
	if t.Met {
		out[0].Mark = Met
	}
	if len(t.Parts) == 0 {
		out[0].Is = "it is " + or(string(t.Is), "nothing")
	}
	for _, m := range t.Segments {
		out[0].Is = "revision " + revision(m.Revision) + ": " + m.Why
		if m.Condition != nil {
			out = append(out, tests(*m.Condition, deep+1)...)
		}
	}
	for _, part := range t.Parts {
		out = append(out, tests(part, deep+1)...)
	}
	return out
}

// meaning says what a bucket leads to.
func meaning(b flags.Hashed) string {
	text := "below " + count(int64(b.Below))
	if b.Bucket >= b.Below {
		text = "not " + text
	}
	if b.From > 0 {
		text += ", and its slice begins at " + count(int64(b.From))
	}
	if b.Variant != "" {
		text += ": " + b.Variant
	}
	return text
}

// Query is a question as the API's parameters.
func (q UnitQuestion) Query() url.Values {
	out := url.Values{"environment": {q.Environment}, "unit": {q.Unit}}
	if q.At != "" {
		out.Set("at", q.At)
	}
	for _, line := range lines(q.Attributes) {
		name, value, _ := strings.Cut(line, "=")
		out.Add("attribute."+strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return out
}
