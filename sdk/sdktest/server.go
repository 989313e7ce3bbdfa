package sdktest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// server is what a provider asks, in the place of the network. It keeps flags
// and events in memory.
type server struct {
	mu       sync.Mutex
	down     bool
	ruleset  flags.Ruleset
	segments []flags.RecordedSegment // also those that no flag asks for yet
	streams  map[string]*body        // by name
	acked    uint64
	changed  chan struct{} // closed, and made anew, when anything changes
	facts    []fact
	known    map[string]bool // IDs of facts
	requests int
}

// fact is an event as it was sent.
type fact struct {
	Kind, ID, Flag, Variant, Name string
	Unit                          struct{ Kind, ID string }
	Units, Attributes             map[string]string
	Value                         *float64
}

func newServer() *server {
	return &server{
		ruleset: flags.Ruleset{Environment: Environment, Revision: 1, Flags: []flags.Recorded{}},
		streams: map[string]*body{}, changed: make(chan struct{}), known: map[string]bool{},
	}
}

var errDown = errors.New("the server of the test is disconnected")

// RoundTrip implements http.RoundTripper.
func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.isDown() {
		return nil, errDown
	}
	switch path := r.URL.Path; {
	case path == "/api/v1/stream":
		return s.stream(r), nil
	case strings.HasSuffix(path, "/ack"):
		return s.acknowledge(r)
	case path == "/v1/events":
		return s.take(r)
	}
	return answer(r, http.StatusNotFound, "{}"), nil
}

func answer(r *http.Request, status int, text string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Request: r, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(text)),
	}
}

// stream opens one and puts the flags into it.
func (s *server) stream(r *http.Request) *http.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	name, b := fmt.Sprint("stream-", s.requests), newBody(r.Context())
	s.streams[name] = b
	b.write(fmt.Appendf(nil, "retry: 1\n\nevent: hello\ndata: {\"stream\":%q,\"revision\":0}\n\n", name))
	b.write(s.put())
	a := answer(r, http.StatusOK, "")
	a.Body = b
	return a
}

func (s *server) put() []byte {
	data, err := json.Marshal(s.ruleset)
	if err != nil {
		panic(fmt.Sprintf("encoding flags: %v", err)) // unreachable: they were checked when they came
	}
	return fmt.Appendf(nil, "id: %d\nevent: put\ndata: %s\n\n", s.ruleset.Revision, data)
}

// acknowledge notes what a provider answers from.
func (s *server) acknowledge(r *http.Request) (*http.Response, error) {
	var in struct{ Revision uint64 }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked = max(s.acked, in.Revision)
	s.move()
	return answer(r, http.StatusNoContent, ""), nil
}

// take keeps events, each ID once.
func (s *server) take(r *http.Request) (*http.Response, error) {
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	accepted := 0
	for line := range bytes.Lines(text) {
		var f fact
		if err := json.Unmarshal(line, &f); err != nil {
			return nil, err
		}
		if accepted++; !s.known[f.ID] {
			s.known[f.ID] = true
			s.facts = append(s.facts, f)
		}
	}
	return answer(r, http.StatusAccepted, fmt.Sprintf(`{"accepted":%d}`, accepted)), nil
}

func (s *server) received(kind string) []fact {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []fact
	for _, f := range s.facts {
		if f.Kind == kind {
			out = append(out, f)
		}
	}
	return out
}

// move wakes who waits. The caller holds the lock.
func (s *server) move() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// define puts a flag in the place of the one with its key.
func (s *server) define(f flags.Flag) {
	s.change(func(r *flags.Ruleset) { r.Flags = []flags.Recorded{{Flag: f, Revision: r.Revision}} })
}

// defineSegment puts a segment in the place of the one with its key.
func (s *server) defineSegment(doc flags.Segment) {
	s.change(func(r *flags.Ruleset) {
		s.segments = slices.DeleteFunc(s.segments, func(old flags.RecordedSegment) bool { return old.Key == doc.Key })
		s.segments = append(s.segments, flags.RecordedSegment{Segment: doc, Stamp: flags.Stamp{Revision: r.Revision}})
	})
}

// force gives everybody the safe variant; false when there is no such flag.
func (s *server) force(key string) (found bool) {
	s.change(func(r *flags.Ruleset) {
		for _, f := range s.ruleset.Flags {
			if f.Key != key {
				continue
			}
			e := f.Environments[Environment]
			e.Forced = &flags.Forced{Reason: "forced by the test"}
			f.Environments, f.Revision, found = map[string]flags.Environment{Environment: e}, r.Revision, true
			r.Flags = []flags.Recorded{f}
		}
	})
	return found
}

// change merges a patch into the ruleset and sends it to all streams.
func (s *server) change(make func(*flags.Ruleset)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	patch := flags.Ruleset{Environment: Environment, Revision: s.ruleset.Revision + 1}
	make(&patch)
	s.ruleset = s.ruleset.With(patch)
	s.ruleset.Segments = s.segments
	for _, b := range s.streams {
		b.write(s.put())
	}
}

// await returns when a provider that listens answers from the newest flags.
func (s *server) await(patience time.Duration) bool {
	over := time.After(patience)
	for {
		s.mu.Lock()
		done, changed := s.acked >= s.ruleset.Revision || len(s.streams) == 0 || s.down, s.changed
		s.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-changed:
		case <-over:
			return false
		}
	}
}

func (s *server) isDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

func (s *server) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
	for name, b := range s.streams {
		_ = b.Close()
		delete(s.streams, name)
	}
	s.move()
}
