package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// broadcast is a server of which a test writes every stream by hand.
type broadcast struct {
	mu      sync.Mutex
	refuse  *http.Response // the answer to who asks for a stream; nil: it is opened
	dead    bool           // nobody answers
	hole    bool           // nobody even refuses
	streams []*io.PipeWriter
	last    []string // Last-Event-ID of each
	acks    []string
	lists   map[string]string
}

func (b *broadcast) exchange(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	if b.hole {
		b.mu.Unlock()
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	defer b.mu.Unlock()
	switch path := r.URL.Path; {
	case b.dead:
		return nil, errNoNetwork
	case strings.HasSuffix(path, "/ack"):
		body, _ := io.ReadAll(r.Body)
		b.acks = append(b.acks, path+" "+string(body))
		return reply(http.StatusNoContent, ""), nil
	case path == "/v1/events":
		return reply(http.StatusAccepted, "{}"), nil
	case strings.HasPrefix(path, "/api/v1/lists/"):
		if text, ok := b.lists[filepath.Base(path)]; ok {
			return reply(http.StatusOK, text), nil
		}
		return reply(http.StatusServiceUnavailable, ""), nil
	case b.refuse != nil:
		return b.refuse, nil
	}
	out, in := io.Pipe()
	context.AfterFunc(r.Context(), func() { _ = out.CloseWithError(r.Context().Err()) })
	b.streams, b.last = append(b.streams, in), append(b.last, r.Header.Get("Last-Event-ID"))
	a := reply(http.StatusOK, "")
	a.Body = out
	return a, nil
}

// say writes to the newest stream, once there is one that was not there before.
func (b *broadcast) say(t *testing.T, text string) {
	t.Helper()
	synctest.Wait()
	b.mu.Lock()
	in := b.streams[len(b.streams)-1]
	b.mu.Unlock()
	if _, err := io.WriteString(in, text); err != nil && !errors.Is(err, io.ErrClosedPipe) { // who has heard enough hangs up
		t.Fatalf("writing to the stream: %v", err)
	}
	synctest.Wait()
}

func (b *broadcast) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

// opened returns how many streams there have been.
func (b *broadcast) opened() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.streams)
}

// reopened returns when a stream is open that was not there before.
func (b *broadcast) reopened(t *testing.T, before int) {
	t.Helper()
	for range 300 {
		synctest.Wait()
		if b.opened() > before {
			return
		}
		time.Sleep(time.Second)
	}
	t.Fatal("no stream is opened again")
}

// hang ends the newest stream.
func (b *broadcast) hang() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.streams[len(b.streams)-1].CloseWithError(io.ErrUnexpectedEOF)
}

func hello(revision int) string {
	return fmt.Sprintf("retry: 1000\n\nevent: hello\ndata: {\"stream\":\"s-1\",\"environment\":\"production\",\"revision\":%d}\n\n", revision)
}
