package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/mcp"
)

// mcpCmd lets an assistant look, and propose.
type mcpCmd struct{ client }

// Run answers on standard input and output until the assistant goes.
func (c mcpCmd) Run(ctx context.Context) error {
	err := mcp.New(assistant(c), version).Run(ctx, mcp.Stdio(os.Stdin, os.Stdout))
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// assistant is the HTTP interface as an assistant may use it.
type assistant struct{ client }

var _ mcp.API = assistant{}

// Read implements mcp.API.
func (a assistant) Read(ctx context.Context, path string, query url.Values) (json.RawMessage, error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return a.answer(ctx, http.MethodGet, path, nil)
}

// Foresee implements mcp.API.
func (a assistant) Foresee(ctx context.Context, flag string, wanted mcp.Wanted) (json.RawMessage, error) {
	body, err := json.Marshal(wanted)
	if err != nil {
		return nil, fmt.Errorf("encoding the changes: %w", err)
	}
	return a.answer(ctx, http.MethodPost, "/api/v1/flags/"+flag+"/preview", body, seenAt(wanted)...)
}

// Trace implements mcp.API.
func (a assistant) Trace(ctx context.Context, asked mcp.Unit) (json.RawMessage, error) {
	body, err := json.Marshal(asked)
	if err != nil {
		return nil, fmt.Errorf("encoding the question: %w", err)
	}
	return a.answer(ctx, http.MethodPost, "/api/v1/units/traces", body)
}

// Propose implements mcp.API, and says where people look at the request.
func (a assistant) Propose(ctx context.Context, flag string, wanted mcp.Wanted) (json.RawMessage, error) {
	body, err := json.Marshal(wanted)
	if err != nil {
		return nil, fmt.Errorf("encoding the changes: %w", err)
	}
	once := append(seenAt(wanted), "Idempotency-Key", event.New().String()) // what is sent again on the way is one request
	answer, err := a.answer(ctx, http.MethodPost, "/api/v1/flags/"+flag+"/requests", body, once...)
	if err != nil {
		return nil, err
	}
	var request map[string]any
	if err := json.Unmarshal(answer, &request); err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	request["page"] = fmt.Sprintf("%s/flags/%s/requests/%v", strings.TrimSuffix(a.Server, "/"), flag, request["id"])
	return json.Marshal(request)
}

// seenAt is the precondition of a change, as a header.
func seenAt(w mcp.Wanted) []string {
	if w.Revision == 0 {
		return nil
	}
	return []string{"If-Match", fmt.Sprintf("%q", fmt.Sprint(w.Revision))}
}

func (a assistant) answer(ctx context.Context, method, path string, body []byte, headers ...string) (json.RawMessage, error) {
	kind := ""
	if body != nil {
		kind = "application/json"
	}
	var out []byte
	err := a.do(ctx, method, path, kind, body, &out, headers...)
	var said *apiError
	if !errors.As(err, &said) {
		return out, err
	}
	refusal := &mcp.Refusal{}
	_ = json.Unmarshal(said.Body, refusal) // an answer that is no problem document has its status alone
	refusal.Status, refusal.Detail = said.Status, said.Error()
	return nil, refusal
}
