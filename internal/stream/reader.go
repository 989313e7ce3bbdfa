package stream

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"
	"unique"
)

// Sink is where a stream is written to: a connection, or what behaves like
// one.
type Sink interface {
	io.Writer
	SetWriteDeadline(time.Time) error
}

// Stream is one listener's place in a feed.
type Stream struct {
	hub     *Hub
	request Request
	sdk     unique.Handle[string] // thousands have the same; what they sent would keep all their headers in memory
	feed    *feed
	first   []byte // what the listener lacked when it came
	at      *frame // the last frame that it was given

	unwanted atomic.Bool // its token no longer opens it

	given atomic.Uint64 // revision written to it
	held  uint64        // revision that it has acknowledged, 0 for none; under the hub's lock
}

// ear is what a stream was let in for, and by which token.
type ear struct {
	token, environment string
	notices            bool
}

func (r Request) ear() ear { return ear{r.Token, r.Environment, r.Notices} }

// from returns the revision that a listener says it holds, 0 for nothing. OFREP
// clients ask for everything before they listen: without an id they lack
// nothing.
func (r Request) from(newest uint64) uint64 {
	if r.Last == "" && r.Notices {
		return newest
	}
	revision, _ := strconv.ParseUint(r.Last, 10, 64) // 0 when it is no revision
	return revision
}

// Copy writes the stream until it ends, ctx is done, or the listener is gone or
// too slow. It returns nil at an end of our own making.
func (s *Stream) Copy(ctx context.Context, to Sink) error {
	err := s.begin(to)
	for err == nil && !s.at.last {
		select {
		case <-s.at.ready:
		case <-ctx.Done():
			return nil
		}
		if s.over() {
			return nil
		}
		err = s.advance(to)
	}
	return err
}

// begin greets the listener and gives it what it lacks.
func (s *Stream) begin(to Sink) error {
	err := s.send(to, hello(s))
	if err == nil {
		err = s.send(to, s.first)
	}
	s.first = nil
	if err == nil {
		s.given.Store(s.at.revision)
	}
	return err
}

// over reports whether the stream ends: all streams do, or its token or ticket
// has.
func (s *Stream) over() bool {
	until := s.request.Until
	return s.at.next.last || s.unwanted.Load() || !until.IsZero() && !s.hub.Now().Before(until)
}

// advance gives the listener the next frame, or, when more are waiting, what
// they come to.
func (s *Stream) advance(to Sink) error {
	text, at := s.at.next.text, s.at.next
	if s.at.waiting() {
		text, at = s.hub.catchUp(s)
	}
	err := s.send(to, text)
	if renew := s.request.Renew; err == nil && !renew.IsZero() && !s.hub.Now().Before(renew) {
		s.request.Renew = time.Time{}
		err = s.send(to, renewal(at.revision))
	}
	if err == nil {
		s.at = at
		s.given.Store(at.revision)
	}
	return err
}

// catchUp returns what a stream lacks as one piece.
func (h *Hub) catchUp(s *Stream) ([]byte, *frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return s.feed.catchUp(s.at.revision)
}

// Deadline is when a write that begins now has to be done.
func (h *Hub) Deadline() time.Time { return h.Now().Add(h.patience()) }

// send writes a text. A listener has its patience for every chunk of it, so
// that a large ruleset may take longer than a small change.
func (s *Stream) send(to Sink, text []byte) error {
	for len(text) > 0 {
		if err := to.SetWriteDeadline(s.hub.Deadline()); err != nil {
			return fmt.Errorf("setting the deadline of a stream: %w", err)
		}
		n, err := to.Write(text[:min(chunk, len(text))])
		if err != nil {
			return fmt.Errorf("writing to a stream: %w", err)
		}
		text = text[n:]
	}
	return nil
}

// Close forgets the stream.
func (s *Stream) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.open, s.request.ID)
}
