package access

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Person is somebody who owns things and changes them.
type Person struct {
	Key   string   `json:"key"`
	Name  string   `json:"name"`
	Email string   `json:"email,omitempty"`
	Teams []string `json:"teams,omitempty"` // keys
}

// Team is a group that owns things together.
type Team struct {
	Key         string   `json:"key"`
	Description string   `json:"description,omitempty"`
	Members     []string `json:"members,omitempty"` // keys of people; a person may name the team instead
	Contact     string   `json:"contact,omitempty"` // channel, address or page
}

// Declare is the command that declares a person or a team, or changes one;
// Remove ends one, and with it the tokens that belong to it.
type (
	Declare struct {
		ID     event.ID
		At     time.Time
		Actor  string
		Person *Person // or
		Team   *Team
	}
	Remove struct {
		ID    event.ID
		At    time.Time
		Actor string
		Kind  Kind // OfPerson or OfTeam
		Key   string
	}
)

// Declare checks a person or a team and returns the event, ErrUnchanged when it
// is already so.
func (s *State) Declare(c Declare) (event.Event, event.Expect, error) {
	by := Issue{ID: c.ID, At: c.At, Actor: c.Actor}
	if c.Team != nil {
		old, exists := s.teams[c.Team.Key]
		if err := s.checkTeam(*c.Team); err != nil {
			return event.Event{}, 0, err
		}
		if exists && same(old, *c.Team) {
			return event.Event{}, 0, fmt.Errorf("%w: team %s", ErrUnchanged, c.Team.Key)
		}
		return s.event(by, TeamChangedType, teamSubject(c.Team.Key), c.Team)
	}
	old, exists := s.people[c.Person.Key]
	if err := s.checkPerson(*c.Person); err != nil {
		return event.Event{}, 0, err
	}
	if exists && same(old, *c.Person) {
		return event.Event{}, 0, fmt.Errorf("%w: person %s", ErrUnchanged, c.Person.Key)
	}
	return s.event(by, PersonChangedType, personSubject(c.Person.Key), c.Person)
}

// Remove returns the event that ends a person or a team.
func (s *State) Remove(c Remove) (event.Event, event.Expect, error) {
	by := Issue{ID: c.ID, At: c.At, Actor: c.Actor}
	if t, ok := s.teams[c.Key]; ok && c.Kind == OfTeam {
		return s.event(by, TeamRemovedType, teamSubject(c.Key), t)
	}
	if p, ok := s.people[c.Key]; ok && c.Kind == OfPerson {
		return s.event(by, PersonRemovedType, personSubject(c.Key), p)
	}
	return event.Event{}, 0, fmt.Errorf("%s %q: %w", c.Kind, c.Key, ErrUnknown)
}

// The subjects have one part more than those of tokens, so that a token's name
// and a person's key may be the same word.
func personSubject(key string) string { return "principal.person." + key }
func teamSubject(key string) string   { return "principal.team." + key }

// same compares what would be stored, where an empty list and none are one.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func (s *State) checkPerson(p Person) error {
	var faults event.Invalids
	checkKey("key", p.Key, "ana", &faults)
	if _, taken := s.teams[p.Key]; taken {
		faults.Add("key", p.Key, "is a team's", "owners are named by key alone: write another")
	}
	if strings.TrimSpace(p.Name) == "" {
		faults.Add("name", nil, "is missing", "write the name that people know, such as Ana Lind")
	}
	if at := strings.IndexByte(p.Email, '@'); p.Email != "" && (at <= 0 || at == len(p.Email)-1 || strings.ContainsAny(p.Email, " \t\r\n<>")) {
		faults.Add("email", p.Email, "is not an address", "write one such as ana@example.com, or leave it out")
	}
	for i, t := range p.Teams {
		if _, ok := s.teams[t]; !ok {
			faults.Add(fmt.Sprintf("teams[%d]", i), t, "is not a team", "apply a document of kind Team with this key first")
		}
	}
	return faults.Err()
}

func (s *State) checkTeam(t Team) error {
	var faults event.Invalids
	checkKey("key", t.Key, "payments-team", &faults)
	if _, taken := s.people[t.Key]; taken {
		faults.Add("key", t.Key, "is a person's", "owners are named by key alone: write another")
	}
	for i, m := range t.Members {
		if _, ok := s.people[m]; !ok {
			faults.Add(fmt.Sprintf("members[%d]", i), m, "is not a person", "apply a document of kind Person with this key first")
		}
	}
	return faults.Err()
}

func checkKey(path, key, example string, faults *event.Invalids) {
	if why := event.CheckKey(key); why != "" {
		faults.Add(path, key, why, "write a key such as "+example)
	}
}

// People lists the declared people, by key.
func (s *State) People() []Person { return byKey(s.people) }

// Teams lists the declared teams, by key, with the members that name the team
// themselves and without those that are gone.
func (s *State) Teams() []Team {
	list := byKey(s.teams)
	for i := range list {
		list[i].Members = s.members(list[i])
	}
	return list
}

func (s *State) members(t Team) []string {
	all := slices.DeleteFunc(slices.Clone(t.Members), func(key string) bool {
		_, there := s.people[key]
		return !there
	})
	for key, p := range s.people {
		if slices.Contains(p.Teams, t.Key) && !slices.Contains(all, key) {
			all = append(all, key)
		}
	}
	slices.Sort(all)
	return all
}

// TeamsOf returns the keys of the teams that a principal is in, sorted, whichever
// of the two names the other. Only people are in teams.
func (s *State) TeamsOf(principal string) []string {
	kind, person, _ := strings.Cut(principal, ":")
	var of []string
	for _, t := range s.Teams() {
		if Kind(kind) == OfPerson && slices.Contains(t.Members, person) {
			of = append(of, t.Key)
		}
	}
	return of
}

func byKey[T any](m map[string]T) []T {
	list := make([]T, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[key])
	}
	return list
}

// Revision returns the sequence of the last event of a person or a team, 0 when
// there is none of that key. The kind is that of the document.
func (s *State) Revision(kind, key string) uint64 {
	if _, ok := s.teams[key]; ok && kind == "Team" {
		return s.last[teamSubject(key)]
	}
	if _, ok := s.people[key]; ok && kind == "Person" {
		return s.last[personSubject(key)]
	}
	return 0
}

// Owner says why nobody of that key can own anything, or returns "". Before the
// first person or team is declared every text names somebody.
func (s *State) Owner(key string) string {
	_, person := s.people[key]
	_, team := s.teams[key]
	if person || team || len(s.people)+len(s.teams) == 0 {
		return ""
	}
	return "is neither a declared person nor a declared team"
}
