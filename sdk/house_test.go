package sdk

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// exchange answers requests in the place of the network.
type exchange func(*http.Request) (*http.Response, error)

func (e exchange) RoundTrip(r *http.Request) (*http.Response, error) { return e(r) }

// reply makes an answer.
func reply(status int, text string, header ...string) *http.Response {
	a := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}
	for i := 0; i < len(header); i += 2 {
		a.Header.Set(header[i], header[i+1])
	}
	return a
}

var errNoNetwork = errors.New("there is no network")

// offline is a network that is down.
func offline(*http.Request) (*http.Response, error) { return nil, errNoNetwork }

func config(e exchange) Config {
	return Config{URL: "http://sluice.test", Token: "sls_test", Client: &http.Client{Transport: e}, Report: -1, Queue: Queue{Flush: time.Millisecond}}
}

// comparing is a ruleset with n flags that split users between on and off.
func comparing(revision uint64, n int) flags.Ruleset {
	r := flags.Ruleset{Environment: "production", Revision: revision, Flags: []flags.Recorded{}}
	for i := range n {
		key := fmt.Sprintf("shop.flag-%04d", i)
		r.Flags = append(r.Flags, flags.Recorded{Revision: revision, Flag: flags.Flag{
			Key: key, Purpose: flags.Release, Owner: "shop", Type: flags.Boolean, Default: "off", Safe: "off",
			Variants: flags.Variants{"on": json.RawMessage("true"), "off": json.RawMessage("false")},
			Environments: map[string]flags.Environment{"production": {
				Enabled: true,
				Rules:   []flags.Rule{{Name: "staff", When: &flags.Condition{Attribute: "ring", Op: flags.In, Values: []any{"internal", "beta"}}, Serve: "on"}},
				Allocation: &flags.Allocation{
					Rollout: "production/" + key + "/1", Stage: "canary", Epoch: 1, HashVersion: flags.HashVersion, Salt: key, Unit: "user",
					Coverage: flags.Whole, Arms: flags.Even("on", "off"),
				},
			}},
		}})
	}
	return r
}

func encoded(t testing.TB, r flags.Ruleset) []byte {
	t.Helper()
	b, err := head{Server: "http://sluice.test", Confirmed: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)}.encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// put writes a ruleset as the stream sends it.
func put(t testing.TB, kind string, r flags.Ruleset) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", r.Revision, kind, b)
}

// journal keeps what is logged.
type journal struct {
	mu    sync.Mutex
	lines strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.Write(b)
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

func (j *journal) has(text string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Contains(j.lines.String(), text)
}
