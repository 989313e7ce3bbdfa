package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// client speaks to a running Sluice.
type client struct {
	Server string `help:"Address of Sluice." default:"http://127.0.0.1:8321" env:"SLUICE_SERVER"`
	Token  string `help:"Token of a person or of automation (sla_…)." env:"SLUICE_TOKEN"`
}

// doer is shared so that connections are kept; the limit covers a stuck server.
var doer = &http.Client{
	Timeout:   60 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64, Proxy: http.ProxyFromEnvironment},
}

// apiError is an answer that is not a success.
type apiError struct {
	Status int
	Title  string        `json:"title"`
	Detail string        `json:"detail"`
	Body   []byte        `json:"-"` // as it came
	After  time.Duration `json:"-"` // when to come back, if the server said
}

func (e *apiError) Error() string {
	switch {
	case e.Status == http.StatusUnauthorized:
		return "no valid token; set SLUICE_TOKEN or --token to one that the server has issued (sla_…)"
	case e.Detail != "":
		return e.Detail
	}
	return fmt.Sprintf("the server answered %d %s", e.Status, e.Title)
}

// get reads a JSON answer.
func (c client) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, "", nil, into)
}

// post sends a body as JSON and reads a JSON answer.
func (c client) post(ctx context.Context, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding the request: %w", err)
	}
	return c.do(ctx, http.MethodPost, path, "application/json", b, into)
}

// do sends one request. into may be nil, a *[]byte for the raw answer, or a
// value for its JSON; headers are names and values in turn.
func (c client) do(ctx context.Context, method, path, kind string, body []byte, into any, headers ...string) error {
	answer, err := c.ask(ctx, doer, method, path, kind, body, headers...)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return read(answer, into)
}

// ask sends one request and returns the answer, whose body has to be closed.
func (c client) ask(ctx context.Context, by *http.Client, method, path, kind string, body []byte, headers ...string) (*http.Response, error) {
	if u, err := url.Parse(c.Server); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--server %q is not an address; write one such as http://127.0.0.1:8321", c.Server)
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Server, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("addressing the server: %w", err)
	}
	r.Header.Set("Accept", "application/json")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := by.Do(r)
	var refused *net.OpError
	if errors.As(err, &refused) && refused.Op == "dial" {
		return nil, fmt.Errorf("nobody answers at %s; start one with: sluice serve, or name another with --server: %w", c.Server, refused)
	}
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", c.Server, err)
	}
	return answer, nil
}

func read(answer *http.Response, into any) error {
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if answer.StatusCode >= 300 {
		e := &apiError{Status: answer.StatusCode, Title: http.StatusText(answer.StatusCode), Body: b}
		if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
			e.After = time.Duration(seconds) * time.Second
		}
		_ = json.Unmarshal(b, e) // an answer that is no problem document keeps the title
		return e
	}
	switch into := into.(type) {
	case nil:
		return nil
	case *[]byte:
		*into = b
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}
