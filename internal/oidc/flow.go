package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/sluice-hq/sluice/internal/access"
)

// Wish is what a browser wants when it is sent away, and gets when it is back.
type Wish struct {
	Next   string `json:"next"`             // where the person wanted to go: a path of this server
	Renews string `json:"renews,omitempty"` // ID of the token whose session is to be checked, of which the person need not notice; empty: somebody signs in
}

// Way is how a browser goes to the issuer.
type Way struct {
	Address string // where to send it
	Mark    string // of this attempt: there may be several at once
	Sealed  string // what it has to bring back
}

// Entry is somebody whom the issuer vouches for.
type Entry struct {
	Wish
	Identity access.Identity
	Grants   []access.Grant
	Hint     string // for Ending, sealed; empty: it would be too long for a cookie
}

// markLength is how much of a state tells attempts apart: it names a cookie, and
// proves nothing.
const markLength = 12

// Mark returns the mark of the attempt that a state belongs to.
func Mark(state string) string { return state[:min(len(state), markLength)] }

// Begin makes a way to the issuer.
func (p *Party) Begin(ctx context.Context, w Wish, now time.Time) (Way, error) {
	i, err := p.issuer(ctx, now, recent)
	if err != nil {
		return Way{}, err
	}
	a := attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Made: now, Wish: w}
	sealed, err := p.seal(forAttempt, a)
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)}
	if w.Renews != "" {
		options = append(options, oauth2.SetAuthURLParam("prompt", "none"))
	}
	return Way{Address: i.oauth.AuthCodeURL(a.State, options...), Mark: Mark(a.State), Sealed: sealed}, err
}

// Finish proves what a browser brought back, and says who that is. What it
// wished is told with an error, too, once the attempt is known to be its own.
func (p *Party) Finish(ctx context.Context, sealed string, answer url.Values, now time.Time) (Entry, error) {
	a, err := p.begun(sealed, answer.Get("state"), now)
	e := Entry{Wish: a.Wish}
	if err != nil {
		return e, err
	}
	i, err := p.issuer(ctx, now, stale)
	if err == nil {
		err = i.answered(p.Issuer, answer)
	}
	if err != nil {
		return e, err
	}
	token, err := p.exchange(ctx, i, answer.Get("code"), a)
	if err == nil {
		err = p.vouched(ctx, i, token, a, &e, now)
	}
	return e, err
}

// begun returns the attempt that a browser and a state both speak of.
func (p *Party) begun(sealed, state string, now time.Time) (attempt, error) {
	var a attempt
	if err := p.open(forAttempt, sealed, &a); err != nil || !same(a.State, state) {
		return attempt{}, &Refusal{Why: "This sign-in was not begun in this browser, or was finished before. Begin again.", Err: err}
	}
	if age := now.Sub(a.Made); age > Patience || age < -leeway {
		return a, &Refusal{Why: "This took more than ten minutes. Begin again."}
	}
	return a, nil
}

// exchange gives the issuer its code back, with the proof that it was asked for
// here (RFC 7636).
func (p *Party) exchange(ctx context.Context, i *issuer, code string, a attempt) (*oauth2.Token, error) {
	token, err := i.oauth.Exchange(p.through(ctx), code, oauth2.VerifierOption(a.Verifier))
	var said *oauth2.RetrieveError
	switch {
	case errors.As(err, &said) && said.Response != nil && said.Response.StatusCode < 500:
		return nil, &Refusal{Why: "The issuer did not accept the code that it had given. Begin again; if that does not help, an admin compares the client's id and secret with the issuer's.", Err: err}
	case err != nil:
		return nil, fmt.Errorf("%w: exchanging the code: %w", ErrAway, err)
	}
	return token, nil
}

// answered looks at the answer before anything is done with it: whether it is
// this issuer's (RFC 9207), and what it says.
func (i *issuer) answered(name string, answer url.Values) error {
	if got := answer["iss"]; len(got) > 0 && !slices.Equal(got, []string{name}) || len(got) == 0 && i.NamesIt {
		return &Refusal{Why: "This answer is not that of the issuer who was asked. Begin again.", Err: fmt.Errorf("the answer names the issuer %q", got)}
	}
	switch fault := answer.Get("error"); fault {
	case "":
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return fmt.Errorf("%w: %s", ErrAsks, fault)
	case "server_error", "temporarily_unavailable":
		return fmt.Errorf("%w: it says %s", ErrAway, fault)
	default:
		return &Refusal{Why: "The issuer did not let you in. Ask whoever runs it, if it should have.", Err: fmt.Errorf("it says %q: %q", fault, answer.Get("error_description"))}
	}
	if answer.Get("code") == "" {
		return &Refusal{Why: "The issuer sent no code. Begin again."}
	}
	return nil
}

// vouched reads who the token names, once it is proved.
func (p *Party) vouched(ctx context.Context, i *issuer, t *oauth2.Token, a attempt, e *Entry, now time.Time) error {
	raw, ok := t.Extra("id_token").(string)
	if !ok {
		return &Refusal{Why: "The issuer says nobody's identity. An admin has to make this a client of OpenID Connect there."}
	}
	id, err := i.verifier.Verify(p.through(ctx), raw)
	if err != nil {
		return &Refusal{Why: badProof, Err: err}
	}
	var claims map[string]any
	var more beyond
	if err := errors.Join(id.Claims(&claims), id.Claims(&more)); err != nil {
		return &Refusal{Why: badProof, Err: err}
	}
	if err := p.prove(id, more, a, t.AccessToken, now); err != nil {
		return &Refusal{Why: badProof, Err: err}
	}
	e.Identity = access.Identity{Issuer: id.Issuer, Subject: id.Subject, Email: p.Roles.email(claims)}
	if e.Grants = p.Roles.Grants(claims); len(e.Grants) == 0 {
		return &Refusal{Why: "You are known to the issuer, and none of your groups may do anything here. Ask an admin for one that may.", Err: fmt.Errorf("the claim %s of %s names no group of --oidc-roles", p.Roles.claim(), id.Subject)}
	}
	e.Hint, err = p.hint(raw)
	return err
}

// badProof is what is said of a token that proves nothing. What exactly is
// wrong is for the log: whoever forges one need not learn it.
const badProof = "What the issuer sent does not prove who you are. Begin again; if that does not help, the log of the server says why."

// beyond are the claims that the library leaves to us.
type beyond struct {
	Party  string   `json:"azp"`
	Before *float64 `json:"nbf"` // seconds since 1970
}

// prove checks what the library does not (OpenID Connect Core 1.0, section
// 3.1.3.7; the numbers are its own): 2 the issuer, letter by letter; 3 that the
// token is for us and for nobody else; 4 and 5 who it was made for; 9 and 10 the
// time; 11 the nonce; section 2 that it names somebody; and 3.1.3.8 that it goes
// with the access token.
func (p *Party) prove(id *oidc.IDToken, more beyond, a attempt, token string, now time.Time) error {
	switch {
	case id.Issuer != p.Issuer:
		return fmt.Errorf("the token is of the issuer %q", id.Issuer)
	case !slices.Equal(id.Audience, []string{p.ClientID}):
		return fmt.Errorf("the token is for %q, and not for %s alone", id.Audience, p.ClientID)
	case more.Party != "" && more.Party != p.ClientID:
		return fmt.Errorf("the token was made for %q", more.Party)
	case !now.Before(id.Expiry.Add(leeway)):
		return fmt.Errorf("the token ended at %v", id.Expiry)
	case id.IssuedAt.IsZero():
		return errors.New("the token does not say when it was made")
	case id.IssuedAt.After(now.Add(leeway)):
		return fmt.Errorf("the token is of %v, which has not come yet", id.IssuedAt)
	case more.Before != nil && time.Unix(int64(*more.Before), 0).After(now.Add(leeway)):
		return fmt.Errorf("the token does not count before %v", time.Unix(int64(*more.Before), 0))
	case id.Subject == "":
		return errors.New("the token names nobody")
	case !same(id.Nonce, a.Nonce):
		return errors.New("the nonce is not the one of this attempt")
	}
	if id.AccessTokenHash == "" {
		return nil
	}
	return id.VerifyAccessToken(token)
}

// same compares secrets in a time that tells nothing.
func same(a, b string) bool { return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// maxHint keeps a sealed hint in what browsers take for one cookie, 4 KiB.
const maxHint = 2800

func (p *Party) hint(raw string) (string, error) {
	if len(raw) > maxHint {
		return "", nil
	}
	return p.seal(forHint, raw)
}

// Ending returns where a browser ends its session at the issuer (OpenID Connect
// RP-Initiated Logout 1.0), to come back to a path of ours; empty: the issuer
// has no such place, or does not answer.
func (p *Party) Ending(ctx context.Context, hint, back string, now time.Time) string {
	i, err := p.issuer(ctx, now, stale)
	if err != nil || i.End == "" {
		return ""
	}
	u, err := url.Parse(i.End)
	if err != nil {
		return "" // unreachable unless check let it pass
	}
	q := u.Query()
	q.Set("client_id", p.ClientID)
	q.Set("post_logout_redirect_uri", p.at(back))
	var raw string
	if p.open(forHint, hint, &raw) == nil {
		q.Set("id_token_hint", raw)
	}
	u.RawQuery = q.Encode()
	return u.String()
}
