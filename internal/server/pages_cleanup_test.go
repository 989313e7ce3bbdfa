package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// TestCleanupPage ends a flag through its page: what is refused stands there,
// what is done is done once, and the board has it where it belongs.
func TestCleanupPage(t *testing.T) {
	now := start
	h := newHouseWith(t, func(h *House) { h.Now = func() time.Time { return now } })
	h.see("viewer", "/cleanup", http.StatusOK, "No flag has to end")
	h.want("editor", "POST", "/api/v1/apply", documents+rolloutOfAll, http.StatusOK, `"kind":"Rollout"`)
	h.start("production/shop.checkout/1")
	const page = "/cleanup/production/shop.checkout/1"
	h.see("viewer", "/cleanup", http.StatusOK, "while the rollout goes on")
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/rollback", `{"comment":"it was slow"}`, http.StatusOK, "rollback")
	h.step()
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/explain", `{"comment":"a query"}`, http.StatusOK, "")
	now = start.AddDate(0, 0, 45)
	h.step()
	h.see("viewer", "/cleanup", http.StatusOK, "over</bdi>")
	if body := h.see("viewer", page, http.StatusOK, "What to delete where"); strings.Contains(body, "Carry it out") {
		t.Error("a viewer is offered to end the flag")
	}
	if code, _, _ := h.send("viewer", page+"/do", url.Values{}); code != http.StatusForbidden {
		t.Errorf("a viewer ends the flag: %d", code)
	}
	do := h.hidden("approver", page)
	do.Set("endState", "burn")
	if code, body, _ := h.send("approver", page+"/do", do); code != http.StatusBadRequest || !strings.Contains(body, `aria-invalid="true"`) {
		t.Errorf("an end that is none: %d\n%s", code, body)
	}
	do = h.hidden("approver", page)
	do.Set("endState", "remove")
	do.Set("comment", "it is over")
	for range 2 {
		if code, body, header := h.send("approver", page+"/do", do); code != http.StatusSeeOther || header.Get("Location") != page {
			t.Errorf("to end it: %d %s", code, body)
		}
	}
	if f := h.flag("shop.checkout"); f.Comment != "it is over" || f.Environments["production"].Allocation != nil {
		t.Errorf("it leaves %+v", f)
	}
	end := h.hidden("approver", page)
	if code, _, _ := h.send("approver", page+"/close", end); code != http.StatusBadRequest {
		t.Errorf("closed without a word: %d", code)
	}
	end = h.hidden("approver", page)
	end.Set("comment", "no code used it")
	if code, body, _ := h.send("approver", page+"/close", end); code != http.StatusSeeOther {
		t.Errorf("to close it: %d %s", code, body)
	}
	if r := h.newest(); r.CleanupState(now) != decisions.CleanupClosed {
		t.Errorf("the cleanup is %s", r.CleanupState(now))
	}
	h.see("viewer", page, http.StatusOK, "person:approver")
	h.see("bound", page, http.StatusForbidden, "")
	h.see("viewer", "/cleanup/production/none/1", http.StatusNotFound, "nothing of that name")
}
