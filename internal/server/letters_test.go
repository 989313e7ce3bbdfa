package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/ingest"
)

// mailbox is a letterbox and the key of a test.
type mailbox struct{ *ingest.Letterbox }

func (mailbox) Hashed(kind, id string) string {
	return ingest.HashedUnit([]byte("a key of the test"), kind, id)
}

// withLetters gives a house three dead letters, of two environments and of
// none.
func withLetters(h *House) {
	dead := &ingest.MemStream{}
	h.Letters = mailbox{&ingest.Letterbox{Dead: dead, Orders: h.Orders}}
	fact := json.RawMessage(`{"kind":"metric","units":{"user":"` + mailbox{}.Hashed("user", "u-1") + `"}}`)
	data, err := json.Marshal(map[string]any{"letters": []ingest.Letter{
		{ID: "a", Environment: "production", Reason: ingest.UnknownMetric, Name: "puchase", Fact: fact},
		{ID: "b", Environment: "staging", Reason: ingest.UnknownMetric, Name: "visit", Fact: fact},
		{ID: "c", Reason: ingest.Lost},
	}})
	if err == nil {
		_, err = dead.Publish(context.Background(), "1", data)
	}
	if err != nil {
		panic(err) // unreachable: a list of texts, a stream in memory
	}
}

func TestBoundToken_seesDeadLettersOfItsEnvironment(t *testing.T) {
	h := newHouseWith(t, withLetters)
	h.want("viewer", "GET", "/api/v1/dlq", "", http.StatusOK, `"total":3`)
	h.want("bound", "GET", "/api/v1/dlq", "", http.StatusOK, `"total":1,"letters":[{"id":"b"`)
	h.want("bound", "GET", "/api/v1/dlq/letters/a", "", http.StatusNotFound, "")
	h.want("viewer", "GET", "/api/v1/dlq/letters/a", "", http.StatusOK, `"name":"puchase"`)
	h.want("bound", "POST", "/api/v1/dlq/replay", `{"all":true}`, http.StatusForbidden, "bound to staging")
	h.want("editor", "POST", "/api/v1/dlq/purge", `{"all":true}`, http.StatusForbidden, "may not do that")
}

func TestLetters_selected(t *testing.T) {
	h := newHouseWith(t, withLetters)
	for query, want := range map[string]string{
		"reason=lost":                `"total":1,"letters":[{"id":"c"`,
		"name=visit":                 `"total":1,"letters":[{"id":"b"`,
		"environment=production":     `"total":1,"letters":[{"id":"a"`,
		"unit=user/u-1":              `"total":2`,
		"unit=user/u-2":              `"total":0,"letters":[]`,
		"text=PUCH":                  `"total":1`,
		"since=2026-01-01T00:00:00Z": `"total":0`,
	} {
		h.want("viewer", "GET", "/api/v1/dlq?"+query, "", http.StatusOK, want)
	}
	h.want("viewer", "GET", "/api/v1/dlq?unit=u-1", "", http.StatusBadRequest, "is not a kind and an id")
	h.want("viewer", "GET", "/api/v1/dlq?unit="+url.QueryEscape(mailbox{}.Hashed("user", "u-1")), "", http.StatusOK, `"total":2`)
	h.want("viewer", "GET", "/api/v1/dlq?reason=unknown-metric", "", http.StatusBadRequest, "is not a reason")
	h.want("viewer", "GET", "/api/v1/dlq?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "", http.StatusBadRequest, "is not behind since")
	h.want("viewer", "GET", "/api/v1/dlq?cursor=x", "", http.StatusBadRequest, "is not a cursor of this list")
}

// TestLetters_ordered replays and purges: what was ordered no longer waits, and
// stands in the log without the id of a unit.
func TestLetters_ordered(t *testing.T) {
	h := newHouseWith(t, withLetters)
	h.want("editor", "POST", "/api/v1/dlq/replay", `{}`, http.StatusBadRequest, "selects every letter there is")
	h.want("editor", "POST", "/api/v1/dlq/replay", `{"reason":"lost"}`, http.StatusBadRequest, "selects no letter")
	h.want("editor", "POST", "/api/v1/dlq/replay", `{"unit":"user/u-1","environment":"staging","comment":"declared"}`, http.StatusOK, `"letters":1`)
	h.want("viewer", "GET", "/api/v1/dlq", "", http.StatusOK, `"total":2`)
	h.want("admin", "POST", "/api/v1/dlq/purge", `{"ids":["c"]}`, http.StatusOK, `"replay":false`)
	h.want("viewer", "GET", "/api/v1/dlq", "", http.StatusOK, `"total":1,"letters":[{"id":"a"`)
	h.want("viewer", "GET", "/api/v1/dlq/orders?limit=1", "", http.StatusOK, `"actor":"person:admin"`)
	h.want("bound", "GET", "/api/v1/dlq/orders", "", http.StatusOK, `"orders":[]`)
	if log := h.want("admin", "GET", "/api/v1/audit", "", http.StatusOK, "letters.replayed"); strings.Contains(log, "u-1") {
		t.Errorf("the log holds the id of a unit: %s", log)
	}
}

func TestLetters_elsewhere(t *testing.T) {
	h := newHouse(t)
	h.want("viewer", "GET", "/api/v1/dlq", "", http.StatusNotFound, "knows no dead letters")
	h.want("admin", "POST", "/api/v1/dlq/purge", `{"all":true}`, http.StatusNotFound, "knows no dead letters")
}
