package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/flagd"
)

// route is one way into the house. A path that is not in the table does not
// exist, and one without a permission cannot be written.
type route struct {
	method, path string
	needs        access.Permission
	scope        scope
	name         string // operation, for the API document and the log
	summary      string
	register     func(*server, *mux.Router, huma.API, route)
}

// scope says where a route's environment stands, since a token can be bound to
// one.
type scope int

const (
	whole      scope = iota + 1 // it is about no environment; what a list shows, its handler chooses
	inPath                      // in the path
	ofCaller                    // in the query, else the token's own
	bySelector                  // in the header Flagd-Selector, else as ofCaller; some bodies name another, and the handler asks for it
	inBody                      // in the body; the handler asks for each that it names
)

// environment returns the environment that a request must be allowed in.
func (c scope) environment(r *http.Request, p access.Principal) string {
	switch c {
	case inPath:
		return mux.Vars(r)["environment"]
	case ofCaller:
		return environment(r, p)
	case bySelector:
		if e := flagd.Environment(r.Header); e != "" {
			return e
		}
		return environment(r, p)
	case inBody:
		return p.Environment
	case whole:
	}
	return access.AnyEnvironment
}

// streams reports whether the route answers for as long as its client listens.
func (at *route) streams() bool { return at.name == "stream-rulesets" || at.name == "stream-notices" }

// brings reports whether a request of the route is full of events.
func (at *route) brings() bool { return at.needs == access.Send || at.needs == access.Import }

// plain registers a handler that reads and writes by itself.
func plain(handler func(*server, http.ResponseWriter, *http.Request) error) func(*server, *mux.Router, huma.API, route) {
	return func(s *server, r *mux.Router, api huma.API, at route) {
		describe(api, at)
		r.Path(at.path).Methods(at.method).Handler(told(s, handler))
	}
}

// told is a handler whose errors the client is told.
func told(s *server, handler func(*server, http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if err := handler(s, w, q); err != nil {
			s.report(q, err)
			if !refusedOFREP(w, q, err) && !refusedOTLP(w, q, err) { // services of flagd tell by themselves
				fail(w, err)
			}
		}
	})
}

// typed registers a handler whose input and output are described by their
// types.
func typed[I, O any](handler func(*server, context.Context, *I) (*O, error)) func(*server, *mux.Router, huma.API, route) {
	return func(s *server, _ *mux.Router, api huma.API, at route) {
		huma.Register(api, operation(at), func(ctx context.Context, in *I) (*O, error) {
			out, err := handler(s, ctx, in)
			if err != nil {
				s.reportOperation(at.name, err)
				return nil, problem(err)
			}
			return out, nil
		})
	}
}

// report logs what the client is not told.
func (s *server) report(r *http.Request, err error) {
	s.reportOperation(r.Method+" "+r.URL.Path, err)
}

func (s *server) reportOperation(name string, err error) {
	if p := problem(err); p.Status == http.StatusInternalServerError || p.late() {
		s.log.Error("request failed", "operation", name, "error", err)
	}
}
