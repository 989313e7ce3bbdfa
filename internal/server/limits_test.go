package server

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/internal/limit"
)

func rate(n int64) limit.Rate { return limit.Rate{N: n, Per: time.Minute} }

// slowed complains unless the answer is 429 with a time to come back in.
func (h *house) slowed(what string, code int, body string, header http.Header, shape string) {
	h.t.Helper()
	after, err := strconv.Atoi(header.Get("Retry-After"))
	if code != http.StatusTooManyRequests || err != nil || after < 1 || after > 122 || !strings.Contains(body, shape) {
		h.t.Errorf("%s: got %d %s, Retry-After %q; want 429 with %q", what, code, body, header.Get("Retry-After"), shape)
	}
}

// TestLimits: each token has buckets of its own, and events have others than
// flags.
func TestLimits(t *testing.T) {
	h := newHouseWith(t, func(h *House) {
		h.Limits = Limits{Evaluate: rate(3), Events: rate(2), API: rate(40), Unknown: rate(4), SignIn: rate(2)}
	})
	h.want("editor", "POST", "/api/v1/apply", documents, 200, "")
	const event = `[{"kind":"metric","id":"01a19656-4a80-7000-8000-000000000001","name":"purchase","units":{"user":"u"}}]`
	for range 2 {
		h.want("sdk", "POST", "/v1/events", event, 202, "")
	}
	code, body, header := h.ask("sdk", "POST", "/v1/events", event)
	h.slowed("events", code, body, header, `"type":"/problems/too-many-requests"`)
	for range 3 {
		h.want("sdk", "POST", "/ofrep/v1/evaluate/flags", "{}", 200, "shop.checkout")
	}
	code, body, header = h.ask("sdk", "POST", "/ofrep/v1/evaluate/flags", "{}")
	h.slowed("OFREP", code, body, header, `{"errorDetails":"too many requests`)
	h.want("foreign", "POST", "/ofrep/v1/evaluate/flags", "{}", 200, "shop.checkout")
	h.want("sdk", "GET", "/api/v1/flags", "", 403, "") // its own pool

	for range 4 {
		h.want("", "GET", "/api/v1/flags", "", 401, "")
	}
	code, body, header = h.ask("", "GET", "/no/such/route", "")
	h.slowed("nobody", code, body, header, "too-many-requests")
	h.want("viewer", "GET", "/api/v1/flags", "", 200, "")
	for range 2 {
		h.want("", "POST", "/sign-in", "", 403, "")
	}
	code, body, header = h.ask("viewer", "POST", "/sign-in", "")
	h.slowed("signing in", code, body, header, "")
}

// TestLimits_ofClientTokens: one browser does not use up what all have.
func TestLimits_ofClientTokens(t *testing.T) {
	h := newHouseWith(t, func(h *House) {
		h.Limits = Limits{Evaluate: rate(100), EvaluateAddress: rate(2), EventsAddress: rate(2), EventBytesAddress: rate(100), Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	})
	from := func(who, address string) int {
		code, _, _ := h.ask(who, "POST", "/ofrep/v1/evaluate/flags", "{}", "X-Forwarded-For", address)
		return code
	}
	var got []int
	for _, address := range []string{"1.1.1.1", "1.1.1.1", "1.1.1.1", "2.2.2.2"} {
		got = append(got, from("client", address))
	}
	if got[0] != 200 || got[1] != 200 || got[2] != 429 || got[3] != 200 {
		t.Errorf("three from one address and one from another: got %v", got)
	}
	for i := range 4 {
		if code := from("sdk", "1.1.1.1"); code != 200 {
			t.Errorf("request %d of a server behind the address: got %d", i, code)
		}
	}
	// An address pays for the bytes that it sent, afterwards.
	long := "[" + strings.Repeat(" ", 150) + "]"
	if code, _, _ := h.ask("client", "POST", "/v1/events", long, "X-Forwarded-For", "3.3.3.3"); code != 400 {
		t.Errorf("the first: got %d", code)
	}
	if code, _, _ := h.ask("client", "POST", "/v1/events", "[]", "X-Forwarded-For", "3.3.3.3"); code != 429 {
		t.Errorf("after more bytes than a bucket: got %d", code)
	}
	if code, _, _ := h.ask("client", "POST", "/v1/events", "[]", "X-Forwarded-For", "4.4.4.4"); code != 400 {
		t.Errorf("another address: got %d", code)
	}
}

// TestLimits_oneAddressLeavesTheTokenToOthers: what an address is refused takes
// nothing from the bucket that all browsers share.
func TestLimits_oneAddressLeavesTheTokenToOthers(t *testing.T) {
	h := newHouseWith(t, func(h *House) {
		h.Limits = Limits{Evaluate: rate(5), EvaluateAddress: rate(2), Events: rate(5), EventsAddress: rate(2), Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	})
	for path, want := range map[string]int{"/ofrep/v1/evaluate/flags": 200, "/v1/events": 400} {
		for range 20 {
			h.ask("client", "POST", path, "{}", "X-Forwarded-For", "1.1.1.1")
		}
		if code, body, _ := h.ask("client", "POST", path, "{}", "X-Forwarded-For", "2.2.2.2"); code != want {
			t.Errorf("%s from another address: got %d %s", path, code, body)
		}
	}
}

func TestLimits_bytesOfAToken(t *testing.T) {
	h := newHouseWith(t, func(h *House) { h.Limits = Limits{EventBytes: rate(100)} })
	h.want("sdk", "POST", "/v1/events", "["+strings.Repeat(" ", 150)+"]", 400, "")
	code, body, header := h.ask("sdk", "POST", "/v1/events", "[]")
	h.slowed("bytes", code, body, header, "too-many-requests")
	h.want("foreign", "POST", "/v1/events", "[]", 400, "")
}

// TestEventsAtOnce: what is under way is bounded, and flags are answered all
// the while.
func TestEventsAtOnce(t *testing.T) {
	h := newHouseWith(t, func(h *House) { h.Limits = Limits{EventsAtOnce: 1} })
	h.want("editor", "POST", "/api/v1/apply", documents, 200, "")
	free, ended := h.underWay()
	code, body, header := h.ask("sdk", "POST", "/v1/events", "[]")
	if code != 503 || header.Get("Retry-After") == "" {
		t.Errorf("a second request: got %d %s", code, body)
	}
	h.want("sdk", "POST", "/ofrep/v1/evaluate/flags", "{}", 200, "shop.checkout")
	close(free)
	if code := <-ended; code != 400 {
		t.Errorf("the request that was under way: got %d", code)
	}
	h.want("sdk", "POST", "/v1/events", "[]", 400, "")
}

// underWay sends a request with events whose second half waits until it is
// freed, and returns when the server reads it: it says so, as servers do who are
// asked to before they are sent a body (RFC 9110, section 10.1.1).
func (h *house) underWay() (free chan struct{}, ended chan int) {
	h.t.Helper()
	body := &slowBody{free: make(chan struct{})}
	reads := make(chan struct{})
	traced := httptrace.WithClientTrace(h.t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(reads) }})
	r, err := http.NewRequestWithContext(traced, "POST", h.URL+"/v1/events", body)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.tokens["sdk"])
	r.Header.Set("Expect", "100-continue")
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Hour}} // or it would not wait to be asked
	h.t.Cleanup(client.CloseIdleConnections)
	ended = make(chan int, 1)
	go func() {
		answer, err := client.Do(r)
		if err != nil {
			ended <- 0
			return
		}
		_ = answer.Body.Close()
		ended <- answer.StatusCode
	}()
	select {
	case <-reads:
	case code := <-ended:
		h.t.Fatalf("the request that is to be under way: got %d", code)
	}
	return body.free, ended
}

// slowBody waits before its second half.
type slowBody struct {
	free chan struct{}
	n    int
}

func (b *slowBody) Read(p []byte) (int, error) {
	b.n++
	switch b.n {
	case 1:
		return copy(p, "["), nil
	case 2:
		<-b.free
		return copy(p, "]"), nil
	}
	return 0, io.EOF
}

// TestSignIn_cookieOfThisHostAlone: over TLS the cookie has the prefix with
// which browsers keep other hosts of the domain from setting it, and no other
// cookie opens anything.
func TestSignIn_cookieOfThisHostAlone(t *testing.T) {
	h := newHouseWith(t, func(h *House) {
		h.Limits = Limits{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	})
	const host = "__Host-sluice_token"
	tls := []string{"X-Forwarded-Proto", "https"}
	form := append([]string{"Content-Type", "application/x-www-form-urlencoded"}, tls...)
	code, _, header := h.ask("", "POST", "/sign-in", "token="+h.tokens["viewer"], form...)
	if got := header.Get("Set-Cookie"); code != 303 || !strings.HasPrefix(got, host+"=sla_") || !strings.Contains(got, "; Secure") || !strings.Contains(got, "Path=/;") || strings.Contains(got, "Domain") {
		t.Errorf("signing in: got %d %s", code, got)
	}
	_, _, header = h.ask("", "POST", "/sign-out", "", tls...)
	if got := header.Get("Set-Cookie"); !strings.HasPrefix(got, host+"=;") || !strings.Contains(got, "; Secure") || !strings.Contains(got, "Max-Age=0") {
		t.Errorf("signing out: got %s", got)
	}
	for name, want := range map[string]int{host: 200, "sluice_token": 401} {
		if code, _, _ := h.ask("", "GET", "/api/v1/flags", "", append(tls, "Cookie", name+"="+h.tokens["viewer"])...); code != want {
			t.Errorf("%s over TLS: got %d, want %d", name, code, want)
		}
	}
}

// TestSignIn_behindAProxy: the cookie is marked for TLS alone when the browser
// speaks it, which a trusted proxy says, and nobody else can.
func TestSignIn_behindAProxy(t *testing.T) {
	for _, proxies := range [][]netip.Prefix{nil, {netip.MustParsePrefix("127.0.0.0/8")}} {
		h := newHouseWith(t, func(h *House) { h.Limits.Proxies = proxies })
		_, _, header := h.ask("", "POST", "/sign-in", "token="+h.tokens["viewer"],
			"Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-Proto", "https")
		if got := header.Get("Set-Cookie"); strings.Contains(got, "Secure") != (proxies != nil) {
			t.Errorf("with proxies %v: got %q", proxies, got)
		}
	}
}

func TestLimits_set(t *testing.T) {
	l := StandardLimits()
	if err := errors.Join(l.Set("sign-in", "3/h"), l.Set("event-bytes-address", "none")); err != nil {
		t.Fatal(err)
	}
	if l.SignIn != (limit.Rate{N: 3, Per: time.Hour}) || !l.EventBytesAddress.None() {
		t.Errorf("got %+v", l)
	}
	for _, c := range [][3]string{{"king", "3/h", "is not limited by itself"}, {"api", "fast", `rate.api "fast" is not a rate`}} {
		if err := l.Set(c[0], c[1]); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s=%s: got %v", c[0], c[1], err)
		}
	}
}

// BenchmarkWait is what the limits cost an evaluation with a server's token.
func BenchmarkWait(b *testing.B) {
	h := newHouse(b)
	s := &server{House: h.House, pools: newPools(StandardLimits())}
	r, err := http.NewRequest("POST", h.URL, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.RemoteAddr = "10.1.2.3:4567"
	at := byTemplate()[wanted{"POST", evaluationOf + "{key}"}]
	now := start
	for _, who := range []string{"sdk", "client"} {
		p, _ := h.Access.Find(h.tokens[who], start)
		b.Run(who, func(b *testing.B) {
			for b.Loop() {
				now = now.Add(time.Millisecond)
				if s.wait(r, at, p, true, now) > 0 {
					b.Fatal("too fast")
				}
			}
		})
	}
}
