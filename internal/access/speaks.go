package access

import (
	"slices"
	"strings"
)

// Speaks reports whether a principal speaks for an owner: is that person or team,
// or is in the team. Before the first person or team is declared every text names
// somebody, and whoever acts speaks for him.
func (s *State) Speaks(principal, owner string) bool {
	if len(s.people)+len(s.teams) == 0 {
		return true
	}
	kind, key, _ := strings.Cut(principal, ":")
	switch Kind(kind) {
	case OfTeam:
		return key == owner
	case OfPerson:
		t, ok := s.teams[owner]
		return key == owner || ok && slices.Contains(s.members(t), key)
	}
	return false
}
