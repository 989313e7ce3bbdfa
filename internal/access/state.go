package access

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Event types of a principal.
const (
	IssuedType        = "token.issued"
	RevokedType       = "token.revoked"
	PersonChangedType = "person.changed"
	PersonRemovedType = "person.removed"
	TeamChangedType   = "team.changed"
	TeamRemovedType   = "team.removed"
)

// ErrUnknown says that there is no such token, person or team, ErrUnchanged
// that one is already as the command wants it.
var (
	ErrUnknown   = errors.New("there is none of that name")
	ErrUnchanged = errors.New("nothing would change")
)

// State is the fold of all tokens, people and teams.
type State struct {
	tokens  map[event.Hash]*held
	origins map[string]hashes // of client tokens, for preflights, which carry no token
	people  map[string]Person
	teams   map[string]Team
	links   map[string]string // identity at an issuer -> key of the person that it is
	last    map[string]uint64 // subject -> sequence of its last event
}

type hashes map[event.Hash]bool

// held is a token with whom it speaks for, which every request asks.
type held struct {
	Token
	who Principal
}

var _ event.Fold = (*State)(nil)

// NewState returns the state before the first event.
func NewState() *State {
	return &State{
		tokens: map[event.Hash]*held{}, origins: map[string]hashes{},
		people: map[string]Person{}, teams: map[string]Team{}, links: map[string]string{}, last: map[string]uint64{},
	}
}

// event writes what happened to a principal.
func (s *State) event(c Issue, kind, subject string, data any) (event.Event, event.Expect, error) {
	b, err := json.Marshal(data)
	return event.Event{
		ID: c.ID, Source: "sluice/access", Type: kind, Subject: subject, Time: c.At, Actor: c.Actor, Data: b,
	}, event.Expect(s.last[subject]), err
}

// Apply implements event.Fold.
func (s *State) Apply(r event.Recorded) error {
	var err error
	switch r.Type {
	case IssuedType:
		err = decode(r, s.issued)
	case RevokedType:
		err = decode(r, func(t Token) { s.end(t.Hash) })
	case PersonChangedType:
		err = decode(r, func(p Person) { s.people[p.Key] = p })
	case PersonRemovedType:
		err = decode(r, func(p Person) { delete(s.people, p.Key); s.endAll(OfPerson, p.Key); s.untie(p.Key) })
	case TeamChangedType:
		err = decode(r, func(t Team) { s.teams[t.Key] = t })
	case TeamRemovedType:
		err = decode(r, func(t Team) { delete(s.teams, t.Key); s.endAll(OfTeam, t.Key) })
	default:
		return nil
	}
	if err == nil {
		s.last[r.Subject] = r.Seq
	}
	return err
}

func decode[T any](r event.Recorded, apply func(T)) error {
	var v T
	if err := json.Unmarshal(r.Data, &v); err != nil {
		return fmt.Errorf("reading %s: %w", r.Type, err)
	}
	apply(v)
	return nil
}

func (s *State) issued(t Token) {
	s.hold(t)
	if old := s.byID(t.Replaces); old != nil && t.Ends != nil && old.live(*t.Ends) {
		old.Expires = t.Ends
	}
	if t.Session != nil {
		s.began(t)
	}
}

// hold makes a token answer when it is asked for.
func (s *State) hold(t Token) {
	s.tokens[t.Hash] = &held{Token: t, who: t.principal()}
	for _, o := range t.Origins {
		if s.origins[o] == nil {
			s.origins[o] = hashes{}
		}
		s.origins[o][t.Hash] = true
	}
}

func (s *State) end(hash event.Hash) {
	t, ok := s.tokens[hash]
	if !ok {
		return
	}
	for _, o := range t.Origins {
		delete(s.origins[o], hash)
		if len(s.origins[o]) == 0 {
			delete(s.origins, o)
		}
	}
	delete(s.tokens, hash)
}

// endAll ends the tokens of a person or team that is gone.
func (s *State) endAll(kind Kind, name string) {
	for hash, t := range s.tokens {
		if t.Class == Account && t.kind() == kind && t.Name == name {
			s.end(hash)
		}
	}
}

// Tokens lists what was issued and not revoked, by ID.
func (s *State) Tokens() []Token {
	list := make([]Token, 0, len(s.tokens))
	for _, t := range s.tokens {
		list = append(list, t.Token)
	}
	slices.SortFunc(list, func(a, b Token) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// byID finds a token by what lists show, nil when there is none.
func (s *State) byID(id string) *held {
	for t := range maps.Values(s.tokens) {
		if id != "" && t.ID == id {
			return t
		}
	}
	return nil
}

// Token returns the token of an ID, as lists show it.
func (s *State) Token(id string) (Token, bool) {
	if t := s.byID(id); t != nil {
		return t.Token, true
	}
	return Token{}, false
}

// Find returns the principal a token belongs to. The look-up is by hash, so
// its time tells nothing of the tokens that exist.
func (s *State) Find(text string, now time.Time) (Principal, bool) {
	if !wellFormed(text) {
		return Principal{}, false
	}
	t, ok := s.tokens[sha256.Sum256([]byte(text))]
	if !ok || !t.live(now) {
		return Principal{}, false
	}
	return t.who, true
}

// Holder returns the principal of a token that is known by its ID: whether who
// came in with it, and has not left, would still be let in.
func (s *State) Holder(id string, now time.Time) (Principal, bool) {
	for _, t := range s.tokens {
		if t.ID == id && t.live(now) {
			return t.who, true
		}
	}
	return Principal{}, false
}

// Lists reports whether some live client token lists the origin: a browser asks
// that before it sends the token.
func (s *State) Lists(origin string, now time.Time) bool {
	for h := range s.origins[origin] {
		if s.tokens[h].live(now) {
			return true
		}
	}
	return false
}
