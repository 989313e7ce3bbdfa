package stream

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// house is a log, the flags folded from it, and a hub that runs. It lives in a
// bubble of synctest: its clock is the bubble's.
type house struct {
	t     *testing.T
	log   *event.MemLog
	flags *flags.State
	hub   *Hub
	end   context.CancelFunc // of the hub
}

// inHouse runs a test in a bubble of its own.
func inHouse(t *testing.T, l Limits, test func(*house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, log: event.NewMemLog(), flags: flags.NewState()}
		p := event.NewProjection(h.flags)
		h.hub = &Hub{Projection: p, Flags: h.flags, Now: time.Now, Limits: l}
		var work sync.WaitGroup
		ctx, stop := context.WithCancel(t.Context())
		work.Go(func() { _ = p.Run(ctx, h.log) })
		running, end := context.WithCancel(ctx)
		h.end = end
		work.Go(func() { _ = h.hub.Run(running) })
		synctest.Wait()
		test(h)
		stop()
		work.Wait()
	})
}

// flag is one of production, switched off.
func flag(key string) flags.Flag {
	return flags.Flag{
		Key: key, Purpose: flags.Operational, Owner: "shop-team", Type: flags.Boolean,
		Variants: map[string]json.RawMessage{"on": json.RawMessage("true"), "off": json.RawMessage("false")}, Default: "off", Safe: "off",
		Environments: map[string]flags.Environment{"production": {Enabled: true}, "staging": {}},
	}
}

func (h *house) define(keys ...string) uint64 {
	h.t.Helper()
	var last uint64
	for _, key := range keys {
		f := flag(key)
		last = h.do(key, flags.Change{Op: flags.Define, Flag: &f})
	}
	return last
}

// toggle switches a flag of an environment that is enabled, or not, and returns
// the revision.
func (h *house) toggle(key, environment string) uint64 {
	h.t.Helper()
	op := flags.Enable
	if f, _ := h.flags.Flag(key); f.Environments[environment].Enabled {
		op = flags.Disable
	}
	return h.do(key, flags.Change{Op: op, Environment: environment})
}

// do records a change and waits until every listener who can has heard of it.
func (h *house) do(key string, c flags.Change) uint64 {
	h.t.Helper()
	e, expect, err := h.flags.Handle(flags.Command{ID: event.New(), Key: key, Expect: event.Any, At: time.Now(), Actor: "ana", Comment: "test", Changes: []flags.Change{c}})
	if err != nil {
		h.t.Fatal(err)
	}
	seq, err := h.log.Append(h.t.Context(), e, expect)
	if err != nil {
		h.t.Fatal(err)
	}
	synctest.Wait()
	return seq
}

// listener reads a stream as a client does.
type listener struct {
	*Stream
	conn  net.Conn
	ended chan error // tells how Copy ended, once

	mu    sync.Mutex
	heard []string // "event id" of every event, ":" for a sign of life
	data  []string
}

// open opens a stream that nobody reads yet.
func (h *house) open(r Request) *listener {
	h.t.Helper()
	r.ID = event.New().String()
	s, err := h.hub.Open(r)
	if err != nil {
		h.t.Fatal(err)
	}
	theirs, ours := net.Pipe()
	l := &listener{Stream: s, conn: theirs, ended: make(chan error, 1)}
	go func() {
		defer ours.Close()
		defer s.Close()
		l.ended <- s.Copy(h.t.Context(), ours)
	}()
	return l
}

// listen opens a stream and reads it.
func (h *house) listen(r Request) *listener {
	h.t.Helper()
	l := h.open(r)
	l.read()
	return l
}

func (l *listener) read() {
	go l.scan()
	synctest.Wait()
}

func (l *listener) scan() {
	var id, kind string
	lines := bufio.NewScanner(l.conn)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		l.mu.Lock()
		switch name {
		case "id":
			id = value
		case "event":
			kind = value
		case ":":
			l.heard = append(l.heard, ":")
		case "data":
			l.heard, l.data = append(l.heard, strings.TrimSpace(kind+" "+id)), append(l.data, value)
			id, kind = "", ""
		}
		l.mu.Unlock()
	}
}

// want compares what was heard since the last time.
func (l *listener) want(t *testing.T, want ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if got := fmt.Sprint(l.heard); got != fmt.Sprint(want) {
		t.Errorf("heard %v, want %v", got, want)
	}
	l.heard = nil
}

// said returns all data so far.
func (l *listener) said() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.data)
}

// last returns the newest data as a ruleset.
func (l *listener) last(t *testing.T) (r flags.Ruleset) {
	t.Helper()
	data := l.said()
	if err := json.Unmarshal([]byte(data[len(data)-1]), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// keys lists the flags of a ruleset.
func keys(r flags.Ruleset) string {
	var out []string
	for _, f := range r.Flags {
		out = append(out, f.Key)
	}
	return strings.Join(out, " ")
}
