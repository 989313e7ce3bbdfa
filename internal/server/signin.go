package server

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/internal/access"
)

// What a browser keeps for us. Over TLS each has hostPrefix, so that no other
// host of the domain can set it.
const (
	cookie     = "sluice_token" // of who is signed in
	hostPrefix = "__Host-"
)

// keep returns a cookie that scripts cannot read and forms of other sites do not
// send; no seconds: until the browser is closed, less than none: it goes.
func (s *server) keep(r *http.Request, name, value string, seconds int) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(r, name), Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure(r),
	}
}

// kept returns what a browser keeps of that name; empty: nothing.
func (s *server) kept(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(r, name))
	if err != nil {
		return ""
	}
	return c.Value
}

func (s *server) cookieName(r *http.Request, name string) string {
	if s.secure(r) {
		return hostPrefix + name
	}
	return name
}

func (s *server) signInPage(w http.ResponseWriter, r *http.Request) error {
	return s.door(w, http.StatusOK, dashboards.SignIn{Next: local(r.URL.Query().Get("next"))})
}

// door shows the page of those who are not in, with every way in that there is.
func (s *server) door(w http.ResponseWriter, code int, page dashboards.SignIn) error {
	if s.Issuer != nil {
		page.Issuer, page.Start = s.Issuer.Title(), "/sign-in/start?"+url.Values{"next": {page.Next}}.Encode()
	}
	return s.page(w, code, page)
}

// signIn takes a token from the form and keeps it in a cookie that scripts
// cannot read and other sites cannot send.
func (s *server) signIn(w http.ResponseWriter, r *http.Request) error {
	text := strings.TrimSpace(r.PostFormValue("token"))
	p, ok := s.holder(text)
	if !ok || !p.May(access.Read, p.Environment, access.AnyKey) {
		return s.door(w, http.StatusForbidden, dashboards.SignIn{
			Next: local(r.PostFormValue("next")), Fault: "This is not the token of a person (sla_…) who may read.", Token: true,
		})
	}
	http.SetCookie(w, s.keep(r, cookie, text, 0))
	http.Redirect(w, r, local(r.PostFormValue("next")), http.StatusSeeOther)
	return nil
}

// holder returns who a token speaks for.
func (s *server) holder(text string) (p access.Principal, ok bool) {
	s.Projection.View(func(uint64) { p, ok = s.Access.Find(text, s.Now()) })
	return p, ok
}

// signOut forgets the token, ends a session, and leads on to the issuer, where
// the person is still signed in. It does so from a page: the policy of ours lets
// no form lead to another site.
func (s *server) signOut(w http.ResponseWriter, r *http.Request) error {
	p, ok := s.holder(s.kept(r, cookie))
	http.SetCookie(w, s.keep(r, cookie, "", -1))
	if !ok || p.Session == nil {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return nil
	}
	hint := s.kept(r, hintCookie)
	http.SetCookie(w, s.keep(r, hintCookie, "", -1))
	if err := s.endSession(r.Context(), p.Token, p.Name); err != nil {
		return err
	}
	leave := ""
	if s.Issuer != nil {
		leave = s.Issuer.Ending(r.Context(), hint, "/sign-in", s.Now())
	}
	if leave == "" {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return nil
	}
	w.Header().Set("Refresh", "0; url="+leave)
	return s.door(w, http.StatusOK, dashboards.SignIn{Next: "/", Leave: leave})
}
