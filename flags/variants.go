package flags

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Variants maps the name of each variant to its value, one JSON value of the
// flag's type.
type Variants map[string]json.RawMessage

// UnmarshalYAML reads a YAML mapping and keeps each value as JSON.
func (v *Variants) UnmarshalYAML(unmarshal func(any) error) error {
	var values map[string]any
	if err := unmarshal(&values); err != nil {
		return err
	}
	*v = make(Variants, len(values))
	for name, value := range values {
		raw, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("reading variant %s: %w", name, err)
		}
		(*v)[name] = raw
	}
	return nil
}

// Named returns the first variant that has one of the names, or else the first
// that has one of them for its value: other programs name variants by what they
// are. It is false when none has.
func (v Variants) Named(names ...string) (string, bool) {
	for _, name := range names {
		if _, ok := v[name]; ok {
			return name, true
		}
	}
	for _, name := range names {
		for _, variant := range slices.Sorted(maps.Keys(v)) {
			var text string
			if raw := v[variant]; string(raw) == name || json.Unmarshal(raw, &text) == nil && text == name && name != "" {
				return variant, true
			}
		}
	}
	return "", false
}

// typeOf returns the type of a JSON value, "" when it is not one value of one
// of the four types.
func typeOf(raw json.RawMessage) Type {
	value, err := decode(raw)
	if err != nil {
		return ""
	}
	switch n := value.(type) {
	case bool:
		return Boolean
	case string:
		return String
	case json.Number:
		if _, err := n.Float64(); err == nil {
			return Number
		}
	case map[string]any:
		return Object
	}
	return ""
}

// canonical returns the JSON value with sorted keys and no space, so that
// equal values are equal bytes. Numbers keep their digits.
func canonical(raw json.RawMessage) json.RawMessage {
	value, err := decode(raw)
	if err != nil {
		return raw
	}
	out, err := json.Marshal(value)
	if err != nil {
		return raw
	}
	return out
}

func decode(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one value")
	}
	return value, nil
}

// same reports whether two documents are the same JSON.
func same(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}
