package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// rewrite changes a field by writing its outermost field anew. What stands before
// and behind that keeps every letter.
func rewrite(source string, a Amendment) (string, error) {
	if _, err := only(source); err != nil {
		return source, err
	}
	name := outermost(a.Path)
	before, block, after := cut(source, name)
	tree := yaml.MapSlice{}
	notes := yaml.CommentMap{}
	if err := yaml.UnmarshalWithOptions([]byte(block), &tree, yaml.UseOrderedMap(), yaml.CommentToMap(notes)); err != nil {
		return source, place(err)
	}
	changed, _ := set(tree, a.Path, a.Value).(yaml.MapSlice)
	if isItem(a.Path) {
		notes = nil // they name places that hold no longer
	}
	if len(changed) == 0 {
		return before + after, nil
	}
	b, err := yaml.MarshalWithOptions(changed, yaml.IndentSequence(true), yaml.WithComment(notes))
	if err != nil {
		return source, fmt.Errorf("writing %s: %w", name, err)
	}
	if before != "" && !strings.HasSuffix(before, "\n") {
		before += "\n"
	}
	return before + string(b) + after, nil
}

// outermost is the first field of a path.
func outermost(path string) string {
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return path
}

// cut finds the lines of an outermost field. What is written in another shape
// than a field to a line is cut whole, and what is not there is empty, at the
// end. Empty lines and remarks before the next field belong to that.
func cut(source, name string) (before, block, after string) {
	docs, err := Split([]byte(source))
	if err != nil {
		return source, "", ""
	}
	lines := strings.SplitAfter(source, "\n")
	from, until := -1, len(lines)
	for _, v := range header(source, docs[0]) {
		switch at := v.at - 1; {
		case v.flow:
			return "", source, ""
		case v.name == name:
			from = at
		case from >= 0 && at > from:
			until = min(until, at)
		}
	}
	if from < 0 {
		return source, "", ""
	}
	for until > from+1 && until < len(lines) && blank(lines[until-1]) {
		until--
	}
	return strings.Join(lines[:from], ""), strings.Join(lines[from:until], ""), strings.Join(lines[until:], "")
}

func blank(line string) bool {
	return strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#")
}

// field is where an outermost field begins.
type field struct {
	name string
	at   int  // line, from 1
	flow bool // it does not begin its line
}

// header returns the outermost fields of a document: those of the body, and
// those that Split takes off it.
func header(source string, d Document) (all []field) {
	add := func(v *ast.MappingValueNode) {
		p := v.Key.GetToken().Position
		all = append(all, field{text(v.Key), p.Line, p.Column != 1})
	}
	for _, v := range d.body.Values {
		add(v)
	}
	for i, line := range strings.Split(source, "\n") {
		for _, name := range []string{"apiVersion", "kind", "expect"} {
			if strings.HasPrefix(line, name+":") {
				all = append(all, field{name, i + 1, false})
			}
		}
	}
	return all
}

// set returns a tree with another value at a path. Items and fields that are
// not there are made; a map that loses its last field goes as well.
func set(tree any, path string, value any) any {
	if path == "" {
		return value
	}
	if inside, ok := strings.CutPrefix(path, "["); ok {
		digits, rest, _ := strings.Cut(inside, "]")
		i, err := strconv.Atoi(digits)
		if err != nil {
			return tree
		}
		return setItem(tree, i, strings.TrimPrefix(rest, "."), value)
	}
	m, _ := tree.(yaml.MapSlice)
	name := outermost(path)
	rest := strings.TrimPrefix(path[len(name):], ".")
	out := make(yaml.MapSlice, 0, len(m)+1)
	found := false
	for _, f := range m {
		if f.Key == name {
			found = true
			f.Value = set(f.Value, rest, value)
		}
		if f.Value != nil {
			out = append(out, f)
		}
	}
	if v := set(nil, rest, value); !found && v != nil {
		out = append(out, yaml.MapItem{Key: name, Value: v})
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func setItem(tree any, i int, rest string, value any) any {
	list, _ := tree.([]any)
	out := append([]any{}, list...)
	if i < 0 || i > len(out) {
		return tree
	}
	if i == len(out) {
		out = append(out, nil)
	}
	if out[i] = set(out[i], rest, value); out[i] == nil {
		out = append(out[:i], out[i+1:]...)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
