package server

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/stream"
)

const listenHere = "/api/v1/stream?environment=production"

// streaming opens a house whose hub runs, with one flag.
func streaming(t *testing.T, l stream.Limits, adjust ...func(*House)) (h *house, end context.CancelFunc) {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	h = newHouseWith(t, func(house *House) {
		house.Streams = &stream.Hub{Projection: house.Projection, Flags: house.Flags, Now: time.Now, Limits: l}
		house.Tickets = stream.Tickets{Key: []byte("a key of the test")}
		for _, more := range adjust {
			more(house)
		}
		go func() { ended <- house.Streams.Run(ctx) }()
	})
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Errorf("the hub ended: %v", err)
		}
	})
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	return h, end
}

// tuned is an open stream.
type tuned struct {
	*http.Response
	t     *testing.T
	lines *bufio.Reader
}

// tune opens a stream as somebody. One that never ends, or never says what is
// waited for, ends all the same, long after it should have.
func (h *house) tune(t *testing.T, client *http.Client, who, target string, headers ...string) *tuned {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(stop)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token := h.tokens[who]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return &tuned{Response: answer, t: t, lines: bufio.NewReader(answer.Body)}
}

// next reads up to the next event of a kind and returns its id and data.
func (l *tuned) next(kind string) (id, data string) {
	l.t.Helper()
	var got string
	for {
		line, err := l.lines.ReadString('\n')
		if err != nil {
			l.t.Fatalf("waiting for %s, status %s: %v", kind, l.Status, err)
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			id = value
		case "event":
			got = value
		case "data":
			if got == kind {
				return id, value
			}
		}
	}
}

// given waits until the only stream is counted as having a revision: its client
// may read it before it is.
func (h *house) given(id string) {
	h.t.Helper()
	revision, err := strconv.ParseUint(id, 10, 64)
	for end := time.Now().Add(time.Minute); err == nil && h.Streams.Holds()[revision] == 0; runtime.Gosched() {
		if time.Now().After(end) {
			h.t.Fatalf("streams by revision: %v, want %s", h.Streams.Holds(), id)
		}
	}
}

func (h *house) disable() {
	h.t.Helper()
	h.want("admin", "POST", "/api/v1/flags/shop.checkout/disable", `{"environment":"production","comment":"off"}`, http.StatusOK, "")
}

func TestStream(t *testing.T) {
	h, end := streaming(t, stream.Limits{})
	l := h.tune(t, h.Client(), "sdk", listenHere, "X-Sluice-SDK", "go/1.2")
	if got := l.Header.Get("Content-Type") + l.Header.Get("Cache-Control"); l.StatusCode != http.StatusOK || got != "text/event-streamno-store" {
		t.Errorf("got %s %v", l.Status, l.Header)
	}
	_, greeting := l.next("hello")
	if id, data := l.next("put"); id == "" || !strings.Contains(data, `"key":"shop.checkout"`) {
		t.Errorf("got put %s %s", id, data)
	}
	h.disable()
	id, data := l.next("patch")
	if !strings.Contains(data, `"enabled":false`) {
		t.Errorf("got patch %s %s", id, data)
	}

	h.given(id)
	var hello struct{ Stream string }
	if err := json.Unmarshal([]byte(greeting), &hello); err != nil {
		t.Fatal(err)
	}
	ack := "/api/v1/stream/" + hello.Stream + "/ack"
	h.want("sdk", "POST", ack, `{"revision":`+id+`}`, http.StatusNoContent, "")
	h.want("foreign", "POST", ack, `{"revision":`+id+`}`, http.StatusNotFound, "no such stream")
	h.want("client", "POST", ack, `{"revision":`+id+`}`, http.StatusForbidden, "")
	h.want("sdk", "POST", ack, `{"revision":0}`, http.StatusBadRequest, "revision")
	h.want("viewer", "GET", "/api/v1/streams", "", http.StatusOK,
		fmt.Sprintf(`{"revision":%[1]s,"open":1,"oldest":%[1]s,"streams":[{"environment":"production","sdk":"go/1.2","given":%[1]s,"acknowledged":%[1]s,"streams":1}]}`, id))
	h.want("bound", "GET", "/api/v1/streams", "", http.StatusOK, `"open":0,"streams":[]`)

	end()
	if _, err := io.Copy(io.Discard, l.lines); errors.Is(err, context.DeadlineExceeded) {
		t.Error("the stream outlives its hub")
	}
}

func TestStream_endsWithItsToken(t *testing.T) {
	h, _ := streaming(t, stream.Limits{Beat: time.Millisecond}, func(house *House) {
		house.Streams.MayHear = MayHear(house.Projection, house.Folds, house.Now)
	})
	l := h.tune(t, h.Client(), "sdk", listenHere)
	l.next("put")
	h.disable()
	l.next("patch") // and many signs of life
	text := h.tokens["sdk"]
	hash := sha256.Sum256([]byte(text))
	h.want("admin", "DELETE", "/api/v1/tokens/"+hex.EncodeToString(hash[:6]), "", http.StatusNoContent, "")
	if rest, err := l.lines.ReadString(0); !errors.Is(err, io.EOF) {
		t.Errorf("after the token was revoked: %q, %v", rest, err)
	}
}

func TestStream_refuses(t *testing.T) {
	h, _ := streaming(t, stream.Limits{})
	h.want("foreign", "GET", listenHere, "", http.StatusForbidden, "bound to staging")
	h.want("client", "GET", listenHere, "", http.StatusForbidden, "")
	h.want("", "GET", listenHere, "", http.StatusUnauthorized, "")
	h.want("admin", "GET", "/api/v1/stream?environment=none", "", http.StatusBadRequest, "is not an environment")
	h.want("admin", "GET", "/api/v1/stream", "", http.StatusBadRequest, "environment is missing")
}

func TestStream_asksToComeBackLater(t *testing.T) {
	h, _ := streaming(t, stream.Limits{Open: 1})
	h.tune(t, h.Client(), "sdk", listenHere).next("put")
	code, body, header := h.ask("sdk", "GET", listenHere, "")
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if code != http.StatusServiceUnavailable || err != nil || seconds < 1 || !strings.Contains(body, "/problems/busy") {
		t.Errorf("got %d %q %s", code, header.Get("Retry-After"), body)
	}
}

// TestStream_overHTTP2: there is no connection to take over, and the stream is
// the same.
func TestStream_overHTTP2(t *testing.T) {
	h, end := streaming(t, stream.Limits{})
	second := httptest.NewUnstartedServer(New(h.House))
	second.EnableHTTP2 = true
	second.StartTLS()
	defer second.Close()
	first := h.URL
	h.URL = second.URL
	l := h.tune(t, second.Client(), "sdk", listenHere)
	h.URL = first
	l.next("put")
	h.disable()
	if id, _ := l.next("patch"); l.ProtoMajor != 2 || id == "" {
		t.Errorf("%s: patch %q", l.Proto, id)
	}
	end()
	if rest, err := l.lines.ReadString(0); strings.TrimSpace(rest) != "" {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

// readOnly is a log that lost its end: it can be read.
type readOnly struct{ event.Log }

func (readOnly) Append(context.Context, event.Event, event.Expect) (uint64, error) {
	return 0, event.ErrReadOnly
}

func TestStream_ofALogThatIsReadOnly(t *testing.T) {
	h, _ := streaming(t, stream.Limits{Beat: time.Millisecond})
	h.House.Log = readOnly{h.House.Log}
	second := httptest.NewServer(New(h.House))
	defer second.Close()
	h.URL = second.URL
	h.want("admin", "POST", "/api/v1/flags/shop.checkout/disable", `{"environment":"production","comment":"off"}`, http.StatusServiceUnavailable, "read-only")
	l := h.tune(t, h.Client(), "sdk", listenHere)
	if _, data := l.next("put"); !strings.Contains(data, "shop.checkout") {
		t.Errorf("got %s", data)
	}
	if line, err := l.lines.ReadString(':'); err != nil {
		t.Errorf("no sign of life: %q, %v", line, err)
	}
	l.Body.Close()
}

// TestNotices_ofAPage: a page whose site a client token lists may listen with
// its ticket, and no other page.
func TestNotices_ofAPage(t *testing.T) {
	h, _ := streaming(t, stream.Limits{}, func(*House) {})
	target, _ := h.bulk("client")
	h.issue("page", access.Token{Class: access.ClientSDK, Environment: "production", Origins: []string{site}})
	for origin, want := range map[string]int{site: http.StatusOK, "https://evil.example": http.StatusForbidden} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		answer, err := h.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		allow := answer.Header.Get("Access-Control-Allow-Origin")
		if answer.StatusCode != want || (allow == origin) != (want == http.StatusOK) || allow == "*" {
			t.Errorf("%s: got %d, allowed %q", origin, answer.StatusCode, allow)
		}
	}
}

func TestNotices(t *testing.T) {
	var later atomic.Int64 // than it is
	h, _ := streaming(t, stream.Limits{}, func(house *House) {
		house.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	target, tag := h.bulk("client")
	if _, again := h.bulk("client"); again != tag {
		t.Errorf("the tag went from %s to %s", tag, again)
	}
	l := h.tune(t, h.Client(), "", target)
	if got := l.Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("a site that no token lists may read it: %q", got)
	}
	h.disable()
	id, data := l.next("message")
	if want := `{"type":"refetchEvaluation","etag":"\"` + id + `\""`; !strings.HasPrefix(data, want) || strings.Contains(data, "shop.checkout") {
		t.Errorf("got %s", data)
	}
	_, changed := h.bulk("client")
	if changed == tag {
		t.Error("after the change the tag is the same")
	}

	later.Add(int64(stream.Window))
	other, same := h.bulk("client")
	if other == target || same != changed {
		t.Errorf("an hour later: target %s, tag %s; want another ticket and the tag %s", other, same, changed)
	}
	code, _, _ := h.ask("client", "POST", "/ofrep/v1/evaluate/flags", "{}", "If-None-Match", same)
	whole, body, _ := h.ask("client", "POST", "/ofrep/v1/evaluate/flags?flagConfigEtag=%22renew%22", "{}", "If-None-Match", same)
	if code != http.StatusNotModified || whole != http.StatusOK || !strings.Contains(body, other) {
		t.Errorf("got %d, and when its ticket ends %d %s", code, whole, body)
	}
	h.want("", "GET", target+"&environment=staging", "", http.StatusForbidden, "")
	h.want("", "GET", "/api/v1/stream?"+strings.SplitN(target, "?", 2)[1], "", http.StatusUnauthorized, "")
	h.want("", "GET", target+"x", "", http.StatusUnauthorized, "")
	h.want("", "GET", "/ofrep/v1/stream", "", http.StatusUnauthorized, "")
	later.Add(int64(stream.Window))
	h.want("", "GET", target, "", http.StatusUnauthorized, "") // it has ended
}

// bulk evaluates all flags and returns the address of the notices and the tag.
func (h *house) bulk(who string) (target, tag string) {
	h.t.Helper()
	code, body, header := h.ask(who, "POST", "/ofrep/v1/evaluate/flags", "{}")
	var answer struct {
		EventStreams []struct {
			Type               string
			Endpoint           struct{ RequestURI string }
			InactivityDelaySec int
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != http.StatusOK || len(answer.EventStreams) != 1 {
		h.t.Fatalf("got %d %s: %v", code, body, err)
	}
	s := answer.EventStreams[0]
	if s.Type != "sse" || s.InactivityDelaySec != 120 {
		h.t.Errorf("got %+v", s)
	}
	return s.Endpoint.RequestURI, header.Get("ETag")
}

// TestBulk_isNotOlderThanItsNotice: a client that was told of a change by
// another replica waits until this one has it.
func TestBulk_isNotOlderThanItsNotice(t *testing.T) {
	h, _ := streaming(t, stream.Limits{})
	next := h.Projection.Seq() + 1
	answers := make(chan string)
	go func() {
		_, body, _ := h.ask("client", "POST", "/ofrep/v1/evaluate/flags?flagConfigLastModified=1&flagConfigEtag="+strconv.FormatUint(next, 10), "{}")
		answers <- body
	}()
	h.disable()
	if body := <-answers; !strings.Contains(body, `"disabled":true`) {
		t.Errorf("got %s", body)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s := &server{House: h.House}
	if err := s.reach(ctx, stream.ETag(next+1)); !errors.Is(err, errBehind) {
		t.Errorf("what is not there: %v", err)
	}
	if code, _ := status(errBehind); code != http.StatusServiceUnavailable {
		t.Errorf("got %d", code)
	}
}

func TestDebug(t *testing.T) {
	h, _ := streaming(t, stream.Limits{})
	id, _ := h.tune(t, h.Client(), "sdk", listenHere).next("put")
	h.given(id)
	const at = "/debug/flags/shop.checkout?environment=production&targetingKey=u-1"
	body := h.want("viewer", "GET", at+"&ring=internal", "", http.StatusOK, `"variant":"on"`)
	var v DebugView
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	want := ReplicaView{Seq: h.Projection.Seq(), Revision: v.Result.Revision, Streams: 1, Oldest: v.Result.Revision}
	if v.Replica != want || v.Environment != "production" || strings.Contains(body, "attribute") {
		t.Errorf("got %s, want the replica at %+v and no rules", body, want)
	}
	h.want("viewer", "GET", at, "", http.StatusOK, `"variant":"off"`)
	h.want("viewer", "GET", "/debug/flags/none?environment=production", "", http.StatusNotFound, "")
	h.want("sdk", "GET", at, "", http.StatusForbidden, "")
}

// TestStream_headAlone: who asks for the head of a stream opens none.
func TestStream_headAlone(t *testing.T) {
	h, _ := streaming(t, stream.Limits{})
	for _, path := range []string{listenHere, "/ofrep/v1/stream"} {
		code, body, header := h.ask("sdk", "HEAD", path, "")
		if code != http.StatusOK || body != "" || header.Get("Content-Type") != "text/event-stream" || header.Get("Connection") == "close" {
			t.Errorf("%s: got %d %q %v", path, code, body, header)
		}
	}
	if open := h.Streams.Counts(); len(open) > 0 {
		t.Errorf("there are streams: %+v", open)
	}
	h.want("client", "HEAD", listenHere, "", http.StatusForbidden, "")
}

// TestStream_endsWithItsEnvironment: nothing comes any more from an environment
// that is gone, to SDKs as to pages.
func TestStream_endsWithItsEnvironment(t *testing.T) {
	h, _ := streaming(t, stream.Limits{Beat: 10 * time.Millisecond}, func(h *House) { h.Streams.MayHear = MayHear(h.Projection, h.Folds, h.Now) })
	h.want("admin", "POST", "/api/v1/apply?comment=x", "apiVersion: sluice/v1\nkind: Environment\nkey: canada\n", http.StatusOK, "created")
	rulesets := h.tune(t, http.DefaultClient, "admin", "/api/v1/stream?environment=canada")
	notices := h.tune(t, http.DefaultClient, "admin", "/ofrep/v1/stream?environment=canada")
	rulesets.next("put")
	h.want("admin", "DELETE", "/api/v1/environments/canada?comment=x", "", http.StatusNoContent, "")
	for _, l := range []*tuned{rulesets, notices} {
		if _, err := io.Copy(io.Discard, l.lines); errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s goes on", l.Request.URL.Path)
		}
	}
	if h.Streams.MayHear("", "canada", true) {
		t.Error("whoever has a ticket hears on")
	}
	h.want("admin", "GET", "/api/v1/stream?environment=canada", "", http.StatusBadRequest, "is not an environment")
}
