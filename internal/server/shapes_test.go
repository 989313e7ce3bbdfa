package server

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/ingest/shapes"
)

// What each program sends here: one exposure of the flag, and one metric event.
var bodies = map[shapes.Shape][2]string{
	shapes.FeatBit: {"/api/public/insight/track", fmt.Sprintf(`[{"user":{"keyId":"u-1"},
		"variations":[{"featureFlagKey":"shop.checkout","variation":{"id":"3c9f","value":"true"},"sendToExperiment":true,"timestamp":%[1]d}],
		"metrics":[{"eventName":"purchase","numericValue":2.5,"timestamp":%[1]d}]}]`, start.UnixMilli())},
	shapes.Agent: {"/api/track", fmt.Sprintf(`[{"user":{"keyId":"u-1"},"variations":[{"flagKey":"shop.checkout","variant":"on","timestamp":%[1]d}],
		"metrics":[{"eventName":"purchase","numericValue":2.5,"timestamp":%[1]d}]}]`, start.UnixMilli())},
	shapes.Collector: {"/v1/data/collector", fmt.Sprintf(`{"events":[{"kind":"feature","userKey":"u-1","creationDate":%[1]d,"key":"shop.checkout","variation":"on"},
		{"kind":"tracking","userKey":"u-1","creationDate":%[1]d,"key":"purchase","trackingEventDetails":{"value":2.5}}]}`, start.Unix())},
	shapes.Segment: {"/v1/batch", fmt.Sprintf(`{"batch":[{"type":"track","userId":"u-1","event":"Experiment Viewed","timestamp":%[1]q,"properties":{"experiment_id":"shop.checkout","variation_id":"on"}},
		{"type":"track","userId":"u-1","event":"purchase","timestamp":%[1]q,"properties":{"revenue":2.5}}]}`, start.Format("2006-01-02T15:04:05Z07:00"))},
}

// TestShapes_authentication: each program is known by the token where its library
// puts one, belongs to the token's environment and gets the answer that its library
// expects.
func TestShapes_authentication(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, 200, "")
	token := h.tokens["sdk"]
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for name, c := range map[string]struct {
		shape         shapes.Shape
		header, value string
		code          int
		want          string
	}{
		"FeatBit":             {shapes.FeatBit, "Authorization", token, 200, `{}`},
		"FeatBit, wrong":      {shapes.FeatBit, "Authorization", "fbes.x", 401, "no valid token"},
		"FeatBit, no right":   {shapes.FeatBit, "Authorization", h.tokens["viewer"], 403, "may not do that"},
		"agent":               {shapes.Agent, "Authorization", token, 202, `{"accepted":2,"dropped":0}`},
		"collector, a bearer": {shapes.Collector, "Authorization", "Bearer " + token, 200, `{"ingestedContentCount":2}`},
		"collector, a key":    {shapes.Collector, "X-API-Key", token, 200, `{"ingestedContentCount":2}`},
		"Segment":             {shapes.Segment, "Authorization", basic(token, ""), 200, `{"success":true}`},
		"Segment, a password": {shapes.Segment, "Authorization", basic("key", token), 200, `{"success":true}`},
		"Segment, wrong":      {shapes.Segment, "Authorization", basic("key", ""), 401, "no valid token"},
		"nobody":              {shapes.Collector, "X-Nothing", "", 401, "no valid token"},
	} {
		code, body, _ := h.ask("", "POST", bodies[c.shape][0], bodies[c.shape][1], "Content-Type", "application/json", c.header, c.value)
		if code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%s: got %d %s, want %d with %s", name, code, body, c.code, c.want)
		}
	}
	for _, r := range h.stored() {
		if r.Environment != "production" || r.Flag != "shop.checkout" || r.Variant != "on" || r.UnitKind != "user" || r.Unit != ingest.UnitHash([]byte("a key of the test"), "user", "u-1") || !r.At.Equal(start) {
			t.Errorf("stored %+v", r)
		}
	}
	if _, body, _ := h.ask("", "GET", "/api/v1/flags", "", "Authorization", h.tokens["viewer"]); !strings.Contains(body, "no valid token") {
		t.Errorf("a token without its scheme opens more than the doors of events: %s", body)
	}
}

// TestShapes_faults: libraries are told that all is well, and people what is not;
// what cannot be read is refused, as are bodies that are too large.
func TestShapes_faults(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, 200, "")
	bad := fmt.Sprintf(`{"events":[{"kind":"feature","userKey":"u","creationDate":%d,"key":"nowhere","variation":"on"}]}`, start.Unix())
	h.want("sdk", "POST", "/v1/data/collector", bad, 200,
		`{"ingestedContentCount":0,"rejected":[{"index":0,"id":`)
	h.want("sdk", "POST", "/v1/data/collector", bad, 200,
		`"field":"key","value":"nowhere","reason":"unknown_flag","why":"is not a flag of production","fix":"check the key, or apply the flag first"}]}`)
	h.want("sdk", "POST", "/v1/track", `{"event":"purchase"}`, 200, `"field":"userId","reason":"malformed","why":"is missing","fix":"send userId or anonymousId"`)
	h.want("sdk", "POST", "/api/track/event", `{"metrics":[]}`, 202, `{"accepted":0,"dropped":1,"rejected":`)
	h.want("sdk", "POST", "/v1/batch", `{"batch":[{"type":"identify","userId":"u"}]}`, 200, `{"success":true}`)
	for shape, s := range bodies {
		h.want("sdk", "POST", s[0], "{", http.StatusBadRequest, "is not JSON as "+string(shape)+" has it")
		h.want("sdk", "POST", s[0], strings.Repeat(" ", 1<<20+1), http.StatusRequestEntityTooLarge, "too large")
		h.want("foreign", "POST", s[0]+"?environment=production", s[1], http.StatusForbidden, "bound to")
	}
}

// TestShapes_cloudEvents: one, a batch and one in headers come to the door of our
// own events, and are answered as those.
func TestShapes_cloudEvents(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents, 200, "")
	exposure := `{"flag":"shop.checkout","variant":"on","unit":{"kind":"user","id":"u-1"}}`
	one := `{"specversion":"1.0","type":"sluice.exposure","source":"shop","id":"e-1","time":"` + start.Format("2006-01-02T15:04:05Z07:00") + `","data":` + exposure + `}`
	headers := []string{"Ce-Specversion", "1.0", "Ce-Type", "sluice.exposure", "Ce-Source", "sh%6Fp", "Ce-Id", "e-1", "Ce-Time", start.Format("2006-01-02T15:04:05Z07:00"), "Content-Type", "application/json"}
	for name, c := range map[string]struct {
		body    string
		headers []string
	}{
		"structured": {one, []string{"Content-Type", "application/cloudevents+json; charset=utf-8"}},
		"batch":      {"[" + one + "]", []string{"Content-Type", "application/cloudevents-batch+json"}},
		"binary":     {exposure, headers},
	} {
		if code, body, _ := h.ask("sdk", "POST", "/v1/events", c.body, c.headers...); code != 202 || body != `{"accepted":1}` {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	got := h.stored()
	if len(got) != 3 {
		t.Fatalf("stored %+v", got)
	}
	for _, r := range got {
		r.Place = got[0].Place
		if diff := cmp.Diff(got[0], r); diff != "" {
			t.Errorf("one event in two modes is two (-first +other):\n%s", diff)
		}
	}
	h.want("sdk", "POST", "/v1/events", one, 400, "is not a field of an event") // not said to be one
	if code, body, _ := h.ask("sdk", "POST", "/v1/events", `[{"specversion":"1.0"}]`, "Content-Type", shapes.CloudEventsBatch); code != 400 || !strings.Contains(body, `"field":"type"`) {
		t.Errorf("without a type: %d %s", code, body)
	}
}
