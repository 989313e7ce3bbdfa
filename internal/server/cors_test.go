package server

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/internal/access"
)

const (
	site  = "https://shop.example"
	other = "https://other.example"
	bulk  = "/ofrep/v1/evaluate/flags"
)

func newSite(t *testing.T) *house {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, 200, "")
	h.issue("page", access.Token{Class: access.ClientSDK, Environment: "production", Origins: []string{site}})
	h.issue("page2", access.Token{Class: access.ClientSDK, Environment: "staging", Origins: []string{other}})
	return h
}

// TestCORS: a page gets in with a token that lists its site, and in no other
// way.
func TestCORS(t *testing.T) {
	h := newSite(t)
	for _, c := range []struct {
		name, who, method, path, origin string
		code                            int
		allowed                         bool
	}{
		{"its own token", "page", "POST", bulk, site, 200, true},
		{"one flag", "page", "POST", bulk + "/shop.checkout", site, 200, true},
		{"events", "page", "POST", "/v1/events", site, 400, true},
		{"the other's token", "page2", "POST", bulk, site, 403, true},
		{"a site nobody lists", "page", "POST", bulk, "https://evil.example", 403, false},
		{"a lookalike", "page", "POST", bulk, site + ".evil.example", 403, false},
		{"another port", "page", "POST", bulk, site + ":8443", 403, false},
		{"another scheme", "page", "POST", bulk, "http://shop.example", 403, false},
		{"a sandboxed page", "page", "POST", bulk, "null", 403, false},
		{"a token without sites", "client", "POST", bulk, site, 403, true},
		{"a server's token", "sdk", "POST", bulk, site, 403, true},
		{"an admin's token", "admin", "POST", bulk, site, 403, true},
		{"no token", "", "POST", bulk, site, 401, true},
		{"another route", "admin", "POST", "/api/v1/apply", site, 403, false},
		{"another route, read", "admin", "GET", "/api/v1/flags", site, 200, false},
		{"no page", "page", "POST", bulk, "", 200, false},
		{"its own site", "page", "POST", bulk, h.URL, 200, false},
	} {
		headers := []string{"Content-Type", "application/json"}
		if c.origin != "" {
			headers = append(headers, "Origin", c.origin)
		}
		code, body, header := h.ask(c.who, c.method, c.path, "{}", headers...)
		allow := header.Get("Access-Control-Allow-Origin")
		if code != c.code || (allow == c.origin && allow != "") != c.allowed || !c.allowed && allow != "" {
			t.Errorf("%s: got %d %.80s, allowed %q; want %d, %v", c.name, code, body, allow, c.code, c.allowed)
		}
		if c.allowed && !strings.Contains(header.Get("Vary"), "Origin") {
			t.Errorf("%s: the answer does not vary with Origin", c.name)
		}
		if header.Get("Access-Control-Allow-Credentials") != "" || allow == "*" {
			t.Errorf("%s: got %v", c.name, header)
		}
	}
}

func TestCORS_preflight(t *testing.T) {
	h := newSite(t)
	ask := func(path, origin, method string) (int, http.Header) {
		code, _, header := h.ask("", "OPTIONS", path, "", "Origin", origin, "Access-Control-Request-Method", method,
			"Access-Control-Request-Headers", "authorization,content-type", "Sec-Fetch-Site", "cross-site")
		return code, header
	}
	code, header := ask(bulk, site, "POST")
	if code != 204 || header.Get("Access-Control-Allow-Origin") != site || header.Get("Access-Control-Allow-Methods") != "POST" ||
		!strings.Contains(header.Get("Access-Control-Allow-Headers"), "Authorization") || !slices.Contains(header.Values("Vary"), "Origin") ||
		header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("a site that is listed: got %d %v", code, header)
	}
	for name, c := range map[string][3]string{
		"a site that is not":   {bulk, "https://evil.example", "POST"},
		"a method that is not": {bulk, site, "DELETE"},
		"a route for people":   {"/api/v1/flags", site, "GET"},
		"no route":             {"/nowhere", site, "POST"},
	} {
		if code, header := ask(c[0], c[1], c[2]); code < 400 || header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: got %d %v", name, code, header)
		}
	}
	var list struct{ id string }
	for _, token := range h.Access.Tokens() {
		if slices.Contains(token.Origins, site) {
			list.id = token.ID
		}
	}
	h.want("admin", "DELETE", "/api/v1/tokens/"+list.id, "", 204, "")
	if code, _ := ask(bulk, site, "POST"); code != 403 {
		t.Errorf("after the token is gone: got %d", code)
	}
}

// TestCORS_agreesWithCrossOriginProtection: while no token lists a site, what
// may change something is refused exactly when the standard library refuses it.
func TestCORS_agreesWithCrossOriginProtection(t *testing.T) {
	h := newHouse(t)
	protection := http.NewCrossOriginProtection()
	for _, path := range []string{bulk, "/v1/events", "/api/v1/apply", "/sign-out"} {
		for _, fetch := range []string{"", "none", "same-origin", "same-site", "cross-site", "nonsense"} {
			for _, origin := range []string{"", h.URL, "https://evil.example", "null", "://"} {
				headers := []string{}
				r, err := http.NewRequest("POST", h.URL+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				for name, value := range map[string]string{"Sec-Fetch-Site": fetch, "Origin": origin} {
					if value != "" {
						headers = append(headers, name, value)
						r.Header.Set(name, value)
					}
				}
				_, body, _ := h.ask("admin", "POST", path, "", headers...)
				refused := strings.Contains(body, errForeign.Error())
				if want := protection.Check(r) != nil; refused != want {
					t.Errorf("%s with Sec-Fetch-Site %q and Origin %q: refused %v, the library %v: %s", path, fetch, origin, refused, want, body)
				}
			}
		}
	}
}
