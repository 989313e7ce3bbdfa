package access

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Event types of a principal.
const (
	IssuedType  = "token.issued"
	RevokedType = "token.revoked"
)

// ErrUnknown says that there is no such token.
var ErrUnknown = errors.New("there is no such token")

// State is the fold of all tokens.
type State struct {
	tokens map[event.Hash]Token
	last   map[string]uint64 // subject -> sequence of its last event
}

// NewState returns the state before the first event.
func NewState() *State {
	return &State{tokens: map[event.Hash]Token{}, last: map[string]uint64{}}
}

// Issue is the command that makes a token valid, Revoke the one that ends it.
type (
	Issue struct {
		ID    event.ID
		At    time.Time
		Actor string
		Token Token
	}
	Revoke struct {
		ID      event.ID
		At      time.Time
		Actor   string
		TokenID string
	}
)

// Issue checks a token and returns its event.
func (s *State) Issue(c Issue) (event.Event, event.Expect, error) {
	if err := c.Token.validate(); err != nil {
		return event.Event{}, 0, err
	}
	return s.event(c.ID, c.At, c.Actor, IssuedType, c.Token)
}

// Revoke returns the event that ends a token, ErrUnknown when there is none.
func (s *State) Revoke(c Revoke) (event.Event, event.Expect, error) {
	for _, t := range s.tokens {
		if t.ID == c.TokenID {
			return s.event(c.ID, c.At, c.Actor, RevokedType, t)
		}
	}
	return event.Event{}, 0, fmt.Errorf("token %q: %w", c.TokenID, ErrUnknown)
}

func (s *State) event(id event.ID, at time.Time, actor, kind string, t Token) (event.Event, event.Expect, error) {
	data, err := json.Marshal(t)
	subject := "principal." + t.Name
	return event.Event{
		ID: id, Source: "sluice/access", Type: kind, Subject: subject, Time: at, Actor: actor, Data: data,
	}, event.Expect(s.last[subject]), err
}

func (t Token) validate() error {
	var faults event.Invalids
	if why := event.CheckKey(t.Name); why != "" {
		faults.Add("name", t.Name, why, "write a name such as checkout-service")
	}
	switch t.Class {
	case ServerSDK, ClientSDK:
		if t.Environment == AnyEnvironment {
			faults.Add("environment", nil, "is missing", "an SDK token belongs to one environment, such as production")
		}
		if t.Role != "" {
			faults.Add("role", t.Role, "does not fit an SDK token", "leave it out")
		}
	case Account:
		if !slices.Contains([]Role{Viewer, Editor, Approver, Admin}, t.Role) {
			faults.Add("role", t.Role, "is not a role", "write viewer, editor, approver or admin")
		}
	default:
		faults.Add("class", t.Class, "is not a class of token", "write sls, slc or sla")
	}
	return faults.Err()
}

// Apply implements event.Fold.
func (s *State) Apply(r event.Recorded) error {
	if r.Type != IssuedType && r.Type != RevokedType {
		return nil
	}
	var t Token
	if err := json.Unmarshal(r.Data, &t); err != nil {
		return err
	}
	s.last[r.Subject] = r.Seq
	if r.Type == RevokedType {
		delete(s.tokens, t.Hash)
		return nil
	}
	s.tokens[t.Hash] = t
	return nil
}

// Tokens lists what is valid, by ID.
func (s *State) Tokens() []Token {
	list := make([]Token, 0, len(s.tokens))
	for _, t := range s.tokens {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b Token) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// Find returns the principal a token belongs to. The look-up is by hash, so
// its time tells nothing of the tokens that exist.
func (s *State) Find(text string, now time.Time) (Principal, bool) {
	if !wellFormed(text) {
		return Principal{}, false
	}
	t, ok := s.tokens[sha256.Sum256([]byte(text))]
	if !ok || t.Expires != nil && !now.Before(*t.Expires) {
		return Principal{}, false
	}
	kind := "sdk:"
	if t.Class == Account {
		kind = "person:"
	}
	return Principal{Name: kind + t.Name, Class: t.Class, Role: t.Role, Environment: t.Environment}, true
}
