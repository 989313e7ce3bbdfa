package server

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/limit"
)

// TestOFREP_refuses: whatever goes wrong with an evaluation is told in the
// shape of the protocol, of which each status has its own.
func TestOFREP_refuses(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	const one, all = evaluationOf + "shop.checkout", evaluations + "flags"
	for name, c := range map[string]struct {
		who, path, body string
		status          int
		want            string // members of the answer, in order
	}{
		"no JSON":                {"sdk", one, `{`, 400, "errorCode errorDetails key"},
		"no JSON, bulk":          {"sdk", all, `{`, 400, "errorCode errorDetails"},
		"no object":              {"sdk", one, `{"context":[]}`, 400, "errorCode errorDetails key"},
		"no environment":         {"admin", one, `{}`, 400, "errorCode errorDetails key"},
		"unknown flag":           {"sdk", evaluationOf + "none", `{}`, 404, "errorCode errorDetails key"},
		"a key with a slash":     {"sdk", evaluationOf + "shop%2Fcheckout", `{}`, 404, "errorCode errorDetails key"},
		"a key with a blank":     {"sdk", evaluationOf + "shop%20checkout", `{}`, 404, "errorCode errorDetails key"},
		"too large":              {"sdk", one, `{"context":{"a":"` + strings.Repeat("x", maxContext) + `"}}`, 413, "errorCode errorDetails key"},
		"too large, bulk":        {"sdk", all, strings.Repeat(" ", maxBody+1), 413, "errorCode errorDetails"},
		"nobody":                 {"", one, `{}`, 401, "errorDetails"},
		"nobody, bulk":           {"", all, `{}`, 401, "errorDetails"},
		"another environment":    {"sdk", one + "?environment=staging", `{}`, 403, "errorDetails"},
		"nothing of that name":   {"sdk", evaluations + "segments", `{}`, 404, "errorDetails"},
		"a change it never gets": {"sdk", all + "?flagConfigEtag=%2299%22", `{}`, 503, "errorDetails"},
	} {
		t.Run(name, func(t *testing.T) {
			code, body, header := h.ask(c.who, "POST", c.path, c.body)
			var answer map[string]string
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatalf("%d %s: %v", code, body, err)
			}
			if got := strings.Join(slices.Sorted(maps.Keys(answer)), " "); code != c.status || got != c.want || header.Get("Content-Type") != "application/json" {
				t.Errorf("got %d %s %s", code, header.Get("Content-Type"), body)
			}
			if (code == http.StatusServiceUnavailable) != (header.Get("Retry-After") != "") || (code == http.StatusUnauthorized) != (header.Get("WWW-Authenticate") != "") {
				t.Errorf("%d: headers %v", code, header)
			}
		})
	}
}

func TestOFREP_slowsDown(t *testing.T) {
	h := newHouseWith(t, func(h *House) { h.Limits.Evaluate = limit.Rate{N: 1, Per: time.Minute} })
	h.want("sdk", "POST", evaluationOf+"none", `{}`, http.StatusNotFound, "FLAG_NOT_FOUND")
	code, body, header := h.ask("sdk", "POST", evaluationOf+"none", `{}`)
	if code != http.StatusTooManyRequests || header.Get("Retry-After") == "" || !strings.HasPrefix(body, `{"errorDetails":`) {
		t.Errorf("got %d %s, Retry-After %q", code, body, header.Get("Retry-After"))
	}
}

// TestOFREP_withoutAList: flags that cannot be had are no fault of the context.
func TestOFREP_withoutAList(t *testing.T) {
	blobs := &lossy{Blobs: &event.MemBlobs{}}
	h := newHouseWith(t, func(h *House) { h.Blobs = blobs })
	h.want("admin", "POST", "/api/v1/apply?comment=x", guild, http.StatusOK, "created")
	h.want("editor", "PUT", "/api/v1/segments/guild/units", many(2000), http.StatusOK, `"count":2000`)
	blobs.lost = true
	h.Server.Config.Handler = New(h.House) // what was compiled is forgotten
	for _, path := range []string{evaluationOf + "shop.guild", evaluations + "flags"} {
		h.want("sdk", "POST", path, `{"context":{"targetingKey":"u-1"}}`, http.StatusServiceUnavailable, `{"errorDetails":"a list of units`)
	}
}

// TestOFREP_isTheSame: a tag is known in every form that HTTP has for it.
func TestOFREP_isTheSame(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	const all, context = evaluations + "flags", `{"context":{"targetingKey":"u-1"}}`
	_, _, header := h.ask("sdk", "POST", all, context)
	tag := header.Get("ETag")
	for name, headers := range map[string][]string{
		"the tag": {tag}, "weak": {"W/" + tag}, "a list": {`"a", ` + tag}, "two lines": {`"a"`, tag}, "any": {"*"},
	} {
		r, err := http.NewRequest("POST", h.URL+all, strings.NewReader(context))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Authorization": {"Bearer " + h.tokens["sdk"]}, "If-None-Match": headers}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusNotModified || answer.Header.Get("ETag") != tag {
			t.Errorf("%s: %s, tag %s", name, answer.Status, answer.Header.Get("ETag"))
		}
	}
	if code, _, _ := h.ask("sdk", "POST", all, `{"context":{"targetingKey":"u-1","ring":"internal"}}`, "If-None-Match", tag); code != http.StatusOK {
		t.Errorf("another attribute, another answer: %d", code)
	}
	if code, _, _ := h.ask("sdk", "POST", all, `{"context":{"targetingKey":"u-1","ring":"external"}}`, "If-None-Match", tag); code != http.StatusNotModified {
		t.Errorf("another attribute, the same answer: %d", code)
	}
}
