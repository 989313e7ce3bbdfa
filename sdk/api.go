package sdk

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// sdkName and sdkVersion are how the provider calls itself to the server.
const (
	sdkName    = "sluice-go"
	sdkVersion = "1.0"
)

// api knows how to ask the server.
type api struct {
	base, token, environment string
	client                   *http.Client
	own                      bool // its connections are nobody else's
	now                      func() time.Time
}

func newAPI(c *Config) *api {
	a := &api{base: strings.TrimSuffix(c.URL, "/"), token: c.Token, environment: c.Environment, now: c.now, client: &http.Client{}}
	if c.Client != nil {
		*a.client = *c.Client
		a.client.Timeout = 0 // it would end streams; each request has a bound of its own
		return a
	}
	// Where the application has put something else in the place of all connections,
	// it wants that of these, too.
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		a.client.Transport, a.own = t.Clone(), true
	}
	return a
}

// close lets go of connections that nobody uses.
func (a *api) close() {
	if a.own {
		a.client.CloseIdleConnections()
	}
}

// refusal is an answer that is not a success.
type refusal struct {
	status int
	after  time.Duration // that the server asked to wait; zero: it did not
	body   []byte        // the beginning
}

// Error implements error.
func (r *refusal) Error() string {
	return fmt.Sprintf("the server answered %d %s: %s", r.status, http.StatusText(r.status), strings.TrimSpace(string(r.body[:min(len(r.body), 200)])))
}

// denied reports whether the token is at fault: asking again soon is no use.
func (r *refusal) denied() bool {
	return r.status == http.StatusUnauthorized || r.status == http.StatusForbidden
}

// mostProblem bounds what is read of an answer that is not a success: the
// faults of a thousand events fit.
const mostProblem = 4 << 20

// do sends a request and returns the answer, whose body the caller closes, or a
// refusal.
func (a *api) do(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	if a.environment != "" {
		path += "?environment=" + url.QueryEscape(a.environment)
	}
	r, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", path, err)
	}
	if header != nil {
		r.Header = header
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("X-Sluice-SDK", sdkName+"/"+sdkVersion)
	answer, err := a.client.Do(r)
	if err != nil {
		return nil, err // names the method and the address
	}
	if answer.StatusCode/100 == 2 {
		return answer, nil
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, mostProblem)) // the status says enough where the rest is missing
	return nil, &refusal{status: answer.StatusCode, after: retryAfter(answer.Header.Get("Retry-After"), a.now()), body: text}
}

// retryAfter reads a Retry-After header, which has seconds or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return max(0, min(time.Duration(seconds), 3600)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, min(at.Sub(now), time.Hour))
	}
	return 0
}
