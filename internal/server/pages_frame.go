package server

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/sluice-hq/sluice/dashboards"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

// refresh is how often an open page renews its live part by itself. What is new
// it hears of at once, from pageChanges.
const refresh = 30 * time.Second

// frame is what every page has around it, for whoever asks.
func (s *server) frame(w http.ResponseWriter, r *http.Request, in dashboards.Section) dashboards.Frame {
	p := who(r.Context())
	return dashboards.Frame{
		Path: r.URL.RequestURI(), Person: p.Shown(), Guest: isGuest(p), Rights: rights(r, access.AnyEnvironment, access.AnyKey), Section: in,
		Refresh: refresh, Changes: "/changes", Log: s.Projection.Seq(), Notice: s.notice(w, r),
	}
}

// listFrame is the frame of a list, which may be narrowed to one environment.
func (s *server) listFrame(w http.ResponseWriter, r *http.Request, in dashboards.Section) dashboards.Frame {
	f := s.frame(w, r, in)
	f.Environment = r.URL.Query().Get("environment")
	p := who(r.Context())
	for _, e := range s.environments() {
		if p.May(access.Read, e, access.AnyKey) {
			f.Environments = append(f.Environments, e)
		}
	}
	return f
}

// frameOf is the frame of the page of one thing, which says when that changes.
func (s *server) frameOf(w http.ResponseWriter, r *http.Request, in dashboards.Section, environment, key, of string) dashboards.Frame {
	f := s.frame(w, r, in)
	f.Rights = rights(r, environment, key)
	if of != "" {
		f.Changes = "/changes?" + url.Values{"of": {of}}.Encode()
	}
	return f
}

// rights is what whoever asks may do to a key in an environment. With none of
// either it is what he may do somewhere.
func rights(r *http.Request, environment, key string) dashboards.Rights {
	p := who(r.Context())
	may := func(what access.Permission) bool {
		if environment == access.AnyEnvironment {
			return p.Could(what, key)
		}
		return p.May(what, environment, key)
	}
	return dashboards.Rights{Write: may(access.Write), Decide: may(access.Decide), Report: may(access.Report), Manage: may(access.Manage)}
}

// noticeCookie holds what a form did until the next page has shown it.
const noticeCookie = "sluice_notice"

// maxNotice bounds a notice, so that its cookie is one that browsers keep.
const maxNotice = 500

// onward sends a person on to a page, which says once what was done.
func (s *server) onward(w http.ResponseWriter, r *http.Request, to, notice string) error {
	if text := []rune(notice); len(text) > maxNotice {
		notice = string(text[:maxNotice-1]) + "…"
	}
	http.SetCookie(w, s.noted(r, base64.RawURLEncoding.EncodeToString([]byte(notice)), 60))
	http.Redirect(w, r, local(to), http.StatusSeeOther)
	return nil
}

// notice returns what the last form did, and forgets it. A page that renews
// itself leaves it alone.
func (s *server) notice(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(noticeCookie)
	if err != nil || r.Header.Get("HX-Request") != "" {
		return ""
	}
	http.SetCookie(w, s.noted(r, "", -1))
	text, _ := base64.RawURLEncoding.DecodeString(c.Value) // what is no text of ours says nothing
	return string(text)
}

func (s *server) noted(r *http.Request, value string, seconds int) *http.Cookie {
	return &http.Cookie{Name: noticeCookie, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure(r)}
}

// formKey names the field with which a form names its request: a form that is
// sent twice, because somebody pressed twice or went back, does it once.
const formKey = "request-key"

// newFormKey returns the name of a request that a form is going to make.
func newFormKey() string { return event.New().String() }

// sent returns a function that tells what a form said in a field.
func sent(r *http.Request) func(string) string {
	return func(name string) string { return r.PostFormValue(name) }
}

// isForm reports whether a request is a page's form.
func isForm(r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind == "application/x-www-form-urlencoded"
}

// keyOfForm reads the name that a form gave its request, and puts the body
// back.
func keyOfForm(r *http.Request) (string, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		return "", event.Invalid{Path: "body", Why: "is not a form", Fix: "send it as a browser does"}
	}
	return fields.Get(formKey), nil
}
