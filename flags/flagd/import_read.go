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
