package server

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

// raw sends a request line as it is written: a client would clean the path.
func (h *house) raw(method, target string, headers ...string) (int, http.Header) {
	h.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: sluice\r\nConnection: close\r\n%s\r\n", method, target, strings.Join(append(headers, ""), "\r\n"))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, target, err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode, answer.Header
}

// TestPaths_inDisguise: the guard looks at the route that the router has found,
// so no way of writing a path gets past it. A redirect to the plain path is no
// way in: that is asked again.
func TestPaths_inDisguise(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "")
	for _, target := range []string{
		"/api/v1/health/../flags", "/healthz/../api/v1/flags", "/assets/../api/v1/flags", "/sign-in/../../api/v1/flags",
		"/healthz/%2e%2e/api/v1/flags", "/healthz/..%2fapi/v1/flags", "/assets/..%2f..%2fapi%2fv1%2fflags", "/assets/%2e%2e%2fapi/v1/flags",
		"//api/v1/flags", "/api//v1/flags", "/api/v1//flags", "/api/v1/flags/", "/api/v1/flags//", "/api/v1/./flags", "/API/V1/FLAGS",
		"/api/v1/flags;/healthz", "/api/v1/flags%00", "/api/v1/flags%0a", "/healthz%00/../api/v1/flags", "/api/v1/flags?x=/healthz", "/api/v1/flags#/healthz",
		"/api%2fv1%2fflags", "/api/v1/flags/shop.checkout%2fhistory", "/api/v1/flags/..%2fflags%2fshop.checkout", "http://sluice/api/v1/flags",
		`/healthz\..\api\v1\flags`, "/api/v1/tokens", "/debug/flags/shop.checkout", "/openapi.yaml", "/nowhere", "/",
	} {
		code, header := h.raw("GET", target)
		to := header.Get("Location")
		switch {
		case code == http.StatusUnauthorized, code == http.StatusBadRequest:
		case code == http.StatusMovedPermanently && strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//"):
			if code, _ := h.raw("GET", to); code != http.StatusUnauthorized && code != http.StatusMovedPermanently {
				t.Errorf("%s, redirected to %s: got %d without a token", target, to, code)
			}
		default:
			t.Errorf("%s: got %d (to %q) without a token", target, code, to)
		}
	}
	// An encoded slash is part of no key.
	for _, who := range []string{"viewer", "admin"} {
		if code, _ := h.raw("GET", "/api/v1/flags/shop.checkout%2f..%2f..%2ftokens", "Authorization: Bearer "+h.tokens[who]); code == http.StatusOK {
			t.Errorf("as %s an encoded path got somewhere", who)
		}
	}
}

// TestBodies_thatAreTooLarge: every route that reads a body refuses more than
// it is for, before it has read it all, and says so.
func TestBodies_thatAreTooLarge(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "")
	large := strings.Repeat("x", maxBody+1)
	for _, r := range table {
		if r.method != http.MethodPost && r.method != http.MethodPatch || strings.HasPrefix(r.name, "flagd-") { // those have their own test
			continue
		}
		who := map[bool]string{true: "sdk", false: "admin"}[walkers["sdk"].passes(duties[r.name])]
		kind := map[bool]string{true: "application/x-www-form-urlencoded", false: "application/json"}[r.role() == Web]
		code, body, _ := h.ask(who, r.method, fill.Replace(r.path), `{"context":{"x":"`+large+`"}}`, "Content-Type", kind)
		if code == http.StatusOK || code == http.StatusAccepted || code >= 500 {
			t.Errorf("%s %s with more than %d bytes: got %d %.120s", r.method, r.path, maxBody, code, body)
		}
	}
	const one = "/ofrep/v1/evaluate/flags/shop.checkout"
	h.want("sdk", "POST", one, `{"context":{"x":"`+large+`"}}`, http.StatusRequestEntityTooLarge, "the context is larger than 262144 bytes")
	h.want("sdk", "POST", "/v1/events", large, http.StatusRequestEntityTooLarge, "/problems/too-large")
	h.want("editor", "POST", "/api/v1/apply", large, http.StatusRequestEntityTooLarge, "/problems/too-large")
	h.want("admin", "POST", "/api/v1/tokens", `{"name":"`+large+`"}`, http.StatusRequestEntityTooLarge, "/problems/too-large")
}

// TestBodies_thatAreTooDeep: nesting is bounded where anybody may write it.
func TestBodies_thatAreTooDeep(t *testing.T) {
	h := newHouse(t)
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	h.want("sdk", "POST", "/ofrep/v1/evaluate/flags", `{"context":{"x":`+strings.Repeat("[", 17)+strings.Repeat("]", 17)+`}}`, 400, "nested deeper than 16")
	h.want("sdk", "POST", "/ofrep/v1/evaluate/flags", `{"context":{"x":`+deep+`}}`, 400, "errorCode")
	h.want("sdk", "POST", "/v1/events", `[{"kind":"metric","x":`+deep+`}]`, 400, "nested deeper than 16")
	h.want("admin", "POST", "/api/v1/tokens", `{"class":`+deep+`}`, 400, "/problems/invalid")
	h.want("admin", "POST", "/api/v1/stats/srm", deep, 400, "error")
	h.want("editor", "POST", "/api/v1/apply", "apiVersion: sluice/v1\nkind: Flag\nkey: "+deep[:200]+"\n", 400, "/problems/invalid")
}
