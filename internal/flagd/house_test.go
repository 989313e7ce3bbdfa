package flagd

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// house serves the flags of a log in memory, in the environment production.
type house struct {
	*httptest.Server
	Config
	t       testing.TB
	log     *event.MemLog
	state   *flags.State
	p       *event.Projection
	n       int           // commands so far
	exports atomic.Int64  // documents made so far
	closing chan struct{} // Config's
	ended   chan string   // paths of the requests that have been answered

	readTimeout time.Duration // of the server; 0: none

	mu  sync.Mutex
	set *flags.Set
}

func newHouse(t testing.TB) *house {
	h := &house{t: t, log: event.NewMemLog(), state: flags.NewState(), closing: make(chan struct{}), ended: make(chan string, 1000)}
	h.p = event.NewProjection(h.state)
	h.set = h.state.Compile("production", nil)
	h.Config = Config{Set: h.at, Document: h.document, Moved: h.p.Moved, MaySync: maySync, Closing: h.closing, Now: func() time.Time { return time.Unix(1000, 0) }}
	return h
}

// serve opens the doors to HTTP/1.1 and HTTP/2.
func (h *house) serve() *house {
	services := New(h.Config)
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		services.Serve(w, r, "production")
		h.ended <- r.URL.Path
	}))
	h.Server.Config.Protocols = new(http.Protocols)
	h.Server.Config.Protocols.SetHTTP1(true)
	h.Server.Config.Protocols.SetUnencryptedHTTP2(true)
	h.Server.Config.ReadTimeout = h.readTimeout
	h.Start()
	h.t.Cleanup(h.Close)
	return h
}

func (h *house) at(environment string) (*flags.Set, error) {
	if environment != "production" {
		return nil, event.Invalid{Path: "environment", Value: environment, Why: "is not an environment"}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.p.View(func(uint64) {
		if next := h.state.Recompile(h.set, nil); !next.Since(h.set).Empty() {
			h.set = next
		}
	})
	return h.set, nil
}

// document stands in for the exporter, whose document is no matter here: it
// lists the keys.
func (h *house) document(environment string) ([]byte, error) {
	h.exports.Add(1)
	set, err := h.at(environment)
	if err != nil {
		return nil, err
	}
	if slices.Contains(set.Keys(), "broken") {
		return nil, errors.New("reading /var/lib: permission denied")
	}
	return json.Marshal(map[string][]string{"flags": set.Keys()})
}

func maySync(_ context.Context, environment string) error {
	if environment == "foreign" {
		return errors.New("this token is bound to production")
	}
	return nil
}

// do carries out changes of a flag.
func (h *house) do(key string, changes ...flags.Change) {
	h.t.Helper()
	h.n++
	e, expect, err := h.state.Handle(flags.Command{
		ID: event.Derive(h.t.Name(), strconv.Itoa(h.n)), Key: key, Expect: event.Any, At: time.Unix(int64(h.n), 0),
		Actor: "person:ana", Comment: "test", Changes: changes,
	})
	if err != nil {
		h.t.Fatalf("changing %s: %v", key, err)
	}
	if _, err := h.log.Append(context.Background(), e, expect); err != nil {
		h.t.Fatal(err)
	}
	if err := h.p.Catch(context.Background(), h.log); err != nil {
		h.t.Fatal(err)
	}
}

// define makes flags by key and a: the value of variant a, which is the
// default. Each has a variant z too.
func (h *house) define(kind flags.Type, key, a, z string) {
	h.t.Helper()
	h.do(key, flags.Change{Op: flags.Define, Flag: &flags.Flag{
		Key: key, Purpose: flags.Operational, Owner: "shop-team", Type: kind, Default: "a", Safe: "z",
		Variants: flags.Variants{"a": json.RawMessage(a), "z": json.RawMessage(z)},
		Environments: map[string]flags.Environment{"production": {Enabled: true, Rules: []flags.Rule{
			{Name: "staff", When: &flags.Condition{Attribute: "ring", Op: flags.Eq, Value: "staff"}, Serve: "z"},
		}}},
	}})
}

// imported makes a flag with targeting of flagd's, and without a safe variant.
func (h *house) imported(key, fallback, targeting string, enabled bool) {
	h.t.Helper()
	h.do(key, flags.Change{Op: flags.Define, Flag: &flags.Flag{
		Key: key, Purpose: flags.Operational, Owner: "shop-team", Type: flags.Boolean, Default: fallback, CodeDefault: true,
		Variants:     flags.Variants{"on": json.RawMessage(`true`), "off": json.RawMessage(`false`)},
		Environments: map[string]flags.Environment{"production": {Enabled: enabled, Targeting: flags.Logic(targeting)}},
	}})
}

// defineAll makes a flag of every type.
func (h *house) defineAll() *house {
	h.define(flags.Boolean, "bool", `false`, `true`)
	h.define(flags.String, "text", `""`, `"z"`)
	h.define(flags.Number, "int", `42`, `9007199254740993`)
	h.define(flags.Number, "float", `4.5`, `0`)
	h.define(flags.Object, "object", `{"a":[1,null]}`, `{}`)
	return h
}
