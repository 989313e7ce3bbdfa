package event

import (
	"fmt"
	"strings"
)

// Invalid says what is wrong with one field of a document that somebody
// wrote: which field, the value it has, and what to write instead.
type Invalid struct {
	Path  string `json:"path"`            // of the field: "stages[2].exclude.checkout_latency"
	Value string `json:"value,omitempty"` // as it was written, shortened
	Why   string `json:"why"`             // "is not a percentage"
	Fix   string `json:"fix,omitempty"`   // "write a percentage such as 10%"
}

// Error implements error.
func (i Invalid) Error() string {
	var b strings.Builder
	b.WriteString(i.Path)
	if i.Value != "" {
		fmt.Fprintf(&b, " %q", i.Value)
	}
	b.WriteString(" " + i.Why)
	if i.Fix != "" {
		b.WriteString("; " + i.Fix)
	}
	return b.String()
}

// Invalids is every fault of one document. Use Err to return it.
type Invalids []Invalid

// Error implements error: one fault a line.
func (v Invalids) Error() string {
	lines := make([]string, len(v))
	for i, f := range v {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Add appends a fault. value is shortened to 64 characters.
func (v *Invalids) Add(path string, value any, why, fix string) {
	text := ""
	if value != nil {
		text = fmt.Sprint(value)
	}
	if r := []rune(text); len(r) > 64 {
		text = string(r[:63]) + "…"
	}
	*v = append(*v, Invalid{Path: path, Value: text, Why: why, Fix: fix})
}

// Under appends the faults of a part, its path put before theirs.
func (v *Invalids) Under(path string, part Invalids) {
	for _, f := range part {
		switch {
		case f.Path == "":
			f.Path = path
		case strings.HasPrefix(f.Path, "["):
			f.Path = path + f.Path
		default:
			f.Path = path + "." + f.Path
		}
		*v = append(*v, f)
	}
}

// Err returns v, or nil when there is no fault.
func (v Invalids) Err() error {
	if len(v) == 0 {
		return nil
	}
	return v
}
