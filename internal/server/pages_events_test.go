package server

import (
	"net/http"
	"strings"
	"testing"
)

// TestEventsPage: what was turned away is there without a script, with why and
// what to do; of the rest, the address of the stream.
func TestEventsPage(t *testing.T) {
	h := clocked(t)
	h.issueKeys()
	h.see("viewer", "/events", http.StatusOK, "sluice events send -e production --exposure shop.checkout --unit user=u-1")
	h.want("sdk", "POST", "/v1/events", "["+purchase("puchase")+","+met("shop.chekout")+"]", http.StatusAccepted, `"deadLetters":1`)
	body := h.see("viewer", "/events", http.StatusOK, `data-tail="/api/v1/events/tail?environment=production"`)
	for _, want := range []string{"puchase", "is not a flag of production", "declare a metric that uses it", "Bearer sls_…", h.URL + "/v1/events?environment=production"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	if body := h.see("viewer", "/events?verdict=rejected&unit=", http.StatusOK, "is not a flag of production"); strings.Contains(body, "declare a metric") {
		t.Error("the filter is not followed")
	}
	if body := h.see("shop", "/events", http.StatusOK, "Events"); strings.Contains(body, "puchase") {
		t.Error("whoever sees a few flags sees events that have none")
	}
	h.see("viewer", "/events?environment=staging", http.StatusOK, "Nothing was turned away lately")
	h.see("bound", "/events", http.StatusOK, "events/tail?environment=staging")
	h.see("bound", "/events?environment=production", http.StatusForbidden, "")
	h.see("viewer", "/events?verdict=odd", http.StatusBadRequest, "is no verdict")
	h.see("viewer", "/events?environment=moon", http.StatusBadRequest, "is not an environment")
	for range 32 {
		h.listening(t, "viewer", tails)
	}
	h.see("viewer", "/events", http.StatusOK, "enough people listen")
	newHouse(t).see("viewer", "/events", http.StatusOK, "takes no events")
}
