package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/notify"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// house is one process with a sender: its own fold of a log, and of outboxes,
// that others can have too. Its clock moves when the test says so.
type house struct {
	t     testing.TB
	log   event.Log
	kv    notify.KV
	state *notify.State
	proj  *event.Projection
	clock *clock
	*notify.Sender
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newHouse(t testing.TB) *house {
	return process(t, event.NewMemLog(), &ingest.MemKV{}, &clock{at: noon})
}

// process starts one more process.
func process(t testing.TB, log event.Log, kv notify.KV, c *clock) *house {
	t.Helper()
	allow, err := notify.ParseAllow("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, log: log, kv: kv, state: notify.NewState(), clock: c}
	h.state.Told = told
	h.proj = event.NewProjection(h.state)
	h.Sender = &notify.Sender{
		Log: log, KV: kv, House: h.proj, State: h.state, Teller: plain{}, Doors: notify.Open(allow),
		Secrets: func(name string) ([]string, error) { return nil, fmt.Errorf("there is no secret %s", name) },
		Key:     []byte("an installation's key"), Base: "https://sluice.example", Now: c.now, Jitter: func() float64 { return 0.5 },
		Timeout: time.Minute,
	}
	h.catch()
	return h
}

// plain tells flags and decisions by their comments. What the house tells is in
// the rooms of those events.
type plain struct{}

type plainData struct {
	Comment     string   `json:"comment"`
	Environment string   `json:"environment"`
	To          []string `json:"to"`
	Effect      bool     `json:"effect"`
}

func (plain) About(r event.Recorded) (notify.About, bool) {
	key, ok := strings.CutPrefix(r.Subject, "flag.")
	var d plainData
	if !ok || json.Unmarshal(r.Data, &d) != nil {
		return notify.About{}, false
	}
	return notify.About{Types: []string{r.Type}, Environments: []string{d.Environment}, Flag: key, Tags: []string{key + "-tag"}, To: d.To, Effect: d.Effect}, true
}

func (plain) Say(_ context.Context, r event.Recorded, environments []string) (notify.Words, bool, error) {
	var d plainData
	if err := json.Unmarshal(r.Data, &d); err != nil {
		return notify.Words{}, false, err
	}
	if d.Comment == "silence" {
		return notify.Words{}, false, nil
	}
	return notify.Words{Title: r.Subject + " changed", Text: d.Comment, Path: "/flags"}, true, nil
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// catch brings the fold to the end of the log.
func (h *house) catch() {
	h.t.Helper()
	h.must(h.proj.Catch(context.Background(), h.log))
}

// do carries out a command about a webhook.
func (h *house) do(c notify.Command) error {
	h.t.Helper()
	if c.Webhook != nil && c.Key == "" {
		c.Key = c.Webhook.Key
	}
	c.ID, c.At, c.Actor = event.New(), h.clock.now(), "person:ana"
	e, expect, err := h.state.Handle(c)
	if err != nil {
		return err
	}
	_, err = h.log.Append(context.Background(), e, expect)
	h.must(err)
	h.catch()
	return nil
}

// hook declares a webhook called release that is told of flags.
func (h *house) hook(url string) {
	h.t.Helper()
	h.must(h.do(notify.Command{Op: notify.Define, Webhook: &notify.Webhook{Key: "release", URL: url, Events: []string{"flag.*"}}}))
}

// happen appends an event of flag a with a comment, and returns its sequence.
func (h *house) happen(comment string) uint64 {
	h.t.Helper()
	data, err := json.Marshal(plainData{Comment: comment, Environment: "production"})
	h.must(err)
	seq, err := h.log.Append(context.Background(), event.Event{
		ID: event.New(), Source: "test", Type: "flag.changed", Subject: "flag.a", Time: h.clock.now(), Actor: "person:ana", Data: data,
	}, event.Any)
	h.must(err)
	h.catch()
	return seq
}

func (h *house) step() {
	h.t.Helper()
	h.must(h.Step(context.Background(), "release"))
	h.catch()
}

func (h *house) outbox() notify.Outbox {
	h.t.Helper()
	b, err := h.Outbox(context.Background(), "release")
	h.must(err)
	return b
}

// receiver is a program that is told things, over a real connection.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []arrival
	answer func(n int, w http.ResponseWriter, r *http.Request) // nil: 200; n counts from 1
}

// arrival is one request that the receiver took, or refused.
type arrival struct {
	id, signature string
	header        http.Header
	body          string
	text          string // of the message
}

func newReceiver(t testing.TB) *receiver {
	x := &receiver{}
	x.Server = httptest.NewServer(x)
	t.Cleanup(x.Close)
	return x
}

// ServeHTTP implements http.Handler.
func (x *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender has gone
	}
	var m struct {
		Data struct{ Text string }
	}
	_ = json.Unmarshal(body, &m) // other formats have none
	x.mu.Lock()
	x.got = append(x.got, arrival{r.Header.Get("webhook-id"), r.Header.Get("webhook-signature"), r.Header, string(body), m.Data.Text})
	n, answer := len(x.got), x.answer
	x.mu.Unlock()
	if answer != nil {
		answer(n, w, r)
	}
}

func (x *receiver) arrivals() []arrival {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.got)
}

func (x *receiver) answers(f func(n int, w http.ResponseWriter, r *http.Request)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answer = f
}

// texts is what the receiver was told, in order.
func (x *receiver) texts() []string {
	var out []string
	for _, a := range x.arrivals() {
		out = append(out, a.text)
	}
	return out
}

func status(code int) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// hangUp ends the connection without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// knocked counts the connections that come to an address.
type knocked struct {
	net.Listener
	mu sync.Mutex
	n  int
}

func (k *knocked) Accept() (net.Conn, error) {
	c, err := k.Listener.Accept()
	if err == nil {
		k.mu.Lock()
		k.n++
		k.mu.Unlock()
	}
	return c, err
}

func (k *knocked) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.n
}

var errKilled = errors.New("the process was killed")

// fragile is a KV whose process dies at one of its calls: before it, or behind
// it, when what was written stays.
type fragile struct {
	notify.KV
	left int // calls
	rand *rand.Rand
}

func (f *fragile) die() bool {
	f.left--
	return f.left < 0
}

func (f *fragile) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	if f.die() {
		return nil, 0, errKilled
	}
	return f.KV.Load(ctx, key)
}

func (f *fragile) Save(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	if f.die() {
		if f.left == -1 && f.rand.IntN(2) == 0 {
			_, _ = f.KV.Save(ctx, key, value, rev) // on disk, and nobody heard of it
		}
		return 0, errKilled
	}
	return f.KV.Save(ctx, key, value, rev)
}
