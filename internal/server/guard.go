package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/trace"
)

type askerKey struct{}

// asker is who asks, and the key that the path names.
type asker struct {
	access.Principal
	key string // access.AnyKey: the path names none

	*repeatable // nil: the request has no key to repeat it with
}

func asking(ctx context.Context) *asker {
	if a, ok := ctx.Value(askerKey{}).(*asker); ok {
		return a
	}
	return &asker{} // nobody: a public route
}

// who returns the principal that guard found; the zero Principal on public
// routes.
func who(ctx context.Context) access.Principal { return asking(ctx).Principal }

// may returns an error unless whoever asks may do that in an environment, to
// the key of the path.
func may(ctx context.Context, what access.Permission, environment string) error {
	return mayTouch(ctx, what, environment, asking(ctx).key)
}

// mayTouch returns an error unless whoever asks may do that in an environment
// to what has the key.
func mayTouch(ctx context.Context, what access.Permission, environment, key string) error {
	p := &asking(ctx).Principal
	switch {
	case p.May(what, environment, key):
		return nil
	case p.Could(what, access.AnyKey), p.May(what, p.Environment, key):
		return fmt.Errorf("%w: it is bound to %s", errForbidden, p.Bounds())
	}
	return errForbidden
}

// sees reports whether whoever asks may see what belongs to an environment and
// a key. A bound token sees its own alone, and nothing of which either is not
// known.
func sees(ctx context.Context, environment, key string) bool {
	return asking(ctx).Sees(environment, key)
}

// defines reports whether whoever asks may see what has the key and belongs to
// all environments.
func defines(ctx context.Context, key string) bool {
	return asking(ctx).May(access.Read, access.AnyEnvironment, key)
}

// routes finds what the table says of a method and a path template.
type routes map[wanted]*route

type wanted struct{ method, path string }

func byTemplate() routes {
	m := make(routes, len(table))
	for i := range table {
		m[wanted{table[i].method, table[i].path}] = &table[i]
	}
	return m
}

// guard lets a request through when its principal may do what the matched
// route needs. It looks at the matched route, never at the raw path.
//
// The router asks for its middleware anew at every request, so the table is
// indexed once, outside.
func (s *server) guard(all routes) mux.MiddlewareFunc {
	return func(next http.Handler) http.Handler { return s.guarded(all, next) }
}

func (s *server) guarded(all routes, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.examine(w, r, all.matched(r), pathKey(r), next)
	})
}

// hot takes evaluations of one flag past the router, whose patterns cost more
// than the evaluation. It takes a path that the router matches as it is, with
// a key that a flag can have, and nothing else; the guard is the same.
func (s *server) hot(all routes, router http.Handler) http.Handler {
	at := all[wanted{http.MethodPost, evaluationOf + "{key}"}]
	evaluate := told(s, (*server).evaluateFlag)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, ok := strings.CutPrefix(r.URL.Path, evaluationOf)
		if !ok || r.Method != http.MethodPost || r.URL.RawPath != "" || event.CheckKey(key) != "" {
			router.ServeHTTP(w, r)
			return
		}
		s.examine(w, r, at, key, evaluate)
	})
}

// examine lets a request for a route and a key in its path through, or turns
// it away. A route that is not in the table is nil, and for nobody.
func (s *server) examine(w http.ResponseWriter, r *http.Request, at *route, key string, next http.Handler) {
	ok := at != nil
	if !ok {
		at = &route{}
	}
	if err := s.elsewhere(at); err != nil {
		s.deny(w, r, err)
		return
	}
	now := s.Now()
	p, known := s.principal(r, at.needs, now)
	if !known {
		p, known = s.ticketed(r, at)
	}
	if wait := s.wait(r, at, p, known, now); wait > 0 {
		s.slowDown(w, r, wait)
		return
	}
	if known && at.needs != access.Public && s.checkSession(w, r, p, now) {
		return
	}
	a := &asker{Principal: p, key: key}
	r = r.WithContext(context.WithValue(r.Context(), askerKey{}, a))
	err := errForbidden
	if ok {
		err = cmp.Or(at.pageOf(r, p), at.admits(r, a))
	}
	switch {
	case ok && at.needs == access.Public:
		next.ServeHTTP(w, r)
	case known && err == nil:
		s.enter(w, r, at, next)
	case !known:
		s.turnAway(w, r)
	default:
		s.deny(w, r, err)
	}
}

// matched returns the route that the router has found for a request, nil when
// it is not in the table.
func (all routes) matched(r *http.Request) *route {
	path := template(r)
	if at := all[wanted{r.Method, path}]; at != nil || !builtIn[path] {
		return at
	}
	return &route{needs: access.Read, scope: whole}
}

// enter hands a request to its handler: events are counted on the way.
func (s *server) enter(w http.ResponseWriter, r *http.Request, at *route, next http.Handler) {
	if at.brings() {
		if trace.On(r.Context()) {
			next = traced(at, next)
		}
		s.metered(w, r, who(r.Context()), next)
		return
	}
	if err := s.admitKey(asking(r.Context()), r, at.needs); err != nil {
		fail(w, err)
		return
	}
	next.ServeHTTP(w, r)
}

// nowhere answers what no route answers. What there is and what not is told to
// those who are known.
func (s *server) nowhere(why func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := s.Now()
		p, known := s.principal(r, access.Read, now)
		if wait := s.wait(r, &route{needs: access.Read}, p, known, now); wait > 0 {
			s.slowDown(w, r, wait)
			return
		}
		if !known {
			s.turnAway(w, r)
			return
		}
		s.deny(w, r.WithContext(context.WithValue(r.Context(), askerKey{}, &asker{Principal: p})), why(w, r))
	})
}

// admits returns an error unless a request may take the route. What names its
// environments in its body is let in when some of them could be meant: its
// handler asks for each.
func (at *route) admits(r *http.Request, a *asker) error {
	if at.scope == inBody && a.Could(at.needs, a.key) {
		return nil
	}
	return may(r.Context(), at.needs, at.scope.environment(r, a.Principal))
}

// pathKey returns the key of what the path is about: a flag, a segment, a
// metric.
func pathKey(r *http.Request) string {
	vars := mux.Vars(r)
	if key := vars["key"]; key != "" {
		return key
	}
	return vars["flag"]
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

// principal finds who asks: a bearer token, OFREP's API key, the password in
// the address that a client without headers was given, or the cookie of the
// pages. With open pages, whoever asks may read.
func (s *server) principal(r *http.Request, needs access.Permission, now time.Time) (access.Principal, bool) {
	text, ok := bearer(r.Header.Get("Authorization"))
	if !ok {
		text = r.Header.Get("X-API-Key")
	}
	if text == "" {
		_, text, _ = r.BasicAuth()
	}
	if text == "" && needs == access.Send {
		text = cmp.Or(ofPeer(r), clientInQuery(r))
	}
	if text == "" {
		text = s.kept(r, cookie)
	}
	var p access.Principal
	s.Projection.View(func(uint64) { p, ok = s.Access.Find(text, now) })
	if ok && s.Used != nil {
		s.Used.Note(p.Token, now)
	}
	if !ok && text == "" && s.open(r, needs) {
		return access.Principal{Name: guest, Class: access.Account, Grants: []access.Grant{{Role: access.Viewer}}}, true
	}
	return p, ok
}

// ofPeer returns the token of a sender that shows it as other programs' libraries
// do: FeatBit's send it as it is, Segment's as the name of a user without a
// password.
func ofPeer(r *http.Request) string {
	if user, _, ok := r.BasicAuth(); ok {
		return user
	}
	if text := r.Header.Get("Authorization"); !strings.Contains(text, " ") {
		return text
	}
	return ""
}

// guest is the name of whoever reads open pages without a token.
const guest = "guest"

// isGuest reports whether nobody signed in.
func isGuest(p access.Principal) bool { return p.Token == "" && p.Name == guest }

// open reports whether a request needs no token: with open pages, whoever asks
// may read; with open measurements, whoever asks may read those.
func (s *server) open(r *http.Request, needs access.Permission) bool {
	return needs == access.Read && (s.OpenPages || s.OpenMetrics && r.URL.Path == metricsPath)
}

// clientInQuery returns the client token in the address of events: a beacon,
// which a page sends when it is closed, has no headers. Addresses are logged on
// their way, so that no other class of token counts there; a client token is in
// everybody's hands anyhow.
func clientInQuery(r *http.Request) string {
	if token := queryToken(r); strings.HasPrefix(token, string(access.ClientSDK)+"_") {
		return token
	}
	return ""
}

func queryToken(r *http.Request) string {
	if !strings.Contains(r.URL.RawQuery, "token=") {
		return "" // the usual case, which parses nothing
	}
	return r.URL.Query().Get("token")
}

// bearer reads a bearer token; the case of the scheme does not matter (RFC
// 9110, section 11.1).
func bearer(header string) (text string, ok bool) {
	scheme, text, ok := strings.Cut(header, " ")
	return text, ok && strings.EqualFold(scheme, "Bearer")
}

// environment says which environment an evaluation or an event is about: the
// query's, or the token's own.
func environment(r *http.Request, p access.Principal) string {
	if r.URL.RawQuery == "" {
		return p.Environment // the usual case, which parses nothing
	}
	if e := r.URL.Query().Get("environment"); e != "" {
		return e
	}
	return p.Environment
}

// turnAway sends a browser to the sign-in page and everybody else a 401, also
// an open page that renews itself: it stays as it is and says that it is old.
func (s *server) turnAway(w http.ResponseWriter, r *http.Request) {
	if refusedInProtocol(w, r, errUnauthorized) {
		return
	}
	if reads(r) {
		http.Redirect(w, r, "/sign-in?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	if token := queryToken(r); token != "" && clientInQuery(r) == "" {
		fail(w, errAddressed)
		return
	}
	fail(w, errUnauthorized)
}

// deny answers with an error: a page to a browser, a problem to a program.
func (s *server) deny(w http.ResponseWriter, r *http.Request, err error) {
	if refusedInProtocol(w, r, err) {
		return
	}
	if !reads(r) || s.problemPage(w, r, err) != nil {
		fail(w, err)
	}
}

// reads reports whether a person asks for a page: no program, and no open page
// that renews itself.
func reads(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("HX-Request") == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
}
