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
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humamux"
	"github.com/gorilla/mux"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
)

// House is what the server opens its doors to. All fields are required, but
// for those that say otherwise.
type House struct {
	Log        event.Log
	Blobs      event.Blobs
	Projection *event.Projection // folds Flags, Metrics, Rollouts, Access, Seals from Log

	Flags    *flags.State
	Metrics  *ingest.Catalog
	Rollouts *decisions.State
	Access   *access.State
	Seals    *event.Seals

	Intake   *ingest.Intake  // nil: this replica takes no events
	Readouts Readouts        // nil: this replica answers no readouts
	Ready    func(context.Context) map[string]error // a reason per dependency, nil when it is well

	Environments []string // in order of display
	Now          func() time.Time
	Entropy      io.Reader    // for new tokens
	Logger       *slog.Logger // nil: silent
	Version      string
	OpenPages    bool // pages need no sign-in: the demo, on loopback alone
}

// Readouts answers what the data say of a rollout now.
type Readouts interface {
	// Latest returns the newest look at a rollout: what the controller saw and
	// what it made of it. ok is false before the first look.
	Latest(rollout string) (look decisions.Look, ok bool)
}

type server struct {
	House
	sets sets
	log  *slog.Logger
}

// New returns the handler of a house.
func New(h House) http.Handler {
	s := &server{House: h, log: h.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.sets.house = &s.House
	r := mux.NewRouter()
	api := newAPI(r, h.Version)
	for _, route := range table {
		route.register(s, r, api, route)
	}
	r.Use(s.guard)
	r.NotFoundHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fail(w, errNoSuch) })
	r.MethodNotAllowedHandler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fail(w, errMethod) })
	return http.NewCrossOriginProtection().Handler(harden(r))
}

func newAPI(r *mux.Router, version string) huma.API {
	c := huma.DefaultConfig("Sluice", version)
	c.DocsPath = ""       // its page loads scripts from elsewhere
	c.CreateHooks = nil   // no $schema in answers
	c.SchemasPath = ""    //
	c.Info.License = &huma.License{Name: "Apache-2.0"}
	return humamux.New(r, c)
}

// harden bounds every request and sets the headers of every answer.
func harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// maxBody bounds what any route reads.
const maxBody = 1 << 20

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
