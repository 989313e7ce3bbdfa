package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/oidc"
)

// What a browser keeps for people who sign in at the issuer.
const (
	attemptCookie = "sluice_sign_in_" // and the mark of the attempt: what it brings back from the issuer
	hintCookie    = "sluice_issuer"   // what the issuer is told when they sign out
	askedCookie   = "sluice_asked"    // that the issuer was asked about the session a moment ago
)

// askedAgain is after how many seconds an issuer that could not answer is asked
// again about a session.
const askedAgain = 60

// longest bounds what is kept in a cookie of where somebody wanted to go.
const longest = 1500

// startSignIn sends a browser to the issuer.
func (s *server) startSignIn(w http.ResponseWriter, r *http.Request) error {
	if s.Issuer == nil {
		return errNoSuch
	}
	wish := oidc.Wish{Next: near(r.URL.Query().Get("next"))}
	if err := s.send(w, r, wish); err != nil {
		return s.notLetIn(w, r, wish, err)
	}
	return nil
}

// near is local, for what a cookie has room for.
func near(next string) string {
	if len(next) > longest {
		return "/"
	}
	return local(next)
}

// send begins an attempt, and has the browser keep what it has to bring back.
func (s *server) send(w http.ResponseWriter, r *http.Request, wish oidc.Wish) error {
	way, err := s.Issuer.Begin(r.Context(), wish, s.Now())
	if err != nil {
		return err
	}
	http.SetCookie(w, s.keep(r, attemptCookie+way.Mark, way.Sealed, int(oidc.Patience/time.Second)))
	http.Redirect(w, r, way.Address, http.StatusSeeOther)
	return nil
}

// finishSignIn lets in whom the issuer vouches for, and leads where they wanted
// to go. An attempt is over when it was tried once.
func (s *server) finishSignIn(w http.ResponseWriter, r *http.Request) error {
	if s.Issuer == nil {
		return errNoSuch
	}
	q := r.URL.Query()
	name := attemptCookie + oidc.Mark(q.Get("state"))
	sealed := s.kept(r, name)
	if sealed != "" {
		http.SetCookie(w, s.keep(r, name, "", -1))
	}
	e, err := s.Issuer.Finish(r.Context(), sealed, q, s.Now())
	text := ""
	if err == nil {
		text, err = s.letIn(r.Context(), e)
	}
	if err != nil {
		return s.notLetIn(w, r, e.Wish, err)
	}
	http.SetCookie(w, s.keep(r, cookie, text, 0))
	http.SetCookie(w, s.keep(r, hintCookie, e.Hint, 0))
	http.SetCookie(w, s.keep(r, askedCookie, "", -1))
	http.Redirect(w, r, near(e.Next), http.StatusSeeOther)
	return nil
}

// letIn records that somebody signed in, or that a session was checked, and
// returns the token.
func (s *server) letIn(ctx context.Context, e oidc.Entry) (string, error) {
	text, minted, err := s.mint(access.Token{Class: access.Account})
	if err != nil {
		return "", err
	}
	err = s.record(ctx, func() (event.Event, event.Expect, error) {
		now := s.Now()
		return s.Access.SignIn(access.SignIn{
			ID: event.New(), At: now, Token: minted, Identity: e.Identity, Grants: e.Grants, Until: s.until(e.Renews, now), Replaces: e.Renews,
		})
	})
	if err == nil {
		err = s.works(text)
	}
	return text, err
}

// until is when a token of a session ends: what an issuer said counts for two
// checks, so that whoever is reading a page when one is due is not thrown out,
// and for no longer than a session. Call it in a View.
func (s *server) until(renews string, now time.Time) time.Time {
	end := now.Add(s.Issuer.Lifetime)
	if old, ok := s.Access.Token(renews); ok && old.Session != nil {
		end = old.Session.Since.Add(s.Issuer.Lifetime)
	}
	if soon := now.Add(2 * s.Issuer.Check); soon.Before(end) {
		return soon
	}
	return end
}

// notLetIn says why somebody is not in. A session that the issuer no longer
// vouches for ends; one about which it could not be asked goes on until its
// token ends.
func (s *server) notLetIn(w http.ResponseWriter, r *http.Request, wish oidc.Wish, err error) error {
	away := errors.Is(err, oidc.ErrAway)
	if away && wish.Renews != "" {
		http.Redirect(w, r, near(wish.Next), http.StatusSeeOther)
		return nil
	}
	s.log.Warn("somebody could not sign in at the issuer", "error", err)
	if wish.Renews != "" {
		if err := s.endSession(r.Context(), wish.Renews, "issuer"); err != nil {
			return err
		}
		http.SetCookie(w, s.keep(r, cookie, "", -1))
	}
	page, code := dashboards.SignIn{Next: near(wish.Next), Fault: s.fault(err, wish)}, http.StatusForbidden
	if away {
		code = http.StatusServiceUnavailable
	} else {
		s.pools.signIn.Owe(s.address(r), 1, s.Now())
	}
	if page.Fault == "" {
		return err
	}
	return s.door(w, code, page)
}

// fault says to a person why it is not in; empty: the house itself could not.
func (s *server) fault(err error, wish oidc.Wish) string {
	var refusal *oidc.Refusal
	var faults event.Invalids
	switch {
	case errors.Is(err, oidc.ErrAway):
		return s.Issuer.Title() + " does not answer. Try again in a moment, or sign in with a token."
	case errors.As(err, &refusal):
		return refusal.Why
	case errors.Is(err, oidc.ErrAsks) && wish.Renews == "":
		return s.Issuer.Title() + " wants to ask you something first. Sign in there, then here."
	case errors.Is(err, oidc.ErrAsks), errors.Is(err, access.ErrUnknown), errors.Is(err, access.ErrOther):
		return "Your session has ended. Sign in again."
	case errors.Is(err, access.ErrStranger), errors.As(err, &faults):
		return err.Error()
	}
	return ""
}

// endSession revokes the token of a session; one that is gone has ended.
func (s *server) endSession(ctx context.Context, token, actor string) error {
	err := s.record(ctx, func() (event.Event, event.Expect, error) {
		return s.Access.Revoke(access.Revoke{ID: event.New(), At: s.Now(), Actor: actor, TokenID: token})
	})
	if errors.Is(err, access.ErrUnknown) {
		return nil
	}
	return err
}

// checkSession sends a browser whose session the issuer has not been asked about
// for long to ask it, without a question to the person, and reports whether it
// did. What is no page waits for the next one, or for the end of the token.
func (s *server) checkSession(w http.ResponseWriter, r *http.Request, p access.Principal, now time.Time) bool {
	switch {
	case p.Session == nil || s.Issuer == nil || p.Session.Issuer != s.Issuer.Issuer:
		return false
	case now.Sub(p.Issued) < s.Issuer.Check || !reads(r) || s.kept(r, cookie) == "" || s.kept(r, askedCookie) != "":
		return false
	}
	http.SetCookie(w, s.keep(r, askedCookie, "1", askedAgain))
	if !s.Issuer.Awake(r.Context(), now) {
		return false
	}
	return s.send(w, r, oidc.Wish{Next: near(r.URL.RequestURI()), Renews: p.Token}) == nil
}
