package dashboards

import (
	"errors"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Anchor is an id inside a page. It is made here and never comes from outside.
type Anchor string

// Form is what a person sends: a plain form, which works without a script.
type Form struct {
	ID     Anchor // of the form, unique on its page; prefix of the ids inside
	Action string // where it is sent
	Get    bool   // it asks for a page and changes nothing
	Key    string // names the request, so that sending it twice does it once; empty: it may be repeated
	Fields []Field
	Button string   // what it does: "Roll back"
	Grave  bool     // it does something that cannot simply be undone
	Cancel string   // where to go instead; empty: nowhere
	Faults []string // what was refused and belongs to no field
	Check  string   // address that says, while it is written, what would be refused; empty: none
	Said   *Said    // what that said last; nil: nothing was asked
}

// Said is what would become of a form if it were sent.
type Said struct {
	Mark  Mark     // Passed or Failed
	Lines []string // what would change, or what would be refused, one sentence each
}

// Kind is what a field takes.
type Kind string

// The kinds of field.
const (
	AsLine   Kind = "text"
	AsText   Kind = "textarea" // several lines
	AsCode   Kind = "code"     // several lines in a font of one width
	AsChoice Kind = "select"
	AsTick   Kind = "checkbox" // its value is "true" when it is ticked
	AsNumber Kind = "number"
	AsMoment Kind = "datetime-local" // UTC
	AsHidden Kind = "hidden"
)

// Field is one question of a form.
type Field struct {
	Name    string // as it is sent, and as a refusal names it
	Label   string
	Kind    Kind
	Value   string
	Options []Option // of AsChoice
	Help    string   // one sentence; empty: none
	Hint    string   // an example that stands in an empty field
	Must    bool     // it cannot be left empty
	Rows    int      // of AsText and AsCode; 0: four
	Fault   string   // why the value was refused, and what to write; empty: it was not
}

// Option is one answer of AsChoice.
type Option struct{ Value, Text string }

// Of returns the id of a field's control.
func (f Form) Of(i Field) string { return string(f.ID) + "-" + strings.ReplaceAll(i.Name, ".", "-") }

// Refused reports whether the form came back with faults.
func (f Form) Refused() bool {
	for _, i := range f.Fields {
		if i.Fault != "" {
			return true
		}
	}
	return len(f.Faults) > 0
}

// Mark returns the mark of what was refused.
func (Form) Mark() Mark { return Failed }

// Checked reports whether a box is ticked.
func (f Field) Checked() bool { return f.Value == "true" }

// Lines is the height of AsText and AsCode.
func (f Field) Lines() int {
	if f.Rows > 0 {
		return f.Rows
	}
	return 4
}

// Refuse returns the form with what an error says of it: each fault at the
// field that it names, the rest above all of them. Values are those that were
// sent, so that nothing has to be written twice.
func (f Form) Refuse(err error, sent func(name string) string) Form {
	fields := append([]Field(nil), f.Fields...)
	for i, field := range fields {
		fields[i].Value = sent(field.Name)
	}
	f.Fields = fields
	var all event.Invalids
	var one event.Invalid
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = event.Invalids{one}
	default:
		f.Faults = append(f.Faults, err.Error())
	}
	for _, fault := range all {
		if i := f.named(fault.Path); i >= 0 {
			fields[i].Fault = fault.Why + fix(fault)
		} else {
			f.Faults = append(f.Faults, fault.Error())
		}
	}
	return f
}

func fix(f event.Invalid) string {
	if f.Fix == "" {
		return ""
	}
	return ": " + f.Fix
}

// Foretell returns the form with what would become of it: err is why it would be
// refused, changes what it would change.
func (f Form) Foretell(err error, changes []string) Form {
	f.Said = &Said{Mark: Passed, Lines: changes}
	if err == nil {
		if len(changes) == 0 {
			f.Said.Lines = []string{"Nothing would change."}
		}
		return f
	}
	f.Said = &Said{Mark: Failed, Lines: []string{err.Error()}}
	var all event.Invalids
	if errors.As(err, &all) && len(all) > 0 {
		f.Said.Lines = nil
		for _, fault := range all {
			f.Said.Lines = append(f.Said.Lines, fault.Error())
		}
	}
	return f
}

// named finds the field that a fault is about: of that name, or of the nearest
// part of the path that has one.
func (f Form) named(path string) int {
	for path = strings.TrimPrefix(path, "body."); path != ""; {
		for i, field := range f.Fields {
			if field.Name == path && field.Kind != AsHidden {
				return i
			}
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return -1
}
