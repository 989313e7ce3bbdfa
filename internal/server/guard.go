package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/internal/access"
)

// cookie holds the token of a person who signed in on the pages.
const cookie = "sluice_token"

type principalKey struct{}

// who returns the principal that guard found; the zero Principal on public
// routes.
func who(ctx context.Context) access.Principal {
	p, _ := ctx.Value(principalKey{}).(access.Principal)
	return p
}

// permissions maps method and path template to what a route needs.
var permissions = func() map[string]access.Permission {
	m := make(map[string]access.Permission, len(table))
	for _, r := range table {
		m[r.method+" "+r.path] = r.needs
	}
	return m
}

// guard lets a request through when its principal may do what the matched
// route needs. It looks at the matched route, never at the raw path.
func (s *server) guard(next http.Handler) http.Handler {
	needed := permissions()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		needs, ok := needed[r.Method+" "+template(r)]
		if !ok && builtIn[template(r)] {
			needs, ok = access.Read, true
		}
		p, known := s.principal(r, needs)
		switch {
		case ok && needs == access.Public:
		case !known:
			s.turnAway(w, r)
			return
		case !ok || !p.May(needs, environment(r, p)):
			fail(w, errForbidden)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, p)))
	})
}

// builtIn are the paths of the API description, which the API layer adds by
// itself.
var builtIn = map[string]bool{
	"/openapi.json": true, "/openapi.yaml": true, "/openapi-3.0.json": true, "/openapi-3.0.yaml": true,
}

// template returns the path template of the matched route.
func template(r *http.Request) string {
	t, err := mux.CurrentRoute(r).GetPathTemplate()
	if err != nil {
		return "" // unreachable unless a route has no path; then nothing is allowed
	}
	return t
}

// principal finds who asks: a bearer token, OFREP's API key, or the cookie of
// the pages. With open pages, whoever asks may read.
func (s *server) principal(r *http.Request, needs access.Permission) (access.Principal, bool) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		text = r.Header.Get("X-API-Key")
	}
	if text == "" {
		if c, err := r.Cookie(cookie); err == nil {
			text = c.Value
		}
	}
	var p access.Principal
	s.Projection.View(func(uint64) { p, ok = s.Access.Find(text, s.Now()) })
	if !ok && text == "" && s.OpenPages && needs == access.Read {
		return access.Principal{Name: "guest", Class: access.Account, Role: access.Viewer}, true
	}
	return p, ok
}

// environment says which environment a request is about: the token's own, the
// path's, or the query's.
func environment(r *http.Request, p access.Principal) string {
	if e := mux.Vars(r)["environment"]; e != "" {
		return e
	}
	if e := r.URL.Query().Get("environment"); e != "" {
		return e
	}
	return p.Environment
}

// turnAway sends a browser to the sign-in page and everybody else a 401, also
// an open page that renews itself: it stays as it is and says that it is old.
func (s *server) turnAway(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.Header.Get("HX-Request") == "" && strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
		return
	}
	fail(w, errUnauthorized)
}
