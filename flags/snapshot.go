package flags

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/sluice-hq/sluice/event"
)

// kept is everything that a State keeps, for a snapshot.
type kept struct {
	Flags  map[string]*record `json:"flags"`
	Shared shared             `json:"shared"`
	IDs    event.IDs          `json:"ids"`
	Last   uint64             `json:"last"`
	Since  since              `json:"since,omitempty"`
}

var _ event.Restorer = (*State)(nil)

// Snapshot implements event.Restorer.
func (s *State) Snapshot() any {
	return kept{Flags: maps.Clone(s.flags), Shared: s.shared.clone(), IDs: s.ids.Frozen(), Last: s.last, Since: maps.Clone(s.since)}
}

// Restore implements event.Restorer.
func (s *State) Restore(b json.RawMessage) error {
	k := kept{Flags: s.flags, Shared: s.shared}
	if err := json.Unmarshal(b, &k); err != nil {
		return fmt.Errorf("reading the flags: %w", err)
	}
	for _, r := range k.Flags { // an empty map is left out of JSON, and next to be written to
		if r.Tenures == nil {
			r.Tenures = map[string][]tenure{}
		}
		if r.Rollouts == nil {
			r.Rollouts = map[string]Allocation{}
		}
	}
	s.flags, s.needed, s.kinds, s.shared, s.ids, s.last = k.Flags, neededBy(k.Flags), kindsOf(k.Flags), k.Shared, k.IDs, k.Last
	s.since = since{}
	maps.Copy(s.since, k.Since) // none in a snapshot of before they were kept
	return nil
}
