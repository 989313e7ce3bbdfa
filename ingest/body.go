package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest/otlp"
	"github.com/sluice-hq/sluice/ingest/shapes"
)

// Request is a POST of events, apart from HTTP.
type Request struct {
	Environment string            // of the token
	Encoding    string            // Content-Encoding: "", identity, gzip or zstd
	Type        string            // Content-Type; "" is taken for JSON
	Body        io.Reader         // read to its end, or to the limit
	Shape       shapes.Shape      // of another program's events; "": they are in our own
	Attributes  map[string]string // of a CloudEvent that came in headers; nil: none did
	Logs        bool              // it holds log records of OpenTelemetry, of which those of evaluations are exposures

	Public bool // of a client's token: what speaks of more than one unit is not taken
	Import bool // events of any age are taken, and units that are hashes stay what they are
	Check  bool // says what would be taken, and keeps nothing
}

// inflater reads the bodies of requests. The zero value is ready; it is safe
// for concurrent use.
type inflater struct {
	gzips, zstds sync.Pool
	held         atomic.Int64 // bytes of bodies of requests under way
}

// mostHeld bounds them: hundreds of usual requests, and sixteen of the largest.
const mostHeld = 128 << 20

// hold is what one request has of the room for bodies.
type hold struct {
	of   *inflater
	most int64
	n    int64
}

// take reports whether there is room for so many bytes more.
func (h *hold) take(n int) bool {
	h.n += int64(n)
	return h.of.held.Add(int64(n)) <= h.most
}

func (h *hold) release() { h.of.held.Add(-h.n) }

// read returns the inflated body, within the limits; it stands in room until that
// is released.
func (f *inflater) read(req Request, room *hold) ([]byte, error) {
	if err := req.checkType(); err != nil {
		return nil, err
	}
	wire := &limited{from: req.Body, left: maxWire}
	var body bytes.Buffer
	inflated := &limited{left: maxInflated, room: room}
	err := f.inflate(req.Encoding, wire, func(plain io.Reader) error {
		inflated.from = plain
		_, err := body.ReadFrom(inflated)
		return err
	})
	switch {
	case inflated.crowded:
		return nil, fmt.Errorf("%w: the bodies of other requests take the room for them", ErrBusy)
	case wire.over:
		return nil, fmt.Errorf("%w: its body is longer than %d bytes; send several requests", ErrTooLarge, maxWire)
	case inflated.over:
		return nil, fmt.Errorf("%w: its body inflates to more than %d bytes; send several requests", ErrTooLarge, maxInflated)
	case err != nil && wire.err != nil:
		return nil, fmt.Errorf("reading the body: %w", wire.err)
	case err != nil && !errors.Is(err, ErrMedia):
		return nil, event.Invalids{{
			Path: "body", Why: "is not whole " + req.Encoding, Fix: "send what Content-Encoding says: identity, gzip or zstd",
		}}
	}
	return body.Bytes(), err
}

// checkType refuses what is of another type than events, or log records, are.
func (req Request) checkType() error {
	media := req.media()
	switch {
	case req.Shape == shapes.CloudEvents: // what came in headers says in Content-Type what its data is, which may be anything
		return nil
	case req.Logs && (media == otlp.JSON || media == otlp.Protobuf):
		return nil
	case req.Logs:
		return fmt.Errorf("%w: Content-Type %.64q; send %s or %s", ErrMedia, req.Type, otlp.Protobuf, otlp.JSON)
	case req.Type == "", media == "application/json", media == "application/x-ndjson", media == "application/jsonl",
		media == "text/plain": // navigator.sendBeacon sends strings so
		return nil
	}
	return fmt.Errorf("%w: Content-Type %.64q; send application/json or application/x-ndjson", ErrMedia, req.Type)
}

// media returns the type without its parameters, "" when it cannot be read.
func (req Request) media() string {
	media, _, err := mime.ParseMediaType(req.Type)
	if err != nil {
		return ""
	}
	return media
}

// inflate calls use with the plain body.
func (f *inflater) inflate(encoding string, wire io.Reader, use func(io.Reader) error) error {
	switch strings.ToLower(encoding) {
	case "", "identity":
		return use(wire)
	case "gzip":
		return f.gzip(wire, use)
	case "zstd":
		return f.zstd(wire, use)
	}
	return fmt.Errorf("%w: Content-Encoding %.64q; send identity, gzip or zstd", ErrMedia, encoding)
}

func (f *inflater) gzip(wire io.Reader, use func(io.Reader) error) error {
	z, ok := f.gzips.Get().(*gzip.Reader)
	if !ok {
		z = new(gzip.Reader)
	}
	defer f.gzips.Put(z)
	if err := z.Reset(wire); err != nil {
		return err
	}
	return use(z)
}

func (f *inflater) zstd(wire io.Reader, use func(io.Reader) error) error {
	z, ok := f.zstds.Get().(*zstd.Decoder)
	if !ok {
		var err error
		// One goroutine and a bounded window: a frame header must not make us
		// allocate what the body does not hold.
		z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxInflated))
		if err != nil {
			return err
		}
	}
	defer f.zstds.Put(z)
	if err := z.Reset(wire); err != nil {
		return err
	}
	defer func() { _ = z.Reset(nil) }() // lets go of the body
	return use(z)
}

// limited reads at most left bytes and notes whether there are more.
type limited struct {
	from    io.Reader
	left    int
	room    *hold // that what is read takes; nil: none
	over    bool
	crowded bool  // there was no room
	err     error // of from, apart from its end
}

var (
	errOver    = errors.New("over the limit")
	errCrowded = errors.New("no room")
)

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	if l.over {
		return 0, errOver
	}
	n, err := l.from.Read(p[:min(len(p), l.left+1)])
	if n > l.left {
		l.over = true
		return l.left, errOver
	}
	l.left -= n
	if l.crowded = l.room != nil && !l.room.take(n); l.crowded {
		return n, errCrowded
	}
	if err != nil && err != io.EOF {
		l.err = err
	}
	return n, err
}
