// Package flagd speaks the protocols of flagd, so that its providers and its
// sidecars work with Sluice as they are: flagd.evaluation.v1 and v2 and the
// older schema.v1 answer evaluations, flagd.sync.v1 hands out all flags of an
// environment to providers that evaluate by themselves. All of it is served
// over gRPC, gRPC-Web and Connect, on HTTP/2 and HTTP/1.1.
//
// An answer is the one that OFREP gives, written in flagd's types: it never
// evaluates by a way of its own. It never decides who may ask; internal/server
// does, before it calls Serve.
//
//	h := flagd.New(flagd.Config{Set: sets.At, Document: export, Moved: projection.Moved, …})
//	h.Serve(w, r, "production") // which the header Flagd-Selector overrides
//
// The code below gen is generated from the descriptors that the flagd project
// publishes; `make generate` writes it, and gen/README.md says where they are
// from.
package flagd

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v1/evaluationv1connect"
	"github.com/sluice-hq/sluice/internal/flagd/gen/evaluation/v2/evaluationv2connect"
	"github.com/sluice-hq/sluice/internal/flagd/gen/schema/v1/schemav1connect"
	"github.com/sluice-hq/sluice/internal/flagd/gen/sync/v1/syncv1connect"
)

// The paths of the services, each followed by a method.
const (
	EvaluationV1 = "/" + evaluationv1connect.ServiceName + "/"
	EvaluationV2 = "/" + evaluationv2connect.ServiceName + "/"
	SchemaV1     = "/" + schemav1connect.ServiceName + "/"
	SyncV1       = "/" + syncv1connect.FlagSyncServiceName + "/"
)

// maxRequest bounds a request: a key and a context, as in OFREP.
const maxRequest = 256 << 10

// Config is what the services need of the rest of the house. All fields are
// required, but for those that say otherwise.
type Config struct {
	Set      func(environment string) (*flags.Set, error)        // the flags as they are now
	Document func(environment string) ([]byte, error)            // the same as flagd's flags.json; asked once for each answer of Set
	Moved    func() (uint64, <-chan struct{})                    // closed when Set may answer another set: event.Projection's
	MaySync  func(ctx context.Context, environment string) error // asked when the body of a request names an environment
	Now      func() time.Time                                    // what rules see as the time of a request
	Closing  <-chan struct{}                                     // closed when the house shuts its doors, which ends all streams; nil: never

	Answered func(set *flags.Set, key string, c *flags.Context) // told of every answer of one flag; nil: nobody is

	Enter   func(rules bool) (leave func(), err error)                     // asked before a stream of rules or of notices begins; leave is called at its end; nil: all may
	MayStay func(ctx context.Context, environment string, rules bool) bool // asked at every sign of life of a stream; nil: all may

	KeepAlive time.Duration // between two signs of life of an event stream; 0: 20 s, as flagd has it
	Patience  time.Duration // for a client that does not read what a stream sends; 0: 30 s
	Logger    *slog.Logger  // nil: silent
}

func (c Config) keepAlive() time.Duration {
	if c.KeepAlive == 0 {
		return 20 * time.Second
	}
	return c.KeepAlive
}

func (c Config) enter(rules bool) (leave func(), err error) {
	if c.Enter == nil {
		return func() {}, nil
	}
	return c.Enter(rules)
}

func (c Config) answered(set *flags.Set, key string, asked *flags.Context) {
	if c.Answered != nil {
		c.Answered(set, key, asked)
	}
}

func (c Config) patience() time.Duration {
	if c.Patience == 0 {
		return 30 * time.Second
	}
	return c.Patience
}

func (c Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}

// Handler answers the services. Make it with New.
type Handler struct {
	Config
	log       *slog.Logger
	documents documents
	mux       *http.ServeMux
}

// New returns the services of a house.
func New(c Config) *Handler {
	h := &Handler{Config: c, log: c.logger(), mux: http.NewServeMux()}
	h.documents.house = h
	options := connect.WithHandlerOptions(
		connect.WithReadMaxBytes(maxRequest), connect.WithCodec(codec{"json"}), connect.WithCodec(codec{"json; charset=utf-8"}),
	)
	h.mux.Handle(evaluationv1connect.NewServiceHandler(evaluationV1{h}, options))
	h.mux.Handle(evaluationv2connect.NewServiceHandler(evaluationV2{h}, options))
	h.mux.Handle(schemav1connect.NewServiceHandler(schemaV1{h}, options))
	h.mux.Handle(syncv1connect.NewFlagSyncServiceHandler(syncV1{h}, options))
	return h
}

// Serve answers a request that may ask about an environment, or about the one
// that its selector names (see Environment). The environment may be "": the
// request is refused then, with what it could have named.
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request, environment string) {
	named, err := parseSelector(r.Header.Get(selectorHeader))
	if err != nil {
		refuse(w, r, connect.NewError(connect.CodeInvalidArgument, err))
		return
	}
	c := &call{environment: environment, control: http.NewResponseController(w)}
	if named != "" {
		c.environment, c.selected = named, true
	}
	h.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
}

// call is what a method has to know of the request it answers.
type call struct {
	environment string
	selected    bool // by the header, which wins over the selector of a body
	control     *http.ResponseController
}

type callKey struct{}

// callOf returns the call of a method's context, which Serve put there.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// Serves reports whether a path belongs to one of the services.
func Serves(path string) bool {
	for _, service := range []string{EvaluationV1, EvaluationV2, SchemaV1, SyncV1} {
		if strings.HasPrefix(path, service) {
			return true
		}
	}
	return false
}
