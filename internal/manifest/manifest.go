// Package manifest reads the documents that people write: YAML (or JSON, its
// subset) with apiVersion and kind, one or several to a file. It is strict,
// since a misspelt field in a release plan must not be ignored, and every
// fault comes with its line and an excerpt. It knows nothing of what a
// document means and checks no values; the rooms do.
//
//	docs, err := manifest.Split(source)
//	var plan decisions.Plan
//	err = docs[0].Decode(&plan)                      // unknown field: line and excerpt
//	err = docs[0].Annotate(plan.Validate())          // event.Invalids: likewise
package manifest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/printer"
	"github.com/goccy/go-yaml/token"

	"github.com/sluice-hq/sluice/event"
)

// APIVersion is the version that every document names.
const APIVersion = "sluice/v1"

// MaxBytes bounds one file.
const MaxBytes = 1 << 20

// Document is one document of a file, parsed but not yet decoded.
type Document struct {
	Kind   string       // "Flag", "Metric", "Rollout"
	Expect event.Expect // revision that the author saw of what it describes, 0: it must not exist yet; event.Any: not written
	body   *ast.MappingNode
}

// Error is a fault in a document, with the place where it stands.
type Error struct {
	Line   int            // from 1; 0 when the fault has no place
	Faults event.Invalids // what is wrong, when a room said so
	Text   string         // message with line and excerpt, several lines
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the faults, so that errors.As finds event.Invalids.
func (e *Error) Unwrap() error { return e.Faults.Err() }

// Split parses a file into its documents. Empty documents are left out; a
// document without kind or with a foreign apiVersion is refused.
func Split(source []byte) ([]Document, error) {
	if len(source) > MaxBytes {
		return nil, &Error{Text: fmt.Sprintf("the file has %d bytes; at most %d are read", len(source), MaxBytes)}
	}
	parts, err := read(string(source))
	if err != nil {
		return nil, err
	}
	var docs []Document
	for _, part := range parts {
		file, err := parser.Parse(part, 0)
		if err != nil {
			return nil, place(err)
		}
		for _, d := range file.Docs {
			if d.Body == nil || d.Body.Type() == ast.NullType || d.Body.Type() == ast.CommentType {
				continue
			}
			doc, err := open(d.Body)
			if err != nil {
				return nil, err
			}
			docs = append(docs, doc)
		}
	}
	if len(docs) == 0 {
		return nil, &Error{Text: "the file holds no document; start one with \"apiVersion: " + APIVersion + "\" and \"kind: Flag\""}
	}
	return docs, nil
}

// open takes the header off a document.
func open(node ast.Node) (Document, error) {
	body, ok := node.(*ast.MappingNode)
	if !ok {
		return Document{}, excerpt(node, "a document is a mapping that starts with \"apiVersion: "+APIVersion+"\"")
	}
	doc := Document{Expect: event.Any, body: body}
	var version string
	rest := body.Values[:0:0]
	for _, v := range body.Values {
		switch text(v.Key) {
		case "apiVersion":
			version = text(v.Value)
		case "kind":
			doc.Kind = text(v.Value)
		case "expect":
			n, err := strconv.ParseUint(text(v.Value), 10, 63)
			if err != nil {
				return doc, excerpt(v.Value, fmt.Sprintf("expect %q is not a revision; write the one that you saw, or 0 when it must not exist yet", text(v.Value)))
			}
			doc.Expect = event.Expect(n)
		default:
			rest = append(rest, v)
		}
	}
	if version != APIVersion {
		return doc, excerpt(node, fmt.Sprintf("apiVersion %q is not known; write \"apiVersion: %s\"", version, APIVersion))
	}
	if doc.Kind == "" {
		return doc, excerpt(node, "kind is missing; write \"kind: Flag\", \"kind: Metric\" or \"kind: Rollout\"")
	}
	body.Values = rest
	return doc, nil
}

// Decode reads the document into a struct. A field that the struct does not
// have, one that stands twice or a value of the wrong type is an *Error.
func (d Document) Decode(into any) error {
	if len(d.body.Values) == 0 {
		return nil
	}
	if err := yaml.NodeToValue(d.body, into, yaml.Strict()); err != nil {
		return place(err)
	}
	return nil
}

// Annotate adds line and excerpt to the faults that a room found in the
// decoded document. Other errors, and nil, are returned as they are.
func (d Document) Annotate(err error) error {
	var faults event.Invalids
	if !errors.As(err, &faults) || len(faults) == 0 {
		return err
	}
	whole := &Error{Faults: faults}
	var lines []string
	for _, f := range faults {
		e := excerpt(find(d.body, f.Path), f.Error())
		if whole.Line == 0 {
			whole.Line = e.Line
		}
		lines = append(lines, e.Text)
	}
	whole.Text = strings.Join(lines, "\n")
	return whole
}

// place turns an error of the parser into ours.
func place(err error) *Error {
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil {
		return &Error{Text: err.Error()}
	}
	return &Error{Line: y.GetToken().Position.Line, Text: narrow(strings.TrimSpace(yaml.FormatError(err, false, true)))}
}

// excerpt says what is wrong at a node.
func excerpt(node ast.Node, message string) *Error {
	t := node.GetToken()
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		t = m.Values[0].Key.GetToken()
	}
	return at(t, message)
}

// at says what is wrong at a token, with the lines around it.
func at(t *token.Token, message string) *Error {
	if t == nil || t.Position == nil {
		return &Error{Text: message}
	}
	var p printer.Printer
	return &Error{
		Line: t.Position.Line,
		Text: fmt.Sprintf("[%d:%d] %s\n%s", t.Position.Line, t.Position.Column, message, narrow(strings.TrimRight(p.PrintErrorToken(t, false), " \n"))),
	}
}

// narrow cuts long lines: nobody finds a place in a line of a megabyte.
func narrow(text string) string {
	const columns = 200
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if r := []rune(line); len(r) > columns {
			lines[i] = string(r[:columns]) + "…"
		}
	}
	return strings.Join(lines, "\n")
}

func text(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value)
	}
	return strings.TrimSpace(n.String())
}
