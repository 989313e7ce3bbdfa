package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sluice-hq/sluice/internal/stream"
)

// sink is where a stream goes.
type sink struct {
	stream.Sink
	ctx   context.Context // done when the client has gone, as far as that can be known without writing
	close func() error
}

func (s sink) Close() { _ = s.close() } // a stream that ended has nothing to lose

// sinkOf writes the head of an answer that has no end, and returns where the
// rest goes. It takes the connection out of the hands of net/http, which keeps
// two buffers, the request, and a second goroutine that waits for the client to
// go: 31 KiB for each of ten thousand streams, and 19 KiB without. The streams
// of HTTP/2 have no connection of their own; they stay.
func sinkOf(w http.ResponseWriter, r *http.Request, deadline time.Time) (sink, error) {
	control := http.NewResponseController(w)
	conn, _, err := control.Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		return answering(w, control, r.Context())
	}
	if err != nil {
		return sink{}, fmt.Errorf("taking over a connection: %w", err)
	}
	s := sink{Sink: conn, ctx: context.Background(), close: conn.Close}
	if err = conn.SetWriteDeadline(deadline); err == nil {
		_, err = conn.Write(head(w.Header()))
	}
	if err != nil {
		s.Close()
		return sink{}, fmt.Errorf("writing the head of a stream: %w", err)
	}
	return s, nil
}

// head writes the head of an answer that ends with its connection (RFC 9112,
// section 6.3, rule 8).
func head(h http.Header) []byte {
	h.Set("Connection", "close")
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	_ = h.Write(&b) // cannot fail: it is memory
	b.WriteString("\r\n")
	return b.Bytes()
}

// answering is a sink in the hands of net/http.
func answering(w http.ResponseWriter, control *http.ResponseController, ctx context.Context) (sink, error) {
	_ = control.SetReadDeadline(time.Time{}) // the server's is for requests, and this one is read; not every connection has one
	w.WriteHeader(http.StatusOK)
	return sink{Sink: flushing{w, control}, ctx: ctx, close: func() error { return nil }}, control.Flush()
}

type flushing struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (f flushing) Write(b []byte) (int, error) {
	n, err := f.w.Write(b)
	if err == nil {
		err = f.control.Flush()
	}
	return n, err
}

func (f flushing) SetWriteDeadline(t time.Time) error { return f.control.SetWriteDeadline(t) }
