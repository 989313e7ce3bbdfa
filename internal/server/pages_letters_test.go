package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestLettersPages: dead letters are found, looked at, and ordered about from a
// page that says before what it is about; what is ordered twice is done once.
func TestLettersPages(t *testing.T) {
	h := newHouseWith(t, withLetters)
	body := h.see("viewer", "/events/letters", http.StatusOK, "3\u00a0dead letters wait.")
	if strings.Contains(body, "/events/letters/replay") || !strings.Contains(body, "Declare a metric that uses it, then send the dead letter again.") {
		t.Error("a viewer is offered an order, or not told what to do")
	}
	for query, want := range map[string]string{"reason=lost": ">c<", "unit=user%2Fu-1&name=visit": ">b<", "text=none": "No dead letter fits", "since=2026-01-01T00:00": "No dead letter fits"} {
		h.see("viewer", "/events/letters?"+query, http.StatusOK, want)
	}
	if body := h.see("bound", "/events/letters", http.StatusOK, ">b<"); strings.Contains(body, ">a<") {
		t.Error("staging sees letters of production")
	}
	h.see("bound", "/events/letters?environment=production", http.StatusForbidden, "")
	h.see("viewer", "/events/letters?since=yesterday", http.StatusBadRequest, "is not a time")
	h.see("viewer", "/events/letters?reason=odd", http.StatusBadRequest, "is not a reason")
	h.see("viewer", "/events/letters/a", http.StatusOK, "hash:")
	h.see("bound", "/events/letters/a", http.StatusNotFound, "nothing of that name")
	h.see("viewer", "/events/letters/replay?all=true", http.StatusForbidden, "")
	h.see("editor", "/events/letters/purge?all=true", http.StatusForbidden, "")
	h.see("editor", "/events/letters/replay?id=c", http.StatusOK, "can be sent again")

	const replay = "/events/letters/replay"
	form := h.hidden("editor", replay+"?name=puchase")
	form.Set("comment", "declared")
	for range 2 {
		if code, body, header := h.send("editor", replay, form); code != http.StatusSeeOther || header.Get("Location") != "/events/letters" {
			t.Fatalf("to send them again: %d %s", code, body)
		}
	}
	if orders := h.Orders.All(); len(orders) != 1 || orders[0].Letters != 1 || orders[0].Comment != "declared" {
		t.Errorf("ordered: %+v", orders)
	}
	h.see("admin", "/events/letters", http.StatusOK, "1 letter being sent again")
}

// TestLettersPages_refuse: an order about other letters than were seen is
// refused, with what is so now.
func TestLettersPages_refuse(t *testing.T) {
	h := newHouseWith(t, withLetters)
	const purge = "/events/letters/purge"
	seen := h.hidden("admin", purge+"?all=true")
	h.want("admin", "POST", "/api/v1/dlq/purge", `{"ids":["c"]}`, http.StatusOK, "")
	code, body, _ := h.send("admin", purge, seen)
	if code != http.StatusConflict || !strings.Contains(body, "it would be about 2 letters, and 3 were seen") || !strings.Contains(body, `name="seen" value="2"`) {
		t.Errorf("what was not seen is purged: %d %s", code, body)
	}
	if code, _, _ := h.send("admin", purge, url.Values{"since": {"soon"}}); code != http.StatusBadRequest {
		t.Errorf("a time that is none: %d", code)
	}
	h.want("viewer", "GET", "/api/v1/dlq/preview?id=a&id=b&replay=true", "", http.StatusOK, `"selected":2,"letters":2`)
	h.want("bound", "GET", "/api/v1/dlq/preview", "", http.StatusOK, `"selected":1,"letters":1`)
	h.want("viewer", "GET", "/api/v1/dlq/preview?reason=odd", "", http.StatusBadRequest, "is not a reason")
	newHouse(t).see("viewer", "/events/letters", http.StatusNotFound, "knows no dead letters")
}
