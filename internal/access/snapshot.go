package access

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/sluice-hq/sluice/event"
)

// kept is everything that a State keeps: its state as it is hashed. People,
// teams and identities are left out while there are none, so that the state of an older log
// has the hash that its seals have.
type kept struct {
	Tokens []Token           `json:"tokens"`
	Last   map[string]uint64 `json:"last"`
	People map[string]Person `json:"people,omitempty"`
	Teams  map[string]Team   `json:"teams,omitempty"`
	Links  map[string]string `json:"links,omitempty"`
}

var _ event.Restorer = (*State)(nil)

// State implements event.Fold.
func (s *State) State() any {
	return kept{s.Tokens(), maps.Clone(s.last), maps.Clone(s.people), maps.Clone(s.teams), maps.Clone(s.links)}
}

// Snapshot implements event.Restorer.
func (s *State) Snapshot() any { return s.State() }

// Restore implements event.Restorer.
func (s *State) Restore(b json.RawMessage) error {
	k := kept{Last: s.last, People: s.people, Teams: s.teams, Links: s.links}
	if err := json.Unmarshal(b, &k); err != nil {
		return fmt.Errorf("reading tokens, people and teams: %w", err)
	}
	for _, t := range k.Tokens {
		s.hold(t)
	}
	s.last, s.people, s.teams, s.links = k.Last, k.People, k.Teams, k.Links
	return nil
}
