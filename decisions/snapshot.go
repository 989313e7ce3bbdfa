package decisions

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// kept is everything that a State keeps, for a snapshot.
type kept struct {
	Rollouts  map[string][]*Rollout `json:"rollouts"`
	Incidents map[string][]Reported `json:"incidents"`
	Last      map[string]uint64     `json:"last"`
	Decisions map[string]string     `json:"decisions"`
	Pending   map[string]bool       `json:"pending"`
	Returns   map[string]bool       `json:"returns"`
	Drills    map[string]string     `json:"drills"`
	Answers   map[string]string     `json:"answers"`
	Waiting   map[string]answer     `json:"waiting"`
	IDs       event.IDs             `json:"ids"`
}

var _ event.Restorer = (*State)(nil)

// Snapshot implements event.Restorer.
func (s *State) Snapshot() any {
	return kept{
		Rollouts: s.copied(), Incidents: maps.Clone(s.incidents), Last: maps.Clone(s.last),
		Decisions: maps.Clone(s.decisions), Pending: maps.Clone(s.pending), IDs: s.ids.Frozen(),
		Returns: maps.Clone(s.returns), Drills: maps.Clone(s.drills),
		Answers: maps.Clone(s.answers), Waiting: maps.Clone(s.waiting),
	}
}

// copied returns the rollouts in lists of their own: Apply puts a changed
// rollout into the place of the old one.
func (s *State) copied() map[string][]*Rollout {
	c := make(map[string][]*Rollout, len(s.rollouts))
	for subject, list := range s.rollouts {
		c[subject] = slices.Clone(list)
	}
	return c
}

// Restore implements event.Restorer.
func (s *State) Restore(b json.RawMessage) error {
	k := kept{Rollouts: s.rollouts, Incidents: s.incidents, Last: s.last, Decisions: s.decisions, Pending: s.pending, Returns: s.returns, Drills: s.drills,
		Answers: s.answers, Waiting: s.waiting}
	if err := json.Unmarshal(b, &k); err != nil {
		return fmt.Errorf("reading the rollouts: %w", err)
	}
	s.rollouts, s.incidents, s.last = k.Rollouts, k.Incidents, k.Last
	s.decisions, s.pending, s.ids = k.Decisions, k.Pending, k.IDs
	s.returns, s.drills = k.Returns, k.Drills
	s.answers, s.waiting = k.Answers, k.Waiting
	s.shelve()
	return nil
}
