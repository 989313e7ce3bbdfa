package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"path/filepath"
	"strings"
	"sync"

	"github.com/sluice-hq/sluice/internal/engine"
)

// Shares of the inserts that the liar treats badly.
const (
	dropShare = 0.01 // are answered and not passed on
	loseShare = 0.05 // are passed on, and their answer is lost
)

// liar stands between the driver and the engine.
type liar struct {
	proxy *httputil.ReverseProxy

	mu                     sync.Mutex
	r                      *rand.Rand
	lying                  bool
	inserts, drops, losses int
	reached                map[string]bool // blocks of a table that reached the engine
	missing                map[string]bool // blocks that were answered and never did
}

func newLiar(socket string, seed uint64) *liar {
	return &liar{
		r: rand.New(rand.NewPCG(seed, 4)), reached: map[string]bool{}, missing: map[string]bool{},
		proxy: &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "127.0.0.1" },
			Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return engine.Dial(ctx, socket)
			}},
		},
	}
}

// ServeHTTP implements http.Handler.
func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch l.decide(r) {
	case "drop":
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", "0")
	case "lose":
		l.proxy.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler) // how a handler cuts the connection
	default:
		l.proxy.ServeHTTP(w, r)
	}
}

// decide draws what happens to a request. Only inserts of facts are lied about.
func (l *liar) decide(r *http.Request) string {
	q := r.URL.Query()
	table, insert := strings.CutPrefix(q.Get("query"), "INSERT INTO ")
	token := q.Get("insert_deduplication_token") // "<generation>|<shard>|<from>-<to>|…"
	l.mu.Lock()
	defer l.mu.Unlock()
	if !insert || token == "" || !l.lying {
		return ""
	}
	l.inserts++
	table, _, _ = strings.Cut(table, " ")
	block := strings.Join(append(strings.SplitN(token, "|", 4)[:3], table), "|")
	x := l.r.Float64()
	if x < dropShare {
		l.drops++
		if !l.reached[block] { // else it is a repeat, which nobody needs
			l.missing[block] = true
		}
		return "drop"
	}
	l.reached[block] = true
	delete(l.missing, block)
	if x < dropShare+loseShare {
		l.losses++
		return "lose"
	}
	return ""
}

func (l *liar) lie(lying bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lying = lying
}

// serve listens on a socket, and returns the way to it.
func (l *liar) serve(path string) (to way, end func() error, err error) {
	at, err := net.Listen("unix", path)
	if err != nil {
		return nil, nil, fmt.Errorf("placing the liar: %w", err)
	}
	srv := &http.Server{Handler: l}
	go func() { _ = srv.Serve(at) }() // until it is closed
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return engine.Dial(ctx, path) }, srv.Close, nil
}

// liarTrial loads small blocks through the liar until so many inserts have
// passed it.
func (o options) liarTrial(ctx context.Context) (rows []row, err error) {
	var l *liar
	var closeLiar func() error
	w, err := newWorld(ctx, o.engine, 1, func(w *world) (way, error) {
		l = newLiar(w.motor.Socket, o.seed)
		to, end, err := l.serve(filepath.Join(filepath.Dir(w.motor.Socket), "liar.sock"))
		closeLiar = end
		return to, err
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close(), closeLiar()) }()
	w.loaders[0].MaxRows = 1 // every message is a block
	facts := story(o.inserts, o.seed)
	l.lie(true)
	sent, faults, err := w.feed(ctx, facts, func() bool { return l.passed() >= o.inserts })
	if err != nil {
		return nil, err
	}
	l.lie(false)
	lost, doubled, err := w.fates(ctx, idsOf(sent))
	if err != nil {
		return nil, err
	}
	return []row{
		{"engine that lies", fmt.Sprintf("%d inserts", l.inserts), lost, doubled,
			fmt.Sprintf("%d answered and not inserted, %d answers lost, %d not noticed; %d steps tried again", l.drops, l.losses, len(l.missing), faults)},
	}, errors.Join(none(lost, doubled), l.verdict())
}

func (l *liar) passed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inserts
}

// verdict says whether the trial proves anything, and that every insert that
// was dropped was sent again.
func (l *liar) verdict() error {
	switch {
	case len(l.missing) > 0:
		return fmt.Errorf("%d inserts were answered and not passed on, and nobody noticed", len(l.missing))
	case l.drops == 0 || l.losses == 0:
		return fmt.Errorf("%d inserts dropped, %d answers lost: this run proves nothing", l.drops, l.losses)
	}
	return nil
}

// feed sends facts in small messages and loads them until enough were.
func (w *world) feed(ctx context.Context, facts []fact, enough func() bool) (sent []fact, faults int, err error) {
	const few = 6
	for len(facts) >= few && !enough() {
		if err := w.send(ctx, facts[:few]); err != nil {
			return nil, faults, err
		}
		sent, facts = append(sent, facts[:few]...), facts[few:]
		n, err := w.load(ctx)
		if err != nil {
			return nil, faults, err
		}
		faults += n
	}
	if !enough() {
		return nil, faults, errors.New("there are too few events for so many inserts")
	}
	return sent, faults, nil
}
