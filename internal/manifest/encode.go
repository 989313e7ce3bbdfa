package manifest

import (
	"encoding/json"
	"fmt"

	"github.com/goccy/go-yaml"
)

// Encode writes a value as YAML, with the names that its JSON has.
func Encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding as YAML: %w", err)
	}
	return yaml.JSONToYAML(b)
}
