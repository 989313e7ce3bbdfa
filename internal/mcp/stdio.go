package mcp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Stdio is the transport over which clients speak to a program that they start:
// a message a line. A line that is no message is answered with an error, and the
// session goes on; nothing but messages is written.
func Stdio(in io.ReadCloser, out io.Writer) sdk.Transport {
	w := &writer{out: out}
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, sdk.DefaultMaxLineLength)
	return &sdk.IOTransport{Reader: &reader{Closer: in, lines: scanner, out: w}, Writer: w}
}

// reader hands on the lines that are messages.
type reader struct {
	io.Closer
	lines *bufio.Scanner
	out   *writer
	rest  []byte // of a line, not handed on yet
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if !r.lines.Scan() {
			if err := r.lines.Err(); err != nil {
				return 0, fmt.Errorf("reading a message: %w", err)
			}
			return 0, io.EOF
		}
		line := bytes.TrimSpace(r.lines.Bytes())
		if code, why := wrong(line); code != 0 {
			if err := r.out.refuse(code, why); err != nil {
				return 0, err
			}
		} else if len(line) > 0 {
			r.rest = append(line[:len(line):len(line)], '\n')
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// wrong says why a line is no message, 0 when it is one. Several in a list are
// left to the session, whose version decides.
func wrong(line []byte) (code int, why string) {
	switch {
	case len(line) == 0 || line[0] == '[' && json.Valid(line):
		return 0, ""
	case !json.Valid(line):
		return jsonrpc.CodeParseError, "is not JSON: send a message a line"
	}
	if _, err := jsonrpc.DecodeMessage(line); err != nil {
		return jsonrpc.CodeInvalidRequest, "is no message of JSON-RPC 2.0: " + err.Error()
	}
	return 0, ""
}

// writer keeps messages whole, whoever writes them.
type writer struct {
	mu  sync.Mutex
	out io.Writer
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}

// Close implements io.Closer. Whose output it is closes it.
func (w *writer) Close() error { return nil }

// refuse answers what has no ID to be answered by.
func (w *writer) refuse(code int, why string) error {
	message, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": nil, "error": map[string]any{"code": code, "message": why}})
	if err != nil {
		return err // unreachable: there are texts and a number in it
	}
	if _, err := w.Write(append(message, '\n')); err != nil {
		return fmt.Errorf("writing a message: %w", err)
	}
	return nil
}
