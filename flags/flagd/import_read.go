package flagd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// source is a document as it is read.
type source struct {
	Flags      json.RawMessage `json:"flags"` // an object by key, or a list
	Evaluators map[string]any  `json:"$evaluators"`
	Metadata   map[string]any  `json:"metadata"`

	flags map[string]imported
}

// imported is one definition as it is read.
type imported struct {
	Key            string          `json:"key"` // in a list alone
	State          string          `json:"state"`
	Variants       flags.Variants  `json:"variants"`
	DefaultVariant *string         `json:"defaultVariant"`
	Targeting      json.RawMessage `json:"targeting"`
	Metadata       map[string]any  `json:"metadata"`
}

// read reads a document.
func read(raw []byte) (source, event.Invalids) {
	var doc source
	var faults event.Invalids
	if err := decode(raw, &doc); err != nil {
		faults.Add("", nil, "is not a document of flagd: "+err.Error(), `write {"flags": {…}}`)
		return doc, faults
	}
	if len(doc.Flags) == 0 {
		faults.Add("flags", nil, "is missing", "write an object of definitions by key")
		return doc, faults
	}
	if doc.Flags[0] == '[' {
		return doc.list(faults)
	}
	if err := decode(doc.Flags, &doc.flags); err != nil {
		faults.Add("flags", nil, "cannot be read: "+err.Error(), "")
	}
	return doc, faults
}

// list reads definitions that are a list.
func (doc source) list(faults event.Invalids) (source, event.Invalids) {
	var list []imported
	if err := decode(doc.Flags, &list); err != nil {
		faults.Add("flags", nil, "cannot be read: "+err.Error(), "")
		return doc, faults
	}
	doc.flags = make(map[string]imported, len(list))
	for i, d := range list {
		if _, twice := doc.flags[d.Key]; twice || d.Key == "" {
			faults.Add(fmt.Sprintf("flags[%d].key", i), d.Key, "is missing, or an earlier definition's", "")
			continue
		}
		doc.flags[d.Key] = d
	}
	return doc, faults
}

// decode reads one JSON value and keeps the digits of numbers.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there is something behind the first value")
	}
	return nil
}

// targeting returns a definition's rule with its references filled in, nil when
// there is none.
func (im *importer) targeting(path string, raw json.RawMessage) flags.Logic {
	var rule any
	if len(raw) == 0 || decode(raw, &rule) != nil || rule == nil {
		return nil
	}
	if m, ok := rule.(map[string]any); ok && len(m) == 0 {
		return nil
	}
	out, err := json.Marshal(im.fill(path, rule, false))
	if err != nil {
		im.faults.Add(path, nil, "cannot be written: "+err.Error(), "") // unreachable: it was read from JSON
		return nil
	}
	return flags.Logic(out)
}

// fill puts evaluators in the place of references, and today's name in the
// place of an operator's old one. Evaluators refer to no others.
func (im *importer) fill(path string, part any, within bool) any {
	switch part := part.(type) {
	case []any:
		out := make([]any, len(part))
		for i := range part {
			out[i] = im.fill(fmt.Sprintf("%s[%d]", path, i), part[i], within)
		}
		return out
	case map[string]any:
		if name, ok := part["$ref"].(string); ok && len(part) == 1 {
			return im.evaluator(path, name, part, within)
		}
		out := make(map[string]any, len(part))
		for op, args := range part {
			if op == "fractionalEvaluation" && len(part) == 1 {
				im.report.warn(path, "fractionalEvaluation is the old name of fractional, which spreads units in another way than it once did")
				op = "fractional"
			}
			out[op] = im.fill(path+"."+op, args, within)
		}
		return out
	}
	return part
}

func (im *importer) evaluator(path, name string, ref any, within bool) any {
	rule, ok := im.doc.Evaluators[name]
	switch {
	case !ok:
		im.faults.Add(path+".$ref", name, "is not among $evaluators", "define it there")
	case within:
		im.faults.Add(path+".$ref", name, "is a reference within an evaluator", "write the other's rule there")
	default:
		return im.fill(path+".$ref("+name+")", rule, true)
	}
	return ref
}
