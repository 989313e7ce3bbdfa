package manifest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Amendment is one field of a document as it is to be: a text, a number, a truth, a
// map, a list of texts and maps, or nil for none. A path that ends in the place of an item, "stages[2]", and nil take the
// item away; a place behind the last one adds an item.
type Amendment struct {
	Path  string
	Value any
}

// Amend changes fields of a file that holds one document, and leaves everything
// else as somebody wrote it. A word that is there is replaced in its line; a
// field that is added or taken away has its outermost field written anew, with
// all that it holds.
func Amend(source string, all []Amendment) (string, error) {
	for _, a := range all {
		if isItem(a.Path) {
			continue // taken away below, when the places of the others hold no longer
		}
		amended, err := amend(source, a)
		if err != nil {
			return source, err
		}
		source = amended
	}
	for _, a := range slices.Backward(all) {
		if !isItem(a.Path) {
			continue
		}
		amended, err := rewrite(source, a)
		if err != nil {
			return source, err
		}
		source = amended
	}
	return source, nil
}

func isItem(path string) bool { return strings.HasSuffix(path, "]") }

func amend(source string, a Amendment) (string, error) {
	doc, err := only(source)
	if err != nil || doc.Text(a.Path) == written(a.Value) && (a.Value != nil || doc.Count(a.Path) == 0) {
		return source, err
	}
	if amended, ok := doc.replace(source, a); ok {
		return amended, nil
	}
	return rewrite(source, a)
}

// only reads a file that holds one document.
func only(source string) (Document, error) {
	docs, err := Split([]byte(source))
	if err == nil && len(docs) > 1 {
		err = &Error{Text: "the file holds several documents; one is changed at a time"}
	}
	if err != nil {
		return Document{}, err
	}
	return docs[0], nil
}

// written is a value as Text returns it.
func written(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// replace writes another word in the place of one, if that stands whole in its
// line and the file says what it should afterwards.
func (d Document) replace(source string, a Amendment) (string, bool) {
	node := find(d.body, a.Path)
	t := node.GetToken()
	if _, scalar := node.(ast.ScalarNode); !scalar || a.Value == nil || d.Text(a.Path) == "" || t == nil || t.Position == nil {
		return "", false
	}
	lines := strings.Split(source, "\n")
	old := strings.TrimSpace(t.Origin)
	i := t.Position.Line - 1
	if i < 0 || i >= len(lines) || strings.Contains(old, "\n") {
		return "", false
	}
	line := []rune(lines[i])
	at := t.Position.Column - 1
	if at < 0 || at > len(line) || !strings.HasPrefix(string(line[at:]), old) || old == "" {
		return "", false
	}
	lines[i] = string(line[:at]) + scalar(a.Value) + string(line[at:])[len(old):]
	amended := strings.Join(lines, "\n")
	is, err := only(amended)
	return amended, err == nil && is.Text(a.Path) == written(a.Value)
}

// scalar writes a value in one line.
func scalar(v any) string {
	b, err := yaml.MarshalWithOptions(v, yaml.JSON())
	if text, ok := v.(string); ok && err == nil && plainly(text) {
		return text
	}
	return strings.TrimSpace(string(b))
}

// plainly reports whether a text says the same without quotes, also between
// braces.
func plainly(text string) bool {
	if strings.ContainsAny(text, "{}[],#:\"'&*!|>\\\n\r\t@`") || strings.TrimSpace(text) != text || text == "" {
		return false
	}
	b, err := yaml.Marshal(text)
	return err == nil && strings.TrimSpace(string(b)) == text
}
