package dashboards

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// Written tells what a document says: the word at a path, the names of the fields
// there, and how many items or fields there are.
type Written interface {
	Text(path string) string
	Keys(path string) []string
	Count(path string) int
}

// PlanForm is a plan as fields and as YAML, each made from the other.
type PlanForm struct {
	Parts  []PlanPart
	Tables []PlanTable
	YAML   PlanField
	Base   string   // the YAML that the fields were made from: what differs from it, somebody has written
	Faults []string // that belong to no field
	Lines  string   // all faults, with their lines and what stands there; empty: the YAML has none
	Lists  []PlanList
}

// First are the parts that stand beside the YAML: what is released, and which
// variants are compared.
func (f PlanForm) First() []PlanPart { return f.Parts[:min(2, len(f.Parts))] }

// Rest are the parts below the stages.
func (f PlanForm) Rest() []PlanPart { return f.Parts[min(2, len(f.Parts)):] }

// PlanPart is some fields that belong together.
type PlanPart struct {
	ID     Anchor
	Title  string
	Fields []PlanField
}

// PlanTable is a list of the plan, one item to a row; the last row is empty, for
// another item.
type PlanTable struct {
	ID          Anchor
	Title, Help string
	Head        []string
	Rows        []PlanRow
}

// Named reports whether the rows are items that have their names elsewhere.
func (t PlanTable) Named() bool { return len(t.Rows) > 0 && t.Rows[0].Name != "" }

// PlanRow is one item of a list.
type PlanRow struct {
	Name   string // of the item; empty: a field has it
	Fields []PlanField
}

// PlanField is a field with its id, and the list of what is known for it.
type PlanField struct {
	ID    Anchor
	List  Anchor // empty: nothing is known
	Field Field
}

// PlanList is what a field may name. Other words can be written too: what is
// not there yet may come first.
type PlanList struct {
	ID     Anchor
	Values []string
}

// PlanKnown is what plans may name.
type PlanKnown struct{ Environments, Flags, Metrics, Owners, Segments []string }

const (
	listOfFlags    Anchor = "known-flags"
	listOfMetrics  Anchor = "known-metrics"
	listOfOwners   Anchor = "known-owners"
	listOfSegments Anchor = "known-segments"
)

func (k PlanKnown) lists() []PlanList {
	return []PlanList{{listOfFlags, k.Flags}, {listOfMetrics, k.Metrics}, {listOfOwners, k.Owners}, {listOfSegments, k.Segments}}
}

// NewPlanForm makes the fields of a plan, and the YAML beside them.
func NewPlanForm(yaml string, doc Written, known PlanKnown) PlanForm {
	f := PlanForm{Base: yaml, Lists: known.lists()}
	f.YAML = PlanField{ID: "plan-yaml", Field: Field{Name: "yaml", Label: "The plan as YAML", Kind: AsCode, Value: yaml, Must: true, Rows: min(48, max(24, strings.Count(yaml, "\n")+2))}}
	for _, p := range planParts(known) {
		for i, of := range p.Fields {
			p.Fields[i].ID, p.Fields[i].Field = anchorOf(of.Field.Name), of.Field.saying(said(doc, of.Field.Name))
		}
		f.Parts = append(f.Parts, p)
	}
	for _, t := range planTables {
		f.Tables = append(f.Tables, t.filled(doc))
	}
	return f
}

// saying returns the field with a value. A choice offers what it says, whether
// that is one of its answers or not.
func (f Field) saying(value string) Field {
	f.Value = value
	if f.Kind == AsChoice && !slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == value }) {
		f.Options = append(slices.Clip(f.Options), Option{value, value})
	}
	return f
}

// anchorOf is the id of the field at a path of the form's own.
func anchorOf(path string) Anchor {
	return Anchor("plan-" + strings.NewReplacer(".", "-", "[", "-", "]", "").Replace(path))
}

// filled is the table of what a document says, with an empty row behind where
// items can be added.
func (t planTable) filled(doc Written) PlanTable {
	out := PlanTable{ID: t.id, Title: t.title, Help: t.help}
	for _, c := range t.columns {
		out.Head = append(out.Head, c.Field.Label)
	}
	rows := doc.Count(t.path)
	if t.named == "" {
		out.Help += " An emptied row is taken away."
		rows++
	}
	for i := range rows {
		if t.of != nil && !slices.Contains(t.of, kindOf(doc, i)) {
			continue
		}
		row := PlanRow{Fields: slices.Clone(t.columns)}
		if t.named != "" {
			row.Name = cmp.Or(doc.Text(t.at(i, t.named)), "stage "+strconv.Itoa(i+1))
		}
		for j, c := range row.Fields {
			path := t.at(i, c.Field.Name)
			row.Fields[j].ID, row.Fields[j].Field = anchorOf(path), c.Field.saying(t.value(doc, i, c.Field.Name))
			row.Fields[j].Field.Name, row.Fields[j].Field.Label = path, c.Field.Label+", "+strings.ToLower(t.title)+" "+strconv.Itoa(i+1)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func (t planTable) at(i int, column string) string {
	return fmt.Sprintf("%s[%d].%s", t.path, i, column)
}

// value is what an item says in a column. The kind of a stage follows from what
// it says.
func (t planTable) value(doc Written, i int, column string) string {
	if column != "kind" {
		return said(doc, t.at(i, column))
	}
	return string(kindOf(doc, i))
}

func kindOf(doc Written, i int) decisions.Kind {
	at := fmt.Sprintf("stages[%d].", i)
	if k := doc.Text(at + "kind"); k != "" { // of a form: the plan has no such field
		return decisions.Kind(k)
	}
	s := decisions.Stage{Serve: doc.Text(at + "serve"), To: doc.Text(at + "to"), Dark: doc.Text(at+"dark") == "true", Decide: doc.Text(at+"decide") == "true"}
	if doc.Text(at+"treatment") != "" {
		s.Treatment = decisions.All
	}
	if doc.Count(at+"ramp") > 0 {
		s.Ramp = &decisions.Steps{}
	}
	if doc.Count(at+"when") > 0 {
		s.When = &flags.Condition{}
	}
	s.Units = make([]string, doc.Count(at+"units"))
	return s.Kind()
}

// Refuse returns the form with faults: each at the field that it names, or that
// stands for it, and all of them with their lines beside the YAML.
func (f PlanForm) Refuse(faults event.Invalids, lines string) PlanForm {
	f.Lines = lines
	byName := map[string]*Field{}
	index := func(fields []PlanField) []PlanField {
		fields = slices.Clone(fields)
		for i := range fields {
			byName[fields[i].Field.Name] = &fields[i].Field
		}
		return fields
	}
	f.Parts, f.Tables = slices.Clone(f.Parts), slices.Clone(f.Tables)
	for i := range f.Parts {
		f.Parts[i].Fields = index(f.Parts[i].Fields)
	}
	for i := range f.Tables {
		f.Tables[i].Rows = slices.Clone(f.Tables[i].Rows)
		for j := range f.Tables[i].Rows {
			f.Tables[i].Rows[j].Fields = index(f.Tables[i].Rows[j].Fields)
		}
	}
	for _, fault := range faults {
		if at := fieldFor(byName, fault.Path); at != nil {
			at.Fault = strings.TrimPrefix(at.Fault+"; "+fault.Why+fix(fault), "; ")
		} else {
			f.Faults = append(f.Faults, fault.Error())
		}
	}
	return f
}

// fieldFor finds the field that a fault is about: of that name, or what stands
// first in the row that it names.
func fieldFor(byName map[string]*Field, path string) *Field {
	for path != "" {
		for _, end := range []string{"", ".name", ".metric"} {
			if f := byName[path+end]; f != nil {
				return f
			}
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return nil
		}
		path = path[:cut]
	}
	return nil
}
