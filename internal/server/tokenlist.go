package server

import (
	"context"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/internal/access"
)

// TokenView is a token as lists show it: neither its text nor its hash.
type TokenView struct {
	ID          string          `json:"id"`
	Class       access.Class    `json:"class"`
	Principal   string          `json:"principal" doc:"whom it speaks for, as events name it" example:"person:ana"`
	Role        access.Role     `json:"role,omitempty"`
	Environment string          `json:"environment,omitempty"`
	Grants      []access.Grant  `json:"grants,omitempty"`
	Origins     []string        `json:"origins,omitempty"`
	Issued      *time.Time      `json:"issued,omitempty"`
	Expires     *time.Time      `json:"expires,omitempty"`
	Expired     bool            `json:"expired,omitempty"`
	Replaces    string          `json:"replaces,omitempty" doc:"the token whose place it took"`
	Session     *access.Session `json:"session,omitempty" doc:"of a person who signed in at an issuer of identities: whom that vouches for, and since when"`
	LastUsed    *time.Time      `json:"lastUsed,omitempty" doc:"to the minute; absent: never, or not since this is kept"`
}

type tokensIn struct {
	Page
	Principal string `query:"principal" doc:"of one principal alone" example:"person:ana"`
}

type tokensOut struct {
	Link string `header:"Link" doc:"the next page"`
	Body struct {
		Tokens []TokenView `json:"tokens" doc:"by id"`
		Next   string      `json:"next,omitempty" doc:"cursor of the next page"`
	}
}

// listTokens shows the tokens by ID, which never changes, so that a page starts
// where the one before ended whatever happened in between.
func (s *server) listTokens(_ context.Context, in *tokensIn) (*tokensOut, error) {
	var all []access.Token
	s.Projection.View(func(uint64) { all = s.Access.Tokens() })
	all = slices.DeleteFunc(all, func(t access.Token) bool { return in.Principal != "" && t.Principal() != in.Principal })
	page, next, err := cut(in.Page, rising("tokens", func(t access.Token) string { return t.ID }), all)
	out := &tokensOut{Link: next.link}
	out.Body.Next, out.Body.Tokens = next.cursor, make([]TokenView, len(page))
	for i, t := range page {
		out.Body.Tokens[i] = s.tokenView(t)
	}
	return out, err
}

func (s *server) tokenView(t access.Token) TokenView {
	v := TokenView{
		ID: t.ID, Class: t.Class, Principal: t.Principal(), Role: t.Role, Environment: t.Environment, Grants: t.Grants,
		Origins: t.Origins, Issued: t.Issued, Expires: t.Expires, Replaces: t.Replaces,
		Session: t.Session, Expired: t.Expires != nil && !s.Now().Before(*t.Expires),
	}
	if s.Used != nil {
		if last := s.Used.Last(t.ID); !last.IsZero() {
			v.LastUsed = &last
		}
	}
	return v
}
