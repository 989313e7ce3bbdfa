package server

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/internal/access"
)

// What pages of other sites may send and read. Credentials are never allowed:
// a page shows its client token in a header, and no cookie of ours is sent.
const (
	corsHeaders = "Authorization, Content-Encoding, Content-Type, If-None-Match, Last-Event-ID, X-API-Key, X-Sluice-SDK"
	corsExposed = "ETag, Retry-After"
	corsMaxAge  = "600" // seconds for which a browser need not ask again: a revoked token is refused at once all the same
)

// cors lets pages of the sites that client tokens list evaluate and send
// events; for everything else, and everybody else, next stands guard. A
// preflight carries no token, so it is answered when some live token lists the
// site; the request itself must show a token that does (see pageOf).
func (s *server) cors(router *mux.Router, all routes, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := foreign(r)
		if origin == "" || !forPages(router, all, r) {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Add("Vary", "Origin")
		if !s.listed(origin) {
			fail(w, errForeign)
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
		if r.Method == http.MethodOptions {
			s.preflight(w, r)
			return
		}
		h.Set("Access-Control-Expose-Headers", corsExposed)
		router.ServeHTTP(w, r)
	})
}

// foreign returns the site whose page sends a request when it is not ours, as
// http.CrossOriginProtection tells them apart; "" stands for our own pages and
// for programs, which are no pages.
func foreign(r *http.Request) string {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return ""
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return ""
	case "":
		if u, err := url.Parse(origin); err == nil && u.Host == r.Host {
			return ""
		}
	}
	return origin
}

// forPages reports whether a request, or the one that a preflight announces,
// takes a route that client tokens are for.
func forPages(router *mux.Router, all routes, r *http.Request) bool {
	method := r.Method
	if method == http.MethodOptions {
		method = r.Header.Get("Access-Control-Request-Method")
	}
	try := *r
	try.Method = method
	var m mux.RouteMatch
	if !router.Match(&try, &m) || m.MatchErr != nil || m.Route == nil {
		return false
	}
	path, _ := m.Route.GetPathTemplate() // none: in no table
	at, ok := all[wanted{method, path}]
	return ok && at.forPages()
}

// forPages reports whether client tokens are for the route.
func (at *route) forPages() bool {
	return at.scope == ofCaller && (at.needs == access.Evaluate || at.needs == access.Send)
}

func (s *server) preflight(w http.ResponseWriter, r *http.Request) {
	if wait := s.pools.unknown.Take(s.address(r), 1, s.Now()); wait > 0 {
		s.slowDown(w, r, wait)
		return
	}
	h := w.Header()
	h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", r.Header.Get("Access-Control-Request-Method"))
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) listed(origin string) (listed bool) {
	s.Projection.View(func(uint64) { listed = s.Access.Lists(origin, s.Now()) })
	return listed
}

// pageOf refuses a page of another site whose token does not list that site. A
// ticket was given to a page that could evaluate, and opens nothing else.
func (at *route) pageOf(r *http.Request, p access.Principal) error {
	origin := foreign(r)
	if origin == "" || !at.forPages() || p.Token == "" || slices.Contains(p.Origins, origin) {
		return nil
	}
	return errForeign
}
