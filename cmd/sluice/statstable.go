package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// answerTable is the answer to a calculation as a person reads it: one member a
// line, and below them the lists of numbers side by side.
type answerTable struct {
	shares   bool // levels are shares of units
	relative bool // effects are shares of the control mean
	members  []member
}

// member is one member of an answer.
type member struct {
	name  string
	value any
}

// calculated reads the answer to a question.
func calculated(question, answer []byte) answerTable {
	t := answerTable{shares: bytes.Contains(question, []byte(`"proportion"`)), members: members("", answer)}
	var said struct{ Relative bool }
	for _, object := range [][]byte{question, answer} {
		_ = json.Unmarshal(object, &said) // the calculator has refused what is no object
		t.relative = t.relative || said.Relative
	}
	return t
}

// members lists the members of a JSON object in their order, those of objects
// within it by their path.
func members(path string, object []byte) []member {
	d := json.NewDecoder(bytes.NewReader(object))
	_, _ = d.Token() // the bracket: the calculator writes objects alone
	var all []member
	for d.More() {
		name, _ := d.Token()
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			return all // unreachable unless the calculator writes no JSON
		}
		full := path + fmt.Sprint(name)
		if raw[0] == '{' {
			all = append(all, members(full+".", raw)...)
			continue
		}
		var value any
		_ = json.Unmarshal(raw, &value) // it was decoded before
		all = append(all, member{full, value})
	}
	return all
}

func (t answerTable) write(w io.Writer) {
	var lists []member
	for _, m := range t.members {
		items, many := m.value.([]any)
		switch {
		case !many:
			fmt.Fprintf(w, "%s\t%s\n", m.name, t.text(m.name, m.value))
		case slices.ContainsFunc(items, isText):
			for _, item := range items {
				fmt.Fprintf(w, "%s\t%s\n", m.name, t.text(m.name, item))
			}
		case len(items) > 0:
			lists = append(lists, m)
		}
	}
	t.aside(w, lists)
}

func isText(item any) bool {
	_, text := item.(string)
	return text
}

// aside writes lists side by side, one item a line, an empty line below the
// members.
func (t answerTable) aside(w io.Writer, lists []member) {
	rows := 0
	for _, l := range lists {
		rows = max(rows, len(l.value.([]any)))
	}
	if rows == 0 {
		return
	}
	fmt.Fprintln(w)
	for i := -1; i < rows; i++ {
		cells := make([]string, len(lists))
		for c, l := range lists {
			items := l.value.([]any)
			switch {
			case i < 0:
				cells[c] = l.name
			case i < len(items):
				cells[c] = t.text(l.name, items[i])
			}
		}
		fmt.Fprintf(w, "%s\n", strings.Join(cells, "\t"))
	}
}

// ofEffect are the members that are shares of the control mean where the effect
// is.
var ofEffect = []string{"estimate", "se", "ci_low", "ci_high", "expected", "sd", "risk_control", "risk_treatment"}

// text writes a value for people: levels of shares as 19.02 %, effects that are
// shares as −4.31 %, other numbers with four digits.
func (t answerTable) text(name string, value any) string {
	switch v := value.(type) {
	case float64:
		share := t.shares && (strings.HasSuffix(name, "_mean") || strings.HasSuffix(name, "_adjusted"))
		if share || t.relative && slices.Contains(ofEffect, name) {
			return signed(strconv.FormatFloat(100*v, 'f', 2, 64)) + " %"
		}
		return signed(strconv.FormatFloat(v, 'g', digits(v), 64))
	case nil:
		return "–"
	case string:
		return v
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = t.text(name, item)
		}
		return strings.Join(items, " to ")
	}
	return fmt.Sprint(value)
}

// digits is four, and enough for a whole number to be one.
func digits(v float64) int {
	if v == float64(int64(v)) {
		return 16
	}
	return 4
}

func signed(number string) string { return strings.Replace(number, "-", "−", 1) }
