package flags

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/sluice-hq/sluice/flags/jsonlogic"
)

// Logic is a rule in JSONLogic with the operators of flagd, kept as it was
// written. It gives the name of a variant, or null for the default.
type Logic json.RawMessage

// MarshalJSON implements json.Marshaler.
func (l Logic) MarshalJSON() ([]byte, error) {
	if len(l) == 0 {
		return []byte("null"), nil
	}
	return l, nil
}

// UnmarshalJSON implements json.Unmarshaler. Null is no rule.
func (l *Logic) UnmarshalJSON(b []byte) error {
	*l = nil
	if string(b) != "null" {
		*l = bytes.Clone(b)
	}
	return nil
}

// UnmarshalYAML reads YAML, of which JSON is a part, and keeps it as JSON.
func (l *Logic) UnmarshalYAML(unmarshal func(any) error) error {
	var value any
	if err := unmarshal(&value); err != nil {
		return err
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("reading JSONLogic: %w", err)
	}
	return l.UnmarshalJSON(raw)
}

// Compile compiles the rule. Its error is event.Invalids with every fault.
func (l Logic) Compile() (*jsonlogic.Rule, error) {
	return jsonlogic.Compile(l, map[string]jsonlogic.Operator{
		"fractional": fractional, "sem_ver": semVer, "starts_with": startsWith, "ends_with": endsWith,
	})
}
