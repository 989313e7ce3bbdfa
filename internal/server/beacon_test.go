package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/ingest/ingesttest"
)

// TestBeacon: a page that is closed sends its last events without headers, as
// text, with its client token in the address. No other token counts there, and
// for nothing but events.
func TestBeacon(t *testing.T) {
	h := newSite(t)
	event := `[{"kind":"exposure","id":"` + ingesttest.ID(start, 1).String() + `","flag":"shop.checkout","variant":"on","unit":{"kind":"user","id":"u"}}]`
	for name, c := range map[string]struct {
		who, method, path, origin, cookie string
		code                              int
		want                              string
	}{
		"its own token":      {"page", "POST", "/v1/events", site, "", 202, `"accepted":1`},
		"with other words":   {"page", "POST", "/v1/events?environment=production", site, "", 202, `"accepted":1`},
		"beside a cookie":    {"page", "POST", "/v1/events", site, "admin", 202, `"accepted":1`},
		"from an app":        {"client", "POST", "/v1/events", "", "", 202, `"accepted":1`},
		"another's page":     {"page2", "POST", "/v1/events", site, "", 403, "a page of another site"},
		"a site nobody has":  {"page", "POST", "/v1/events", "https://evil.example", "", 403, "a page of another site"},
		"another place":      {"page", "POST", "/v1/events?environment=staging", site, "", 403, "bound to"},
		"a server's token":   {"sdk", "POST", "/v1/events", "", "", 401, "because addresses are logged"},
		"an admin's token":   {"admin", "POST", "/v1/events", "", "", 401, "because addresses are logged"},
		"to evaluate":        {"client", "POST", bulk, "", "", 401, "no valid token"},
		"to read":            {"admin", "GET", "/api/v1/flags", "", "", 401, "because addresses are logged"},
		"to write, a client": {"client", "POST", "/api/v1/apply", "", "", 401, "no valid token"},
	} {
		path := c.path + "?"
		if strings.Contains(c.path, "?") {
			path = c.path + "&"
		}
		headers := []string{"Content-Type", "text/plain;charset=UTF-8"}
		if c.origin != "" {
			headers = append(headers, "Origin", c.origin, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors")
		}
		if c.cookie != "" {
			headers = append(headers, "Cookie", (&http.Cookie{Name: cookie, Value: h.tokens[c.cookie]}).String())
		}
		code, body, _ := h.ask("", c.method, path+"token="+url.QueryEscape(h.tokens[c.who]), event, headers...)
		if code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%s: got %d %s, want %d with %q", name, code, body, c.code, c.want)
		}
		if strings.Contains(body, h.tokens[c.who]) {
			t.Errorf("%s: the answer repeats the token", name)
		}
	}
	code, body, _ := h.ask("client", "POST", "/v1/events?token=slc_nonsense", event)
	if code != 202 {
		t.Errorf("with a good header and another word in the address: %d %s", code, body)
	}
}
