package dashboards

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// FlagEdit is the page on which a flag is changed: one form for each operation,
// and the whole definition as a document. Each leads to a page that tells what
// it would do.
type FlagEdit struct {
	Frame
	Top      FlagTop
	Where    []Tab // the environments
	Acts     []Button
	Sections []EditSection
	Whole    Form
	Command  string
}

func (FlagEdit) template() string { return "flagedit" }

// EditSection is a part of a definition with the forms that change it.
type EditSection struct {
	ID          Anchor
	Title, Text string // Text: what it is now
	Forms       []EditForm
}

// EditForm is one form, folded away until somebody wants it.
type EditForm struct {
	Name string
	Now  string // what is there; empty: nothing
	Open bool
	Form Form
}

// Editing is what the editor is made from.
type Editing struct {
	FlagSeen
	Environment  string // that the rules are of; empty: the flag has none
	Environments []string
	Segments     []string // keys, to choose from
	YAML         string   // the whole definition
	May          Rights   // in the environment
}

// NewFlagEdit makes the editor.
func NewFlagEdit(f Frame, in Editing) FlagEdit {
	e := editor{in}
	p := FlagEdit{Frame: f, Top: newFlagTop(f, in.FlagSeen, "edit"), Whole: e.whole(), Command: "sluice change make change.yaml -m 'why'"}
	p.Top.Acts = nil
	for _, name := range inOrder(in.Flag, in.Environments) {
		p.Where = append(p.Where, Tab{Name: name, Link: editLink(in.Flag.Key, name), Here: name == in.Environment})
	}
	if in.Environment != "" {
		p.Sections = append(p.Sections, e.rules(), e.targets(), e.allocation(), e.prerequisites())
		p.Acts = slices.DeleteFunc(placeActs(in.May, in.Flag, in.Environment), func(b Button) bool { return strings.Contains(b.Link, "/edit") })
	}
	p.Sections = append(p.Sections, e.variants(), e.definition(), e.places())
	return p
}

func editLink(key, environment string) string {
	return flagLink(key) + "/edit?" + url.Values{"environment": {environment}}.Encode()
}

// Refuse returns the page with what was refused, at the form that was sent.
func (p FlagEdit) Refuse(err error, sent func(string) string) FlagEdit {
	id := Anchor(sent("form"))
	p.Sections = slices.Clone(p.Sections)
	for i, s := range p.Sections {
		p.Sections[i].Forms = slices.Clone(s.Forms)
		for j, f := range s.Forms {
			if f.Form.ID == id {
				p.Sections[i].Forms[j].Form, p.Sections[i].Forms[j].Open = f.Form.Refuse(err, sent), true
				return p
			}
		}
	}
	p.Whole = p.Whole.Refuse(err, sent)
	return p
}

// editor makes the forms of one flag.
type editor struct{ Editing }

func (e editor) here() flags.Environment { return e.Flag.Environments[e.Environment] }

// form makes the form of one operation. The number tells several of it apart.
func (e editor) form(op flags.Op, n int, name, now string, fields ...Field) EditForm {
	id := Anchor(string(op) + "-" + strconv.Itoa(n))
	environment := e.Environment
	if c := (flags.Change{Op: op, Environment: "x"}); c.Reaches() == "" && op != "ramp" {
		environment = ""
	}
	hidden := []Field{{Name: "form", Kind: AsHidden, Value: string(id)}, {Name: "op", Kind: AsHidden, Value: string(op)}, {Name: "seen", Kind: AsHidden, Value: e.tag()}}
	if environment != "" && op != flags.AddEnvironment && op != flags.RemoveEnvironment {
		hidden = append(hidden, Field{Name: "environment", Kind: AsHidden, Value: environment})
	}
	return EditForm{Name: name, Now: now, Form: Form{ID: id, Action: flagLink(e.Flag.Key) + "/edit", Button: "Preview", Fields: append(hidden, fields...)}}
}

// tag is the entity tag of the flag that the forms were made from.
func (e editor) tag() string { return `"` + revision(e.Flag.Revision) + `"` }

func (e editor) names() []string { return slices.Sorted(maps.Keys(e.Flag.Variants)) }

func (e editor) variant(name, label, value string) Field {
	return choice(name, label, value, "", e.names()...)
}

func (e editor) rules() EditSection {
	s := EditSection{ID: "rules", Title: "Rules", Text: "The first that matches decides. A change of the order changes who is asked first."}
	for i, r := range e.here().Rules {
		named := Field{Name: "name", Kind: AsHidden, Value: r.Name}
		now := strconv.Itoa(i+1) + ". " + asked(r.When) + " " + served(r.Serve, r.Split)
		s.Forms = append(s.Forms,
			e.form(flags.ChangeRule, i, "Change rule "+r.Name, now, append([]Field{named}, ruleFields(r)...)...),
			e.form(flags.MoveRule, i, "Move rule "+r.Name, "", named, Field{Name: "place", Label: "To place", Kind: AsNumber, Value: strconv.Itoa(i + 1), Must: true}),
			e.form(flags.RemoveRule, i, "Remove rule "+r.Name, "", named))
	}
	s.Forms = append(s.Forms, e.form(flags.AddRule, 0, "Add a rule", "", append(ruleFields(flags.Rule{}), Field{Name: "place", Label: "Place", Kind: AsNumber, Help: "From 1; empty: last."})...))
	if len(e.Segments) > 0 {
		s.Text += " Segments there are: " + few(e.Segments, 20) + "."
	}
	return s
}

// ruleFields ask for a rule: one test in three fields, or a tree as a document.
func ruleFields(r flags.Rule) []Field {
	attribute, op, values, tree := "", "", "", ""
	switch c := r.When; {
	case c == nil:
	case c.All == nil && c.Any == nil && c.None == nil && c.Hash == nil && !c.IgnoreCase:
		attribute, op, values = c.Attribute, string(c.Op), written(*c)
	default:
		if b, err := json.MarshalIndent(c, "", "  "); err == nil { // what the log holds can be written
			tree = string(b)
		}
	}
	serve := r.Serve
	if len(r.Split) > 0 {
		serve = ""
		for i, a := range r.Split {
			serve += map[bool]string{true: ", ", false: ""}[i > 0] + a.Variant + " " + strconv.FormatFloat(float64(a.Weight)*100/flags.Whole, 'f', -1, 64)
		}
	}
	return []Field{
		{Name: "rule.name", Label: "Name", Kind: AsLine, Value: r.Name, Must: true, Hint: "beta-testers"},
		{Name: "rule.attribute", Label: "Attribute", Kind: AsLine, Value: attribute, Hint: "plan", Help: "Of the context; none for a segment."},
		choice("rule.operator", "Operator", op, "everybody", operators...),
		{Name: "rule.values", Label: "Values", Kind: AsText, Rows: 2, Value: values, Help: "One a line. Numbers and true are read as such; quotes make a text of them."},
		{Name: "rule.when", Label: "Condition as a document", Kind: AsCode, Rows: 3, Value: tree, Hint: "all: [{attribute: plan, op: eq, value: pro}, {op: segment, value: beta}]", Help: "Instead of the three fields above, for several tests at once."},
		{Name: "rule.serve", Label: "Gives", Kind: AsLine, Value: serve, Must: true, Help: "A variant, or a split in percent such as: on 30, off 70."},
		{Name: "rule.until", Label: "Until", Kind: AsLine, Value: string(r.Until), Hint: "2027-01-31", Help: "The rule is taken out then."},
	}
}

var operators = []string{
	"eq", "ne", "in", "not_in", "lt", "lte", "gt", "gte", "contains", "not_contains", "starts_with", "ends_with", "regex", "not_regex", "is_set", "is_not_set",
	"semver_eq", "semver_ne", "semver_lt", "semver_lte", "semver_gt", "semver_gte", "before", "after", "cidr", "modulo", "segment", "not_segment",
}

// written writes the values of a test one a line, so that they are read back as
// they are.
func written(c flags.Condition) string {
	values := c.Values
	if c.Value != nil {
		values = []any{c.Value}
	}
	var out []string
	for _, v := range values {
		text, ok := v.(string)
		if b, err := json.Marshal(v); err == nil && (!ok || scalar(c.Op, text) != v || strings.ContainsAny(text, ",\n")) {
			text = string(b)
		}
		out = append(out, text)
	}
	return strings.Join(out, "\n")
}

func (e editor) targets() EditSection {
	s := EditSection{ID: "targets", Title: "Targets", Text: "Named units come before every rule."}
	for i, t := range e.here().Targets {
		s.Forms = append(s.Forms, e.form(flags.RemoveUnits, i, "Take units from "+t.Variant, few(t.Units, 20),
			Field{Name: "variant", Kind: AsHidden, Value: t.Variant}, Field{Name: "units", Label: "Units", Kind: AsText, Must: true, Help: "One a line."}))
	}
	s.Forms = append(s.Forms, e.form(flags.AddUnits, 0, "Name units", "", e.variant("variant", "They get", e.Flag.Default),
		Field{Name: "units", Label: "Units", Kind: AsText, Must: true, Help: "One a line: ids of the flag's unit."}))
	return s
}

// allocation leads to the ramp, which is no change of the definition.
func (e editor) allocation() EditSection {
	s := EditSection{ID: "allocation", Title: "Allocation", Text: "No rollout splits this environment."}
	a := e.here().Allocation
	share, variant := "", ""
	if a != nil {
		s.Text = sentence(allocated(*a))
		if a.Ramp {
			variant, share = a.Arms[0].Variant, strconv.FormatFloat(float64(a.Coverage)*100/flags.Whole, 'f', -1, 64)
		} else {
			s.Text += " Its plan says who gets what: rollout " + a.Rollout + "."
			return s
		}
	}
	s.Forms = append(s.Forms, e.form("ramp", 0, "Ramp", "A share of the units gets a variant, with no plan and nothing compared.",
		Field{Name: "percentage", Label: "Share of units, in percent", Kind: AsNumber, Value: share, Must: true, Help: "0 ends the ramp."},
		choice("variant", "They get", variant, "the one before, or the one that is true", e.names()...)))
	return s
}

func (e editor) prerequisites() EditSection {
	s := EditSection{ID: "prerequisites", Title: "Prerequisites", Text: "Who does not get that answer of the other flag gets the safe variant."}
	for i, p := range e.here().Prerequisites {
		s.Forms = append(s.Forms, e.form(flags.RemovePrerequisite, i, "Remove "+p.Flag, "it has to answer "+p.Variant, Field{Name: "name", Kind: AsHidden, Value: p.Flag}))
	}
	s.Forms = append(s.Forms, e.form(flags.AddPrerequisite, 0, "Add a prerequisite", "",
		Field{Name: "prerequisite.flag", Label: "Flag", Kind: AsLine, Must: true}, Field{Name: "prerequisite.variant", Label: "Has to answer", Kind: AsLine, Must: true}))
	return s
}

func (e editor) variants() EditSection {
	s := EditSection{ID: "variants", Title: "Variants", Text: "Of type " + string(e.Flag.Type) + "."}
	value := func(v string) Field {
		return Field{Name: "value", Label: "Value", Kind: AsCode, Rows: 2, Value: v, Must: true, Help: "JSON."}
	}
	for i, name := range e.names() {
		named := Field{Name: "variant", Kind: AsHidden, Value: name}
		s.Forms = append(s.Forms, e.form(flags.ChangeVariant, i, "Change "+name, compact(e.Flag.Variants[name]), named, value(compact(e.Flag.Variants[name]))),
			e.form(flags.RemoveVariant, i, "Remove "+name, "", named))
	}
	s.Forms = append(s.Forms, e.form(flags.AddVariant, 0, "Add a variant", "", Field{Name: "variant", Label: "Name", Kind: AsLine, Must: true}, value("")))
	return s
}

func (e editor) definition() EditSection {
	f := e.Flag
	line := func(op flags.Op, name, field, value string) EditForm {
		return e.form(op, 0, name, value, Field{Name: field, Label: name, Kind: AsLine, Value: value, Must: true})
	}
	s := EditSection{ID: "definition", Title: "The flag", Text: "What holds in every environment."}
	s.Forms = []EditForm{
		e.form(flags.SetDefault, 0, "Default variant", orCode(f.Default), e.variant("variant", "Whoever nothing else decides gets", f.Default)),
		e.form(flags.SetSafe, 0, "Safe variant", orCode(f.Safe), e.variant("variant", "Disabled, forced or short of a prerequisite", f.Safe)),
		line(flags.SetDescription, "Description", "description", f.Description),
		line(flags.SetOwner, "Owner", "owner", f.Owner),
		e.form(flags.SetPurpose, 0, "Purpose", string(f.Purpose), choice("purpose", "Purpose", string(f.Purpose), "", purposes...)),
		line(flags.SetUnit, "Unit", "unit", cmp.Or(f.Unit, flags.DefaultUnit)),
		e.form(flags.AddTag, 0, "Add a tag", few(f.Tags, 12), Field{Name: "tag", Label: "Tag", Kind: AsLine, Must: true}),
	}
	if len(f.Tags) > 0 {
		s.Forms = append(s.Forms, e.form(flags.RemoveTag, 0, "Remove a tag", "", choice("tag", "Tag", "", "", f.Tags...)))
	}
	s.Forms = append(s.Forms, e.form(flags.SetCleanup, 0, "Cleanup", "", cleanupFields(f.Cleanup)...))
	var on, off string
	if f.Dates != nil {
		on, off = string(f.Dates.On), string(f.Dates.Off)
	}
	s.Forms = append(s.Forms, e.form(flags.SetDates, 0, "Dates", "", Field{Name: "dates.on", Label: "Meant to be on from", Kind: AsLine, Value: on, Hint: "2027-01-31"}, Field{Name: "dates.off", Label: "Until", Kind: AsLine, Value: off}))
	return s
}

var purposes = []string{"release", "experiment", "operational", "permission", "kill-switch"}

func cleanupFields(c *flags.Cleanup) []Field {
	v := flags.Cleanup{}
	due := ""
	if c != nil {
		v = *c
		if c.Due > 0 {
			due = c.Due.String()
		}
	}
	return []Field{
		choice("cleanup.endState", "In the end", string(v.EndState), "not said", "promote", "remove", "keep", "convert"),
		{Name: "cleanup.due", Label: "Due after the final decision", Kind: AsLine, Value: due, Hint: "30d"},
		{Name: "cleanup.why", Label: "Why it stays", Kind: AsLine, Value: v.Why, Help: "Of what is kept, and of permissions."},
		{Name: "cleanup.review", Label: "To be asked again", Kind: AsLine, Value: string(v.Review), Hint: "2027-06-30"},
		{Name: "cleanup.ticket", Label: "Ticket", Kind: AsLine, Value: v.Ticket, Hint: "https://tickets.example/PAY-1"},
	}
}

// places are the environments that the flag has.
func (e editor) places() EditSection {
	s := EditSection{ID: "environments", Title: "Environments"}
	var has, lacks []string
	for _, name := range e.Environments {
		if _, ok := e.Flag.Environments[name]; ok {
			has = append(has, name)
		} else {
			lacks = append(lacks, name)
		}
	}
	if len(lacks) > 0 {
		s.Forms = append(s.Forms, e.form(flags.AddEnvironment, 0, "Add an environment", "It is disabled there until it is enabled.", choice("environment", "Environment", "", "", lacks...)))
	}
	if len(has) > 1 && e.Environment != "" {
		from := slices.DeleteFunc(slices.Clone(has), func(name string) bool { return name == e.Environment })
		s.Forms = append(s.Forms, e.form(flags.Copy, 0, "Copy another environment to "+e.Environment, "Whether it is enabled, targets, rules and prerequisites; what rollouts left stays.", choice("from", "From", "", "", from...)))
	}
	if len(has) > 0 {
		s.Forms = append(s.Forms, e.form(flags.RemoveEnvironment, 0, "Remove an environment", "", choice("environment", "Environment", "", "", has...)))
	}
	return s
}

// whole asks for the whole definition.
func (e editor) whole() Form {
	return Form{ID: "whole", Action: flagLink(e.Flag.Key) + "/edit", Button: "Preview", Fields: []Field{
		{Name: "form", Kind: AsHidden, Value: "whole"}, {Name: "seen", Kind: AsHidden, Value: e.tag()}, {Name: "environment", Kind: AsHidden, Value: e.Environment},
		{Name: "yaml", Label: "The flag as a document", Kind: AsCode, Rows: 24, Value: e.YAML, Must: true, Help: "What rollouts own, such as allocations, stays as it is."},
	}}
}

// FlagNew is the page on which a flag is made: a form, and a document.
type FlagNew struct {
	Frame
	Form, Whole Form
	Command     string
}

func (FlagNew) template() string { return "flagnew" }

// NewFlagNew makes it.
func NewFlagNew(f Frame, environments []string) FlagNew {
	fields := []Field{
		{Name: "form", Kind: AsHidden, Value: "new"},
		{Name: "key", Label: "Key", Kind: AsLine, Must: true, Hint: "checkout.payments.express-pay", Help: "Letters, digits, - _ and dots. It never changes."},
		{Name: "description", Label: "What it switches", Kind: AsLine},
		choice("purpose", "Purpose", "release", "", purposes...),
		{Name: "owner", Label: "Owner", Kind: AsLine, Must: true, Help: "A person or a team."},
		choice("type", "Type", "boolean", "", "boolean", "string", "number", "object"),
		{Name: "variants", Label: "Variants", Kind: AsCode, Rows: 3, Value: "on: true\noff: false", Must: true, Help: "One a line: name and value."},
		{Name: "safe", Label: "Safe variant", Kind: AsLine, Value: "off", Must: true, Help: "For everybody when something is wrong."},
		{Name: "default", Label: "Default variant", Kind: AsLine, Help: "For whoever nothing else decides; empty: the safe one."},
		{Name: "unit", Label: "Unit", Kind: AsLine, Hint: "user", Help: "What is hashed: the same unit, the same answer."},
		{Name: "tags", Label: "Tags", Kind: AsLine, Hint: "payments, mobile"},
	}
	fields = append(fields, cleanupFields(&flags.Cleanup{EndState: flags.Promote, Due: event.Duration(30 * 24 * time.Hour)})...)
	for _, name := range environments {
		fields = append(fields, choice("environments."+name, "In "+name, "disabled", "not there", "disabled", "enabled"))
	}
	return FlagNew{
		Frame: f, Form: Form{ID: "new", Action: "/flags/new", Button: "Preview", Cancel: "/flags", Fields: fields},
		Whole: Form{ID: "whole", Action: "/flags/new", Button: "Preview", Cancel: "/flags", Fields: []Field{
			{Name: "form", Kind: AsHidden, Value: "whole"},
			{Name: "yaml", Label: "The flag as a document", Kind: AsCode, Rows: 16, Value: newFlagDocument, Must: true},
		}}, Command: "sluice apply flag.yaml -m 'why'",
	}
}

const newFlagDocument = `apiVersion: sluice/v1
kind: Flag
key: checkout.express-pay
description: One-tap payment on the checkout page
purpose: release
owner: payments-team
type: boolean
variants: {on: true, off: false}
safe: off
unit: user
cleanup: {due: 30d, endState: promote}
environments:
  production: {enabled: false}
`

// Refuse returns the page with what was refused, at the form that was sent.
func (p FlagNew) Refuse(err error, sent func(string) string) FlagNew {
	if sent("form") == "whole" {
		p.Whole = p.Whole.Refuse(err, sent)
	} else {
		p.Form = p.Form.Refuse(err, sent)
	}
	return p
}
