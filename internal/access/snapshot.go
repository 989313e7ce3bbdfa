package access

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/sluice-hq/sluice/event"
)

// kept is everything that a State keeps: its state as it is hashed.
type kept struct {
	Tokens []Token           `json:"tokens"`
	Last   map[string]uint64 `json:"last"`
}

var _ event.Restorer = (*State)(nil)

// State implements event.Fold.
func (s *State) State() any { return kept{s.Tokens(), maps.Clone(s.last)} }

// Snapshot implements event.Restorer.
func (s *State) Snapshot() any { return s.State() }

// Restore implements event.Restorer.
func (s *State) Restore(b json.RawMessage) error {
	k := kept{Last: s.last}
	if err := json.Unmarshal(b, &k); err != nil {
		return fmt.Errorf("reading the tokens: %w", err)
	}
	for _, t := range k.Tokens {
		s.tokens[t.Hash] = t
	}
	s.last = k.Last
	return nil
}
