package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/notify"
)

const webhook = `apiVersion: sluice/v1
kind: Webhook
key: release
description: The release channel
url: URL
events: [flag.*, decision.rollback]
environments: [production]
`

// sending gives a house what sends, to receivers on this machine.
func sending(t *testing.T) *house {
	t.Helper()
	allow, err := notify.ParseAllow("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return newHouseWith(t, func(h *House) {
		h.Deliveries = &notify.Sender{
			Log: h.Log, KV: &ingest.MemKV{}, House: h.Projection, State: h.Webhooks, Doors: notify.Open(allow),
			Teller: wordless{}, Secrets: func(string) ([]string, error) { return nil, event.ErrNotFound }, Key: []byte("a key"),
			Base: "https://sluice.example", Now: h.Now, Jitter: func() float64 { return 0 }, Timeout: time.Minute,
		}
	})
}

// wordless tells nothing: these tests are about the doors.
type wordless struct{ notify.Teller }

func (wordless) About(event.Recorded) (notify.About, bool) { return notify.About{}, false }

// TestWebhooks: admins declare them, whoever may read everything sees how they
// go, and nobody sees a secret but those who declare.
func TestWebhooks(t *testing.T) {
	h := sending(t)
	answer := http.StatusOK
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(answer) }))
	t.Cleanup(receiver.Close)
	doc := strings.Replace(webhook, "URL", receiver.URL, 1)
	h.want("editor", "POST", "/api/v1/apply", doc, http.StatusForbidden, "declared by admins")
	h.want("bound", "POST", "/api/v1/apply", doc, http.StatusForbidden, "bound to staging")
	h.want("admin", "POST", "/api/v1/apply", strings.Replace(doc, "[production]", "[moon]", 1), http.StatusBadRequest, `environments[0] \"moon\" is not an environment`)
	h.want("admin", "POST", "/api/v1/apply", strings.Replace(doc, "flag.*", "token.*", 1), http.StatusBadRequest, "is of no family that can be told")
	h.want("admin", "POST", "/api/v1/apply", doc, http.StatusOK, `{"kind":"Webhook","key":"release","change":"created"`)
	h.want("admin", "POST", "/api/v1/apply", doc, http.StatusOK, "unchanged")
	h.want("admin", "POST", "/api/v1/apply?dryRun=true", strings.Replace(doc, "channel", "room", 1), http.StatusOK, "description is now")

	const path = "/api/v1/webhooks/release"
	h.want("viewer", "GET", "/api/v1/webhooks", "", http.StatusOK, `"key":"release"`)
	h.want("viewer", "GET", path, "", http.StatusOK, `"waiting":0,"delivered":0`)
	h.want("bound", "GET", "/api/v1/webhooks", "", http.StatusOK, `"webhooks":[]`)
	h.want("bound", "GET", path, "", http.StatusNotFound, "")
	h.want("viewer", "GET", "/api/v1/webhooks/none", "", http.StatusNotFound, "")
	h.want("viewer", "GET", path+"/deliveries", "", http.StatusOK, `"deliveries":[]`)
	h.want("viewer", "GET", path+"/deliveries/1", "", http.StatusNotFound, "is not one that webhooks are told of")
	h.want("viewer", "GET", path+"/deliveries/999", "", http.StatusBadRequest, "is no delivery")
	h.want("admin", "POST", path+"/deliveries/1/redeliver", "", http.StatusNotFound, "")
	h.want("approver", "GET", path+"/secret", "", http.StatusForbidden, "")
	h.want("admin", "GET", path+"/secret", "", http.StatusOK, "whsec_")
	h.want("approver", "POST", path+"/test", "", http.StatusForbidden, "")
	h.want("admin", "POST", path+"/test", "", http.StatusOK, `"ok":true,"status":200`)
	answer = http.StatusTeapot
	h.want("admin", "POST", path+"/test", "", http.StatusOK, `"why":"it answered 418 I'm a teapot"`)
	h.want("admin", "POST", path+"/resume", "", http.StatusConflict, "is not suspended")
}

// TestWebhooks_ofPlans: a plan names webhooks that are there, and they stay
// while it is under way.
func TestWebhooks_ofPlans(t *testing.T) {
	h := sending(t)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "")
	told := strings.Replace(plan, "rollback: {", "rollback: {notify: [webhook:release], ", 1)
	if told == plan {
		t.Fatal("the plan of the tests has no rollback to add to")
	}
	h.want("editor", "POST", "/api/v1/apply", told, http.StatusBadRequest, `rollback.notify[0] \"webhook:release\" is not a webhook`)
	doc := strings.Replace(webhook, "URL", "https://hooks.example.com", 1)
	h.want("admin", "POST", "/api/v1/apply?start=true", told+"---\n"+doc, http.StatusOK, "production/shop.checkout")
	h.want("admin", "DELETE", "/api/v1/webhooks/release", "", http.StatusConflict, "it is told when production/shop.checkout/1 is rolled back")
	h.want("admin", "POST", "/api/v1/rollouts/production/shop.checkout/1/rollback", `{"comment":"stop"}`, http.StatusOK, "")
	h.want("admin", "DELETE", "/api/v1/webhooks/none", "", http.StatusNotFound, "")
}

// TestWebhooks_elsewhere: a replica that sends nothing says so.
func TestWebhooks_elsewhere(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply", strings.Replace(webhook, "URL", "https://hooks.example.com", 1), http.StatusOK, "")
	h.want("viewer", "GET", "/api/v1/webhooks/release", "", http.StatusOK, `"key":"release"`)
	h.want("viewer", "GET", "/api/v1/webhooks/release/deliveries", "", http.StatusNotFound, "this replica sends nothing")
	h.want("admin", "DELETE", "/api/v1/webhooks/release", "", http.StatusNoContent, "")
	h.want("viewer", "GET", "/api/v1/webhooks/release", "", http.StatusNotFound, "")
}

// TestIncidentsPage_whoIsTold: the page of incidents says how it goes with messages,
// to whoever may read everything.
func TestIncidentsPage_whoIsTold(t *testing.T) {
	h := sending(t)
	h.want("admin", "POST", "/api/v1/apply", strings.Replace(webhook, "URL", "https://hooks.example.com", 1), http.StatusOK, "")
	h.shows("/incidents", http.StatusOK, "Who is told", "release", "Nothing was sent to it yet.")
	if code, body, _ := h.ask("bound", "GET", "/incidents", "", asBrowser...); code != http.StatusOK || strings.Contains(body, "Who is told") {
		t.Errorf("who is bound to staging is told of webhooks: %d", code)
	}
}
