package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

type tokenIn struct {
	Body struct {
		Class       access.Class   `json:"class" doc:"sls: server SDK; slc: client SDK; sla: a person, a team or a service" enum:"sls,slc,sla"`
		Name        string         `json:"name" doc:"key of the person, team or service that uses it" example:"checkout-service"`
		Kind        access.Kind    `json:"kind,omitempty" doc:"what an sla token belongs to; default: person" enum:"person,team,service"`
		Role        access.Role    `json:"role,omitempty" doc:"of an sla token, in its environment or in all" enum:"viewer,editor,approver,admin,reporter"`
		Environment string         `json:"environment,omitempty" doc:"required for SDK tokens"`
		Grants      []access.Grant `json:"grants,omitempty" doc:"of an sla token, instead of role and environment"`
		Origins     []string       `json:"origins,omitempty" doc:"of an slc token: the sites whose pages may use it" example:"[\"https://shop.example\"]"`
		Expires     *time.Time     `json:"expires,omitempty"`
	}
}

type tokenOut struct {
	Body struct {
		ID   string `json:"id"`
		Text string `json:"token" doc:"shown this once, and kept as a hash alone"`
	}
}

// issueToken makes a token and returns its text, once.
func (s *server) issueToken(ctx context.Context, in *tokenIn) (*tokenOut, error) {
	b := in.Body
	t := access.Token{
		Class: b.Class, Name: b.Name, Kind: b.Kind, Role: b.Role, Environment: b.Environment, Grants: b.Grants,
		Origins: b.Origins, Expires: b.Expires,
	}
	if err := s.useful(t); err != nil {
		return nil, err
	}
	text, made, err := IssueToken(ctx, s.House, t, who(ctx).Name)
	return once(text, made), err
}

// once is what is told of a new token, this one time.
func once(text string, t access.Token) *tokenOut {
	out := &tokenOut{}
	out.Body.ID, out.Body.Text = t.ID, text
	return out
}

// useful refuses tokens that could never work.
func (s *server) useful(t access.Token) error {
	var faults event.Invalids
	if t.Environment != access.AnyEnvironment {
		s.check("environment", t.Environment, &faults)
	}
	for i, g := range t.Grants {
		for j, e := range g.Environments {
			s.check(fmt.Sprintf("grants[%d].environments[%d]", i, j), e, &faults)
		}
	}
	if t.Expires != nil && !t.Expires.After(s.Now()) {
		faults.Add("expires", t.Expires.Format(time.RFC3339), "is not in the future", "write a later time, or leave it out")
	}
	return faults.Err()
}

// IssueToken mints a token, records it and waits until it works.
func IssueToken(ctx context.Context, h House, t access.Token, actor string) (string, access.Token, error) {
	text, t, err := h.mint(t)
	if err != nil {
		return "", t, err
	}
	err = h.record(ctx, func() (event.Event, event.Expect, error) {
		return h.Access.Issue(access.Issue{ID: event.New(), At: h.Now(), Actor: actor, Token: t})
	})
	if err == nil {
		err = h.works(text)
	}
	return text, t, err
}

// errTold says that a repeated request cannot be answered as it was.
var errTold = errors.New("the token was made when this request was sent before, and its text is told once; revoke it, and ask with another " + keyHeader)

// works returns an error unless a new token is the one that was recorded.
func (h House) works(text string) error {
	known := false
	h.Projection.View(func(uint64) { _, known = h.Access.Find(text, h.Now()) })
	if !known {
		return errTold
	}
	return nil
}

func (h House) mint(t access.Token) (string, access.Token, error) {
	var random [access.Entropy]byte
	if _, err := io.ReadFull(h.Entropy, random[:]); err != nil {
		return "", t, fmt.Errorf("drawing a token: %w", err)
	}
	text, t := access.Mint(t, random)
	return text, t, nil
}

// TokenPath is the path of one token. It is exported because the API layer fills
// exported fields alone, also those that are embedded.
type TokenPath struct {
	ID string `path:"id" doc:"first 12 digits of the token's hash"`
}

// revokeToken ends a token at once.
func (s *server) revokeToken(ctx context.Context, in *TokenPath) (*struct{}, error) {
	return nil, s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Access.Revoke(access.Revoke{ID: event.New(), At: s.Now(), Actor: who(ctx).Name, TokenID: in.ID})
	})
}

type rotateIn struct {
	TokenPath
	Body struct {
		Overlap event.Duration `json:"overlap,omitempty" doc:"how long the old token still works; it ends at once when absent" example:"24h"`
	}
}

// rotateToken puts a new token in the place of one, and returns its text, once.
func (s *server) rotateToken(ctx context.Context, in *rotateIn) (*tokenOut, error) {
	overlap := time.Duration(in.Body.Overlap)
	if overlap < 0 || overlap > maxOverlap {
		return nil, event.Invalids{{Path: "overlap", Value: overlap.String(), Why: "is not from 0 to 30 days", Fix: "write a length of time such as 24h"}}
	}
	var old access.Token
	s.Projection.View(func(uint64) { old, _ = s.Access.Token(in.ID) })
	text, made, err := s.mint(old)
	if err != nil {
		return nil, err
	}
	err = s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Access.Rotate(access.Rotate{
			ID: event.New(), At: s.Now(), Actor: who(ctx).Name, TokenID: in.ID, Token: made, Overlap: overlap,
		})
	})
	if err == nil {
		err = s.works(text)
	}
	return once(text, made), err
}

// maxOverlap bounds for how long two tokens do the same: a rotation that never
// ends is none.
const maxOverlap = 30 * 24 * time.Hour
