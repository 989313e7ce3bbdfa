package dashboards

import (
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

// PlanEdit is the page on which a plan is written: a form and YAML at once, what
// speaks against it, what it would change, and what is to be expected of it.
type PlanEdit struct {
	Frame
	Name     string // "New plan"
	Of       string // rollout whose plan it was made from; empty: none
	Link     string // of that
	Form     PlanForm
	Both     bool       // form and YAML were both changed: which one counts is to be said
	Checked  *PlanCheck // nil: nobody asked
	Save     *Form      // nil: nobody asked, or it would be refused
	Ahead    *PlanOutlook
	Tried    *PlanRehearsal
	Unknown  string // why nothing can be foreseen or rehearsed; empty: it can, or nobody asked
	Commands []string
	AsOf     AsOf
}

func (PlanEdit) template() string { return "planedit" }

// Bad and Good are the marks of a draft.
func (PlanEdit) Bad() Mark { return Failed }

// Good is the mark of a draft that would be taken.
func (PlanEdit) Good() Mark { return Passed }

// Refused reports whether the plan would be refused as it stands.
func (p PlanEdit) Refused() bool { return p.Form.Lines != "" || len(p.Form.Faults) > 0 }

// Renewed is what htmx asks for while somebody types.
func (PlanEdit) Renewed() string { return "input delay:500ms, change delay:100ms" }

// PlanCheck is what a plan would do if it were saved.
type PlanCheck struct {
	Lead        string
	Differences []string // sentences
	Notes       []string // what becomes of the evidence
	Preflight   []Check
	Unknown     string // why nothing is known of the time before; empty: it is
}

// PlanAt says which plan a page is about.
type PlanAt struct {
	Name, Of, Link string
	Rights         Rights
}

// NewPlanEdit makes the editor with a form.
func NewPlanEdit(f Frame, of PlanAt, form PlanForm) PlanEdit {
	f.Rights = of.Rights
	return PlanEdit{Frame: f, Name: of.Name, Of: of.Of, Link: of.Link, Form: form, AsOf: AsOf{Log: f.Log},
		Commands: []string{"sluice apply plan.yaml --dry-run", "sluice power plan.yaml", "sluice rehearse plan.yaml", "sluice apply plan.yaml -m 'why'"}}
}

// PlanEffect is what the server says of a plan that is not saved.
type PlanEffect struct {
	Change      string // created, changed or unchanged
	Of          string // production/shop.checkout
	Open        bool   // its rollout is under way
	Differences []string
	Notes       []string
	Preflight   decisions.Preflight
	Unknown     string
}

// NewPlanCheck says what a plan would do.
func NewPlanCheck(e PlanEffect) *PlanCheck {
	lead := map[string]string{
		"created": "It is the plan of a new rollout of " + e.Of + ".", "changed": "It takes the place of the plan of " + e.Of + ".",
		"unchanged": "The plan of " + e.Of + " is so already.",
	}[e.Change]
	return &PlanCheck{Lead: lead, Differences: sentences(uppers(e.Differences)), Notes: sentences(uppers(e.Notes)), Preflight: prechecks(e.Preflight), Unknown: e.Unknown}
}

func uppers(all []string) []string {
	out := make([]string, len(all))
	for i, text := range all {
		out[i] = upper(text)
	}
	return out
}

// SavePlan is the form that saves a plan, and starts it if told so.
// seen is the revision that the preview was made from.
func SavePlan(yaml, seen, key string, start bool) *Form {
	f := Form{ID: "save", Action: "/plans/save", Key: key, Button: "Save the plan", Fields: []Field{
		{Name: "yaml", Kind: AsHidden, Value: yaml}, {Name: "seen", Kind: AsHidden, Value: seen},
		{Name: "comment", Label: "Why", Kind: AsText, Rows: 2, Help: "It stands in the history for as long as that exists."},
	}}
	if start {
		f.Button, f.Grave = "Save and start", true
		f.Fields = append(f.Fields, Field{Name: "start", Kind: AsHidden, Value: "true"})
	}
	return &f
}

// Foresee returns the page with what is to be expected.
func (p PlanEdit) Foresee(o decisions.Outlook) PlanEdit {
	p.Ahead = NewPlanOutlook(o)
	for _, q := range o.Past.Queries {
		p.AsOf.Queries = append(p.AsOf.Queries, Query{Name: "What units were like: " + strings.Join(q.Of, ", "), SQL: q.SQL, Hash: q.Hash.String()})
	}
	return p
}

// Refuse returns the page with what was refused.
func (p PlanEdit) Refuse(faults event.Invalids, detail string) PlanEdit {
	p.Form = p.Form.Refuse(faults, strings.TrimSpace(detail))
	p.Save = nil
	return p
}
