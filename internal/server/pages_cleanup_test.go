package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestCleanupPages follows a flag from a rollout under way to its end, by forms.
func TestCleanupPages(t *testing.T) {
	now := start
	h := newHouseWith(t, func(h *House) { h.Now = func() time.Time { return now } })
	h.see("viewer", "/cleanup", http.StatusOK, "No flag has to end yet")
	h.want("editor", "POST", "/api/v1/apply", documents+rolloutOfAll, http.StatusOK, `"kind":"Rollout"`)
	h.start("production/shop.checkout/1")
	const one = "/cleanup/production/shop.checkout/1"
	h.see("viewer", "/cleanup", http.StatusOK, "production/shop.checkout/1 is running")
	h.see("approver", one+"/do", http.StatusConflict, "production/shop.checkout/1 is running")
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/rollback", `{"comment":"it was slow"}`, http.StatusOK, "rollback")
	h.step()
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/explain", `{"comment":"a query"}`, http.StatusOK, "")
	h.want("editor", "POST", "/api/v1/references", `{"repository":"github.com/acme/shop","revision":"abc","references":[{"flag":"shop.checkout","path":"pay.go","line":7}]}`, http.StatusOK, "created")
	now = start.AddDate(0, 0, 45)
	h.step()
	h.see("viewer", "/cleanup?environment=production&weeks=26", http.StatusOK, "1 flag is past due, the oldest for 15")
	h.see("viewer", "/cleanup?weeks=0", http.StatusBadRequest, "is no number of weeks")
	h.see("viewer", "/cleanup?environment=moon", http.StatusBadRequest, "is not an environment")
	if body := h.see("bound", "/cleanup", http.StatusOK, "No flag has to end yet"); strings.Contains(body, "shop.checkout") {
		t.Error("staging sees what production ends")
	}
	body := h.see("viewer", one, http.StatusOK, "pay.go:7")
	if strings.Contains(body, "<form class=\"form") {
		t.Error("a viewer is offered to end it")
	}
	h.see("viewer", one+"/do", http.StatusForbidden, "")
	h.see("bound", one, http.StatusForbidden, "")
	h.see("approver", one+"/do?endState=keep", http.StatusBadRequest, "say why the flag stays")
	h.see("approver", one+"/do?endState=burn", http.StatusBadRequest, "is not an end state")
	h.see("approver", one+"/do?endState=remove&reason=it+is+known", http.StatusOK, "End it")

	form := h.hidden("approver", one+"/do?endState=remove&reason=it+is+known")
	form.Set("comment", "it is over")
	before := h.events()
	for range 2 {
		if code, body, header := h.send("approver", one+"/do", form); code != http.StatusSeeOther || header.Get("Location") != one {
			t.Fatalf("to end it: %d %s", code, body)
		}
	}
	if f := h.flag("shop.checkout"); f.Default != "off" || !strings.HasPrefix(f.Comment, "it is over") || h.events() != before+1 {
		t.Errorf("it leaves %+v after %d events", f, h.events()-before)
	}
	if code, _, _ := h.send("viewer", one+"/close", url.Values{"comment": {"so"}}); code != http.StatusForbidden {
		t.Errorf("a viewer closes it: %d", code)
	}
	if code, body, _ := h.send("approver", one+"/close", url.Values{"comment": {" "}}); code != http.StatusBadRequest || !strings.Contains(body, `aria-invalid="true"`) {
		t.Errorf("closed for no reason: %d %s", code, body)
	}
	if code, _, _ := h.send("approver", one+"/close", url.Values{"comment": {"no code uses it"}}); code != http.StatusSeeOther {
		t.Errorf("to close it: %d", code)
	}
	h.see("viewer", "/cleanup", http.StatusOK, "closed by hand by person:approver: no code uses it")
	if code, body, _ := h.send("approver", one+"/do", form); code != http.StatusSeeOther && code != http.StatusConflict {
		t.Errorf("ended when it is closed: %d %s", code, body)
	}
	h.see("viewer", "/cleanup/production/shop.checkout/9", http.StatusNotFound, "")
}
