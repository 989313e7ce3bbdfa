package access

import (
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Issue is the command that makes a token valid, Revoke the one that ends it,
// and Rotate puts a new one in the place of an old one.
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
	Rotate struct {
		ID      event.ID
		At      time.Time
		Actor   string
		TokenID string        // of the old one
		Token   Token         // the new one: minted, the rest is taken from the old one
		Overlap time.Duration // how long the old one still works; 0: it ends at once
	}
)

// Issue checks a token and returns its event.
func (s *State) Issue(c Issue) (event.Event, event.Expect, error) {
	if err := c.Token.validate(); err != nil {
		return event.Event{}, 0, err
	}
	if err := s.declared(c.Token); err != nil {
		return event.Event{}, 0, err
	}
	at := c.At
	c.Token.Issued = &at
	return s.event(c, IssuedType, c.Token.subject(), c.Token)
}

// declared refuses an account of a person or team that nobody declared, once
// there are declared ones.
func (s *State) declared(t Token) error {
	if t.Class != Account {
		return nil
	}
	var faults event.Invalids
	_, person := s.people[t.Name]
	_, team := s.teams[t.Name]
	switch kind := t.kind(); {
	case kind == OfPerson && !person && len(s.people) > 0:
		faults.Add("name", t.Name, "is not a person", "apply a document of kind Person first, or issue it with kind service")
	case kind == OfTeam && !team:
		faults.Add("name", t.Name, "is not a team", "apply a document of kind Team first")
	}
	return faults.Err()
}

func (t Token) subject() string { return "principal." + t.Name }

// Revoke returns the event that ends a token, ErrUnknown when there is none.
func (s *State) Revoke(c Revoke) (event.Event, event.Expect, error) {
	t := s.byID(c.TokenID)
	if t == nil {
		return event.Event{}, 0, fmt.Errorf("token %q: %w", c.TokenID, ErrUnknown)
	}
	return s.event(Issue{ID: c.ID, At: c.At, Actor: c.Actor}, RevokedType, t.subject(), t.Token)
}

// Rotate returns the event that makes the new token valid and says when the old
// one ends. What the old one may do is kept; one that has an expiry keeps the
// length of its life.
func (s *State) Rotate(c Rotate) (event.Event, event.Expect, error) {
	old := s.byID(c.TokenID)
	if old == nil || !old.live(c.At) {
		return event.Event{}, 0, fmt.Errorf("token %q: %w", c.TokenID, ErrUnknown)
	}
	if old.Session != nil {
		return event.Event{}, 0, event.Invalids{{Path: "id", Value: c.TokenID, Why: "is the session of " + old.who.Shown(), Fix: "revoke it; the person signs in again, and nobody else holds its text"}}
	}
	t := old.Token
	t.ID, t.Hash, t.Replaces = c.Token.ID, c.Token.Hash, old.ID
	ends := c.At.Add(c.Overlap)
	t.Ends = &ends
	if old.Expires != nil && old.Issued != nil {
		expires := c.At.Add(old.Expires.Sub(*old.Issued))
		t.Expires = &expires
	}
	return s.Issue(Issue{ID: c.ID, At: c.At, Actor: c.Actor, Token: t})
}
