// Package flagd turns flags into flagd's documents and back
// (https://flagd.dev/reference/flag-definitions). It holds the rules of both
// ways and no state: documents in, documents out, with everything that cannot
// be said named by its path. It never reads a file, serves or evaluates.
//
//	doc, left := flagd.Export(state.Ruleset("production"), lists)  // left: what flagd cannot say
//	os.Stdout.Write(doc.JSON())
//
//	list, report, err := flagd.Import(source, flagd.Options{Environment: "production", Owner: "growth"})
//
// An exported flag gives every unit the variant that it has here, in flagd's
// own evaluator of JSONLogic with fractional in its second version. One thing
// is beyond it: flagd takes an empty targeting key for one, and here it is none.
package flagd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Schema is what documents name as theirs.
const Schema = "https://flagd.dev/schema/v0/flags.json"

// Document is a set of flag definitions, as flagd reads and serves it.
type Document struct {
	Schema   string                `json:"$schema,omitempty"`
	Flags    map[string]Definition `json:"flags"`
	Metadata map[string]any        `json:"metadata,omitempty"` // goes out with every answer; a flag's own comes first
}

// Definition is one flag of a document.
type Definition struct {
	State          string                     `json:"state"` // ENABLED or DISABLED
	Variants       map[string]json.RawMessage `json:"variants"`
	DefaultVariant *string                    `json:"defaultVariant"` // null: the code decides
	Targeting      any                        `json:"targeting,omitempty"`
	Metadata       map[string]any             `json:"metadata,omitempty"`
}

// The states of a definition.
const (
	enabled  = "ENABLED"
	disabled = "DISABLED"
)

// JSON returns the document as it is stored and served: a field a line, with
// sorted keys, so that equal documents are equal bytes.
func (d Document) JSON() []byte {
	var b bytes.Buffer
	b.WriteString("{\n")
	if d.Schema != "" {
		fmt.Fprintf(&b, "  \"$schema\": %s,\n", compact(d.Schema))
	}
	if len(d.Metadata) > 0 {
		fmt.Fprintf(&b, "  \"metadata\": %s,\n", compact(d.Metadata))
	}
	b.WriteString("  \"flags\": {")
	for i, key := range slices.Sorted(maps.Keys(d.Flags)) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n    %s: {\n%s\n    }", compact(key), d.Flags[key].lines())
	}
	b.WriteString("\n  }\n}\n")
	return b.Bytes()
}

// lines writes the fields of a definition, one a line.
func (d Definition) lines() string {
	lines := []string{`"state": ` + compact(d.State), `"variants": ` + compact(d.Variants), `"defaultVariant": ` + compact(d.DefaultVariant)}
	if d.Targeting != nil {
		lines = append(lines, `"targeting": `+compact(d.Targeting))
	}
	if len(d.Metadata) > 0 {
		lines = append(lines, `"metadata": `+compact(d.Metadata))
	}
	return "      " + strings.Join(lines, ",\n      ")
}

// compact writes a value without line breaks, and operators such as >= as
// people read them.
func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // cannot fail: Export and json.Unmarshal make nothing that JSON cannot write
	return strings.TrimSpace(b.String())
}
