package dashboards

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
)

// Amendment is one field of a document as it is to be: a text, a number, a truth, a
// list, a map, or nil for none. The path of an item and nil take the item away.
type Amendment struct {
	Path  string
	Value any
}

// PlanSent is what a browser sent of a PlanForm, field by field.
type PlanSent map[string][]string

// Text implements Written.
func (s PlanSent) Text(path string) string {
	if all := s[path]; len(all) > 0 {
		return strings.TrimSpace(strings.ReplaceAll(all[0], "\r\n", "\n"))
	}
	return ""
}

// Count implements Written: rows as they were sent, without the empty last one.
func (s PlanSent) Count(path string) int {
	n := 0
	for _, t := range planTables {
		if t.path == path && t.named == "" {
			for n < s.rows(t) && !(n == s.rows(t)-1 && s.blank(t, n)) {
				n++
			}
		}
	}
	return n
}

// Keys implements Written: a form holds what belongs together in one line.
func (s PlanSent) Keys(string) []string { return nil }

func (s PlanSent) rows(t planTable) int {
	n := 0
	for s[t.at(n, t.columns[0].Field.Name)] != nil {
		n++
	}
	return n
}

// blank reports whether somebody emptied a row. A kind alone is no stage.
func (s PlanSent) blank(t planTable, i int) bool {
	return !slices.ContainsFunc(t.columns, func(c PlanField) bool {
		return c.Field.Name != "kind" && s.Text(t.at(i, c.Field.Name)) != ""
	})
}

// Amendments are what a form says otherwise than the document that it was made
// from. What it has no field for is in none of them.
func (s PlanSent) Amendments(was Written) (all []Amendment) {
	for _, p := range planParts(PlanKnown{}) {
		for _, f := range p.Fields {
			all = append(all, s.differs(f.Field.Name, was)...)
		}
	}
	for _, t := range planTables {
		there, rows := was.Count(t.path), s.rows(t)
		for i := range there {
			if i < rows || t.named != "" { // such a table leaves out what it does not concern
				all = append(all, s.row(t, i, i, was)...)
			}
		}
		for i, added := there, there; t.named == "" && i < rows; i++ {
			if !s.blank(t, i) {
				all = append(all, s.row(t, i, added, was)...)
				added++
			}
		}
	}
	return all
}

// differs is the amendment of one field, if it differs.
func (s PlanSent) differs(path string, was Written) []Amendment {
	is := s.Text(path)
	if _, asked := s[path]; !asked || is == strings.TrimSpace(said(was, path)) {
		return nil
	}
	if is == "" {
		return []Amendment{{path, nil}}
	}
	return []Amendment{{path, valueOf(path, is)}}
}

// row is what a row says of an item. One whose fields are all emptied goes.
func (s PlanSent) row(t planTable, i, item int, was Written) (all []Amendment) {
	emptied := t.named == "" && s.blank(t, i) && slices.ContainsFunc(t.columns, func(c PlanField) bool {
		return c.Field.Name != "kind" && said(was, t.at(i, c.Field.Name)) != ""
	})
	if emptied {
		return []Amendment{{fmt.Sprintf("%s[%d]", t.path, item), nil}}
	}
	for _, c := range t.columns {
		switch path := t.at(i, c.Field.Name); {
		case c.Field.Name == "kind" && s[path] != nil:
			if kind := decisions.Kind(s.Text(path)); kind != kindOf(was, i) {
				all = append(all, becomes(kind, fmt.Sprintf("stages[%d].", item))...)
			}
		case c.Field.Name != "kind":
			for _, a := range s.differs(path, was) {
				all = append(all, Amendment{t.at(item, c.Field.Name), a.Value})
			}
		}
	}
	return all
}

// becomes says what a stage has to say to be of a kind, and what not.
func becomes(k decisions.Kind, at string) (all []Amendment) {
	says := map[decisions.Kind]Amendment{
		decisions.Serve: {"serve", "treatment"}, decisions.Full: {"serve", "treatment"}, decisions.Decide: {"decide", true}, decisions.Dark: {"dark", true},
	}
	not := map[decisions.Kind][]string{
		decisions.Serve: {"treatment", "ramp", "decide", "dark", "holdback"}, decisions.Full: {"to", "when", "units", "treatment", "ramp", "decide", "dark"},
		decisions.Ramp: {"serve", "decide", "dark", "holdback"}, decisions.Decide: {"serve", "dark", "holdback"}, decisions.Dark: {"serve", "treatment", "ramp", "decide", "holdback"},
	}
	for _, name := range not[k] {
		all = append(all, Amendment{at + name, nil})
	}
	if a, ok := says[k]; ok {
		all = append(all, Amendment{at + a.Path, a.Value})
	}
	return all
}
