package server

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

type tokenIn struct {
	Body struct {
		Class       access.Class `json:"class" doc:"sls: server SDK; slc: client SDK; sla: a person or automation" enum:"sls,slc,sla"`
		Name        string       `json:"name" doc:"who uses it" example:"checkout-service"`
		Role        access.Role  `json:"role,omitempty" doc:"of an sla token" enum:"viewer,editor,approver,admin"`
		Environment string       `json:"environment,omitempty" doc:"required for SDK tokens"`
		Expires     *time.Time   `json:"expires,omitempty"`
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
	t := access.Token{
		Class: in.Body.Class, Name: in.Body.Name, Role: in.Body.Role,
		Environment: in.Body.Environment, Expires: in.Body.Expires,
	}
	if err := s.useful(t); err != nil {
		return nil, err
	}
	text, made, err := IssueToken(ctx, s.House, t, who(ctx).Name)
	if err != nil {
		return nil, err
	}
	out := &tokenOut{}
	out.Body.ID, out.Body.Text = made.ID, text
	return out, nil
}

// useful refuses tokens that could never work.
func (s *server) useful(t access.Token) error {
	var faults event.Invalids
	if t.Environment != access.AnyEnvironment {
		s.check("environment", t.Environment, &faults)
	}
	if t.Expires != nil && !t.Expires.After(s.Now()) {
		faults.Add("expires", t.Expires.Format(time.RFC3339), "is not in the future", "write a later time, or leave it out")
	}
	return faults.Err()
}

// IssueToken mints a token, records it and waits until it works.
func IssueToken(ctx context.Context, h House, t access.Token, actor string) (string, access.Token, error) {
	var random [access.Entropy]byte
	if _, err := io.ReadFull(h.Entropy, random[:]); err != nil {
		return "", t, fmt.Errorf("drawing a token: %w", err)
	}
	text, t := access.Mint(t, random)
	err := h.record(ctx, func() (event.Event, event.Expect, error) {
		return h.Access.Issue(access.Issue{ID: event.New(), At: h.Now(), Actor: actor, Token: t})
	})
	return text, t, err
}

type tokensOut struct {
	Body struct {
		Tokens []access.Token `json:"tokens"`
	}
}

func (s *server) listTokens(context.Context, *struct{}) (*tokensOut, error) {
	out := &tokensOut{}
	s.Projection.View(func(uint64) { out.Body.Tokens = s.Access.Tokens() })
	return out, nil
}

type tokenID struct {
	ID string `path:"id" doc:"first 12 digits of the token's hash"`
}

func (s *server) revokeToken(ctx context.Context, in *tokenID) (*struct{}, error) {
	return nil, s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Access.Revoke(access.Revoke{ID: event.New(), At: s.Now(), Actor: who(ctx).Name, TokenID: in.ID})
	})
}

// record carries out a command: it asks a room for the event, appends it and
// waits until this replica has applied it. A conflict with a command that came
// in between is tried again on the new state.
func (h House) record(ctx context.Context, handle func() (event.Event, event.Expect, error)) error {
	_, err := h.recorded(ctx, handle)
	return err
}

// tries bounds how often a command meets a faster one.
const tries = 5

func (h House) recorded(ctx context.Context, handle func() (event.Event, event.Expect, error)) (seq uint64, err error) {
	for range tries {
		var e event.Event
		var expect event.Expect
		h.Projection.View(func(uint64) { e, expect, err = handle() })
		if err != nil {
			return 0, err
		}
		if seq, err = h.Log.Append(ctx, e, expect); err == nil {
			return seq, h.Projection.Wait(ctx, seq)
		}
		if !isConflict(err) {
			return 0, fmt.Errorf("recording %s: %w", e.Type, err)
		}
		if err := h.catchUp(ctx); err != nil {
			return 0, err
		}
	}
	return 0, err
}

func (h House) catchUp(ctx context.Context) error {
	last, err := h.Log.Last(ctx)
	if err != nil {
		return fmt.Errorf("asking for the end of the log: %w", err)
	}
	return h.Projection.Wait(ctx, last)
}
