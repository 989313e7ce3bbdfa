package mcp

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// session speaks to the server line by line, as a client does that starts it.
type session struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

func speak(t *testing.T) *session {
	t.Helper()
	in, typed := io.Pipe()
	printed, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := New(&notebook{}, "test").Run(context.WithoutCancel(t.Context()), Stdio(in, out))
		_ = out.Close()
		ended <- err
	}()
	s := &session{t, typed, bufio.NewScanner(printed)}
	s.out.Buffer(nil, 1<<20)
	t.Cleanup(func() {
		_ = typed.Close() // a client that goes ends the program, without an error
		if s.out.Scan() {
			t.Errorf("behind the end comes %s", s.out.Text())
		}
		if err := <-ended; err != nil {
			t.Errorf("the session ends with %v", err)
		}
	})
	return s
}

// answer sends lines and returns the next message.
func (s *session) answer(lines ...string) (m map[string]any) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, strings.Join(lines, "\n")+"\n"); err != nil {
		s.t.Fatal(err)
	}
	if !s.out.Scan() {
		s.t.Fatalf("no answer to %q: %v", lines, s.out.Err())
	}
	if err := json.Unmarshal(s.out.Bytes(), &m); err != nil || m["jsonrpc"] != "2.0" {
		s.t.Fatalf("%s is no message: %v", s.out.Text(), err)
	}
	return m
}

func (s *session) open(version string) map[string]any {
	s.t.Helper()
	return s.answer(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"` + version + `","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`)
}

const ready = `{"jsonrpc":"2.0","method":"notifications/initialized"}`

// TestStdio_versions: the version that a client asks for, or one that it may
// take; and no more abilities than there are.
func TestStdio_versions(t *testing.T) {
	for asked, want := range map[string]string{"2024-11-05": "2024-11-05", "2025-03-26": "2025-03-26", "2025-06-18": "2025-06-18", "2025-11-25": "2025-11-25", "1999-01-01": "2025-11-25"} {
		got := speak(t).open(asked)["result"].(map[string]any)
		if got["protocolVersion"] != want {
			t.Errorf("asked for %s: got %v, want %s", asked, got["protocolVersion"], want)
		}
		if diff := cmp.Diff(map[string]any{"tools": map[string]any{}}, got["capabilities"]); diff != "" {
			t.Errorf("abilities (-want +got):\n%s", diff)
		}
	}
}

// TestStdio_errors: what is wrong is answered by the codes of JSON-RPC, what a
// tool refuses is a result, and neither ends the session. Each call is answered
// by its own ID.
func TestStdio_errors(t *testing.T) {
	s := speak(t)
	s.open("2025-06-18")
	code := func(m map[string]any) any {
		e, _ := m["error"].(map[string]any)
		return e["code"]
	}
	for _, c := range []struct {
		line string
		id   any
		code any
	}{
		{ready + "\n\n" + `{"jsonrpc":"2.0","id":1,"method":"ping"}`, 1.0, nil},
		{`{"jsonrpc":"2.0","id":2,`, nil, -32700.0},
		{`hello`, nil, -32700.0},
		{`7`, nil, -32600.0},
		{`{"id":3,"method":"ping"}`, nil, -32600.0},
		{`{"jsonrpc":"2.0","id":4,"method":"tools/explode"}`, 4.0, -32601.0},
		{`{"jsonrpc":"2.0","id":"five","method":"tools/call","params":{"name":"explode","arguments":{}}}`, "five", -32602.0},
		{`{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"get_flag","arguments":{"flag":"a"}}}` + "\r", 6.0, nil},
		{`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_flag","arguments":[1]}}`, 7.0, nil},
		{`{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"get_flag"}}`, 8.0, nil},
	} {
		m := s.answer(c.line)
		result, _ := m["result"].(map[string]any)
		refused := c.id == 7.0 || c.id == 8.0
		if m["id"] != c.id || code(m) != c.code || (result == nil) != (c.code != nil) || refused != (result["isError"] == true) {
			t.Errorf("%s: got %v", c.line, m)
		}
	}
}

// TestStdio_tools: every tool has a schema of an object, which names what is
// required and takes nothing else.
func TestStdio_tools(t *testing.T) {
	s := speak(t)
	s.open("2025-06-18")
	list := s.answer(ready, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)["result"].(map[string]any)["tools"].([]any)
	for _, one := range list {
		tool := one.(map[string]any)
		schema := tool["inputSchema"].(map[string]any)
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if properties[name.(string)] == nil {
				t.Errorf("%v asks for %v, which it does not have", tool["name"], name)
			}
		}
		if schema["type"] != "object" || schema["additionalProperties"] != false {
			t.Errorf("%v has the schema %v", tool["name"], schema)
		}
	}
	if len(list) < 10 {
		t.Errorf("%d tools", len(list))
	}
}
