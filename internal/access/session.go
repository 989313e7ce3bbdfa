package access

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Session is what a token has that a person got by signing in at an issuer of
// identities, instead of from an admin. Its shape is stored: append-only.
type Session struct {
	Issuer  string    `json:"issuer"`
	Subject string    `json:"subject"`         // whom the issuer means: it never gives one to somebody else
	Email   string    `json:"email,omitempty"` // for people to read; empty: none that the issuer vouches for
	Since   time.Time `json:"since"`           // of the sign-in: a check of it later makes a new token, not a new session
}

// Identity is somebody as an issuer speaks of him.
type Identity struct {
	Issuer, Subject string
	Email           string // empty: none that the issuer vouches for
}

// SignIn is the command that lets a person in whom an issuer has vouched for.
type SignIn struct {
	ID       event.ID
	At       time.Time
	Token    Token // minted: ID and Hash; the rest is made here
	Identity Identity
	Grants   []Grant
	Until    time.Time // when the token ends, unless the issuer was asked again
	Replaces string    // ID of the token of the same session, when that was what was asked; empty: a new session
}

// ErrStranger says that an issuer vouches for somebody who is nobody here.
var ErrStranger = errors.New("nobody here is known by that identity")

// ErrOther says that a session was to be renewed for somebody else.
var ErrOther = errors.New("the issuer now names somebody else than when the session began")

// renewed is how long the old token of a session still works: other windows of
// the same browser have requests under way with it.
const renewed = time.Minute

// SignIn finds the person that an identity is and returns the event that lets
// it in. The first sign-in ties the identity to that person; from then on its
// address of mail means nothing.
func (s *State) SignIn(c SignIn) (event.Event, event.Expect, error) {
	if err := c.Identity.validate(); err != nil {
		return event.Event{}, 0, err
	}
	name, err := s.personOf(c.Identity)
	if err != nil {
		return event.Event{}, 0, err
	}
	t := Token{
		ID: c.Token.ID, Hash: c.Token.Hash, Class: Account, Kind: OfPerson, Name: name, Grants: c.Grants, Expires: &c.Until,
		Session: &Session{Issuer: c.Identity.Issuer, Subject: c.Identity.Subject, Email: c.Identity.Email, Since: c.At},
	}
	if c.Replaces != "" {
		if err := s.renew(&t, c); err != nil {
			return event.Event{}, 0, err
		}
	}
	return s.Issue(Issue{ID: c.ID, At: c.At, Actor: t.Principal(), Token: t})
}

// renew makes a token the next one of a session.
func (s *State) renew(t *Token, c SignIn) error {
	old := s.byID(c.Replaces)
	switch {
	case old == nil || old.Session == nil || !old.live(c.At):
		return fmt.Errorf("session %q: %w", c.Replaces, ErrUnknown)
	case old.Session.Issuer != c.Identity.Issuer || old.Session.Subject != c.Identity.Subject:
		return ErrOther
	}
	ends := c.At.Add(renewed)
	t.Session.Since, t.Replaces, t.Ends = old.Session.Since, old.ID, &ends
	return nil
}

func (i Identity) validate() error {
	var faults event.Invalids
	if i.Issuer == "" || strings.Contains(i.Issuer, " ") {
		faults.Add("issuer", i.Issuer, "is not an issuer", "write its address, such as https://login.example.com")
	}
	if i.Subject == "" || len(i.Subject) > maxSubject {
		faults.Add("subject", i.Subject, fmt.Sprintf("is not 1 to %d characters long", maxSubject), "the issuer has to say whom it means, in the claim sub")
	}
	return faults.Err()
}

// maxSubject is OpenID Connect Core 1.0, section 2: at most 255 characters.
const maxSubject = 255

// link is what an identity is known by for good. No issuer has a blank.
func (i Identity) link() string { return i.Issuer + " " + i.Subject }

// personOf returns the key of the person that an identity is: the one that it is
// tied to, the declared one of that address, or, before anybody is declared, a
// key of its own.
func (s *State) personOf(i Identity) (string, error) {
	name, tied := s.links[i.link()]
	if len(s.people) == 0 {
		if tied {
			return name, nil
		}
		return i.key(), nil
	}
	if _, declared := s.people[name]; tied && declared {
		return name, nil
	}
	return s.personAt(i)
}

// personAt finds the declared person with the address of an identity. An address
// that another identity of the issuer came with first belongs to that one:
// companies give the addresses of those who left to others.
func (s *State) personAt(i Identity) (string, error) {
	if i.Email == "" {
		return "", fmt.Errorf("%w: people are declared, and the issuer vouches for no address of this one; have it send email and email_verified", ErrStranger)
	}
	var found []string
	for _, key := range slices.Sorted(maps.Keys(s.people)) {
		if strings.EqualFold(s.people[key].Email, i.Email) {
			found = append(found, key)
		}
	}
	switch {
	case len(found) == 0:
		return "", fmt.Errorf("%w: no declared person has the address %s; an admin applies a document of kind Person with it", ErrStranger, i.Email)
	case len(found) > 1:
		return "", fmt.Errorf("%w: %s have the address %s; an admin gives each an address of its own", ErrStranger, strings.Join(found, " and "), i.Email)
	case s.tied(found[0], i):
		return "", fmt.Errorf("%w: %s has signed in as somebody else of the same issuer; if it is the same person, an admin removes and applies %s again", ErrStranger, found[0], found[0])
	}
	return found[0], nil
}

// tied reports whether a person is tied to another identity of the issuer.
func (s *State) tied(person string, i Identity) bool {
	for link, key := range s.links {
		if issuer, _, _ := strings.Cut(link, " "); key == person && issuer == i.Issuer && link != i.link() {
			return true
		}
	}
	return false
}

// key makes a key that no other identity has: what can be read of the address,
// and a hash of what is known for good.
func (i Identity) key() string {
	name, _, _ := strings.Cut(strings.ToLower(i.Email), "@")
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, name)
	if name = strings.Trim(name[:min(len(name), 64)], "-"); name == "" {
		name = string(OfPerson)
	}
	sum := sha256.Sum256([]byte(i.link()))
	return name + "-" + hex.EncodeToString(sum[:6])
}

// began ties the identity of a session to its person, and forgets sessions that
// had ended by then: a log of years holds one for each day and person.
func (s *State) began(t Token) {
	s.links[Identity{Issuer: t.Session.Issuer, Subject: t.Session.Subject}.link()] = t.Name
	for hash, old := range s.tokens {
		if old.Session != nil && t.Issued != nil && !old.live(*t.Issued) {
			s.end(hash)
		}
	}
}

// untie forgets who a person signed in as: a key that is declared again may be
// somebody else.
func (s *State) untie(person string) {
	maps.DeleteFunc(s.links, func(_, key string) bool { return key == person })
}
