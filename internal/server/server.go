// Package server is the HTTP door of the house: one table of routes with the
// permission each needs, the decoding of requests, and one function that turns
// an error into a status. It holds no rules of its own: a handler reads, calls
// a room, and writes.
//
//	house := server.House{Projection: p, Log: log, Flags: flagState, …}
//	http.ListenAndServe(addr, server.New(house))
//
// Hot paths (evaluation, events) are plain handlers; everything under /api/v1
// is declared once with its types, and /openapi.yaml is made from that.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"
	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/flagd"
	"github.com/sluice-hq/sluice/internal/meter"
	"github.com/sluice-hq/sluice/internal/oidc"
	"github.com/sluice-hq/sluice/internal/replica"
	"github.com/sluice-hq/sluice/internal/stream"
)

// House is what the server opens its doors to. All fields are required, but
// for those that say otherwise.
type House struct {
	Folds
	Log        event.Log
	Blobs      event.Blobs
	Projection *event.Projection // applies Log to Folds

	Intake   Intake                                      // nil: this replica takes no events
	Tap      Tap                                         // nil: nobody can listen to events here
	Accounts Accounts                                    // nil: this replica loads no facts
	Totals   Totals                                      // nil: this replica knows no totals of units
	Letters  Letters                                     // nil: this replica knows no dead letters
	Units    Units                                       // nil: this replica knows no single units
	Readouts Readouts                                    // nil: this replica answers no readouts
	Pasts    Pasts                                       // nil: this replica knows no past
	Recounts Recounts                                    // nil: this replica counts nothing again
	Recorder *ingest.Recorder                            // of evaluations, where an environment asks for that; nil: none are recorded
	Usage    Usage                                       // nil: this replica does not know how flags are used
	Looks    func(rollout string) (decisions.Look, bool) // newest look at a rollout; nil: the controller is elsewhere
	Looked   func() time.Time                            // when any rollout was looked at last; nil: the controller is elsewhere
	Streams  *stream.Hub                                 // nil: this replica streams nothing
	Tickets  stream.Tickets                              // of streams of notices; zero: bulk answers name no stream
	Replica  *replica.Watch                              // compares this replica with the others; nil: there are no others
	Roles    []Role                                      // what this replica does; empty: everything
	Ready    func(context.Context) map[string]error      // a reason per dependency that flags are served without, nil when it is well

	Issuer     *oidc.Party // where people sign in; nil: with tokens alone
	Deliveries Deliveries  // what webhooks were told; nil: this replica does not know

	Used *access.Used // when tokens were last used; nil: nobody keeps it

	Closing   <-chan struct{} // closed when the doors shut, upon which streams end; nil: they end with their clients
	Now       func() time.Time
	Entropy   io.Reader    // for new tokens
	Logger    *slog.Logger // nil: silent
	Version   string
	Limits    Limits
	OpenPages bool // pages need no sign-in: the demo, on loopback alone

	Measure     func(context.Context) []meter.Family // what runs here; nil: nobody measures
	OpenMetrics bool                                 // /metrics needs no token, for networks of one's own
}

// Intake takes events: *ingest.Intake.
type Intake interface {
	Accept(ctx context.Context, r ingest.Request, now time.Time) (ingest.Receipt, error)
}

// Tap lets people hear what comes to the intake: *ingest.Intake.
type Tap interface {
	Listen(f ingest.TapFilter) (*ingest.Listener, error)
}

type server struct {
	House
	sets  sets
	pools pools
	pace  pace // of the events that are taken here
	flagd *flagd.Handler

	exports  exports
	recalled recalled

	bringing sync.Mutex // held while a large list is read
	log      *slog.Logger
}

// New returns the handler of a house.
func New(h House) *Handler {
	s := &server{House: h, log: h.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.sets.house, s.pools = &s.House, newPools(h.Limits)
	if h.Now != nil {
		s.pace.from = h.Now()
	}
	s.flagd = s.newFlagd()
	r := mux.NewRouter()
	api := newAPI(r, h.Version)
	for _, route := range table {
		route.register(s, r, api, route)
	}
	all := byTemplate()
	r.Use(s.guard(all))
	r.NotFoundHandler = s.nowhere(func(http.ResponseWriter, *http.Request) error { return errNoSuch })
	r.MethodNotAllowedHandler = s.nowhere(func(w http.ResponseWriter, q *http.Request) error {
		w.Header().Set("Allow", allowed(r, q))
		return errMethod
	})
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fail(w, errForeign) }))
	return &Handler{harden(s.cors(r, all, origin.Handler(s.hot(all, r)))), s}
}

// allowed lists the methods that the path of a request takes.
func allowed(r *mux.Router, q *http.Request) string {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		try := q.Clone(q.Context())
		try.Method = method
		var m mux.RouteMatch
		if r.Match(try, &m) && m.MatchErr == nil {
			methods = append(methods, method)
		}
	}
	return strings.Join(methods, ", ")
}

func newAPI(r *mux.Router, version string) huma.API {
	ownErrors()
	c := huma.DefaultConfig("Sluice", version)
	c.Info.Description = "Every error is a problem document (RFC 9457): what is wrong, each fault with the field it is in, and what to do about it."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{scheme: {
		Type: "http", Scheme: "bearer", Description: "A token: sls_… of a service, slc_… of a client, sla_… of a person or of automation.",
	}}
	c.DocsPath = ""     // its page loads scripts from elsewhere
	c.CreateHooks = nil // no $schema in answers
	c.SchemasPath = ""  //
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[flags.Logic](), reflect.TypeFor[json.RawMessage]()) // any JSON
	c.Info.License = &huma.License{Name: "Apache-2.0"}
	return humamux.New(r, c)
}

// schemaName names a type by its room and its name: several rooms have a
// Rollout.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	room := path.Base(t.PkgPath())
	if t.Name() == "" || room == "." || room == "server" {
		return huma.DefaultSchemaNamer(t, hint)
	}
	return strings.ToUpper(room[:1]) + room[1:] + huma.DefaultSchemaNamer(t, hint)
}

// hardened are the headers of every answer. All answers share the values: they
// are replaced or appended to, never written over.
var hardened = http.Header{
	"X-Content-Type-Options": {"nosniff"}, "Referrer-Policy": {"same-origin"}, "Cache-Control": {"no-store"},
}

// harden bounds every request and sets the headers of every answer.
func harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), hardened)
		r.Body = bounded{http.MaxBytesReader(w, arriving{r.Body}, maxBody), arriving{r.Body}}
		if r.Method == http.MethodHead { // is GET without the body, which net/http leaves out
			r = r.Clone(context.WithValue(r.Context(), headKey{}, true))
			r.Method = http.MethodGet
		}
		next.ServeHTTP(w, r)
	})
}

type headKey struct{}

// headOnly reports whether only the head of an answer is asked for, which those
// have to know who write an answer past net/http, or one that has no end.
func headOnly(r *http.Request) bool { return r.Context().Value(headKey{}) != nil }

// bounded is the body of a request, of which maxBody is read.
type bounded struct {
	io.ReadCloser
	body arriving
}

// wide returns the body of a request for a route that takes more.
func wide(w http.ResponseWriter, r *http.Request, limit int64) io.Reader {
	b, ok := r.Body.(bounded)
	if !ok {
		return r.Body // unreachable unless somebody wraps the body again; then the small limit holds
	}
	return http.MaxBytesReader(w, b.body, limit)
}

// arriving is a body on its way. Its time-outs and early ends are told apart
// from those of our own dependencies, and name no addresses.
type arriving struct{ io.ReadCloser }

func (a arriving) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errSlow
	}
	return n, err
}

// maxBody bounds what any route reads; events and evaluations have their own,
// tighter limits.
const maxBody = 2 << 20

// OpenAPI returns the document that describes the API, as YAML.
func OpenAPI(version string) ([]byte, error) {
	r := mux.NewRouter()
	api := newAPI(r, version)
	s := &server{}
	for _, route := range table {
		route.register(s, r, api, route)
	}
	return api.OpenAPI().YAML()
}
