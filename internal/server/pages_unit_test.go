package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/ingest"
)

// TestUnitPage follows a unit by its id, which stands in no address, and by its
// hash, which does.
func TestUnitPage(t *testing.T) {
	h := newHouseWith(t, func(h *House) { withLetters(h); h.Units = memUnits{} })
	h.see("viewer", "/events/unit", http.StatusOK, "sluice units trace u-17 --kind user -e production --flag shop.checkout")
	h.want("editor", "POST", "/api/v1/apply", documents+rolloutOfAll, http.StatusOK, `"kind":"Rollout"`)
	ask := url.Values{"environment": {"production"}, "flag": {"shop.checkout"}, "kind": {"user"}, "id": {"u-1"}, "attributes": {"plan=pro\nseats=5"}}
	sent := func(who string, change ...string) (int, string) {
		form := url.Values{}
		for name, v := range ask {
			form[name] = v
		}
		for i := 0; i < len(change); i += 2 {
			form.Set(change[i], change[i+1])
		}
		code, body, _ := h.send(who, "/events/unit", form)
		return code, strings.ReplaceAll(body, "<wbr>", "")
	}
	if code, body := sent("viewer"); code != http.StatusOK || !strings.Contains(body, "has not begun") || !strings.Contains(body, "What it gets now") {
		t.Errorf("before the start: %d %s", code, body)
	}
	h.start("production/shop.checkout/1")
	hash := ingest.UnitText(memUnits{}.Hash("user", "u-1"))
	code, body := sent("viewer")
	for _, want := range []string{"The unit is in no arm of production/shop.checkout/1", "Bucket of", hash, "puchase"} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d, without %q: %s", code, want, body)
		}
	}
	if strings.Contains(body, `href="/events/unit?environment=production&amp;flag=shop.checkout&amp;kind=user&amp;unit=u-1`) || strings.Contains(body, "/events/unit/deletion") {
		t.Error("an address holds the id, or a viewer is offered to delete")
	}
	by := "/events/unit?environment=production&flag=shop.checkout&kind=user&unit="
	h.see("viewer", by+url.QueryEscape(hash), http.StatusOK, "By its hash a unit cannot be evaluated")
	h.see("viewer", by, http.StatusOK, `value="shop.checkout"`)
	h.see("viewer", by+"u-1", http.StatusBadRequest, "stands in an address")
	h.see("bound", by+url.QueryEscape(hash), http.StatusForbidden, "bound to staging")
	for _, c := range []struct {
		name, value, why string
		code             int
	}{
		{"flag", "shop.none", "nothing of that name", http.StatusNotFound}, {"number", "9", "nothing of that name", http.StatusNotFound}, {"number", "first", "is no number of a rollout", http.StatusBadRequest},
		{"id", "", "name the unit by its id", http.StatusBadRequest}, {"kind", "a user", "kind", http.StatusBadRequest}, {"environment", "moon", "is not an environment", http.StatusBadRequest},
	} {
		if code, body := sent("viewer", c.name, c.value); code != c.code || !strings.Contains(body, c.why) {
			t.Errorf("%s %q: %d, want %d with %q", c.name, c.value, code, c.code, c.why)
		}
	}
	if code, body := sent("viewer", "kind", "workspace"); code != http.StatusOK || !strings.Contains(body, "counts units of the kind user") {
		t.Errorf("a unit of another kind: %d %s", code, body)
	}
	newHouse(t).want("viewer", "POST", "/api/v1/units/traces", `{"kind":"user","id":"u-1","environment":"production","flag":"shop.checkout"}`, http.StatusNotFound, "knows no units")
}

// TestUnitPage_data exports and deletes what is kept of a unit: what is deleted
// is said before, and done once.
func TestUnitPage_data(t *testing.T) {
	h := newHouseWith(t, func(h *House) { withLetters(h); h.Units = memUnits{} })
	h.want("admin", "POST", "/api/v1/apply", documents+"---\n"+listOfUnits, http.StatusOK, "created")
	unit := url.Values{"kind": {"user"}, "id": {"u-secret"}}
	for _, path := range []string{"/events/unit/export", "/events/unit/deletion", "/events/unit/deletions"} {
		if code, _, _ := h.send("approver", path, unit); code != http.StatusForbidden {
			t.Errorf("%s as an approver: %d", path, code)
		}
	}
	code, body, header := h.send("admin", "/events/unit/export", unit)
	if code != http.StatusOK || !strings.Contains(header.Get("Content-Disposition"), "unit.json") || !strings.Contains(body, `"mentions":[{"kind":"segment"`) {
		t.Errorf("exported: %d %s", code, body)
	}
	code, body, _ = h.send("admin", "/events/unit/deletion", unit)
	for _, want := range []string{"Delete them for good", "/segments/beta", "until their messages are purged"} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d, without %q: %s", code, want, body)
		}
	}
	unit.Set(formKey, newFormKey())
	unit.Set("comment", "u-secret asked us")
	if code, body, _ := h.send("admin", "/events/unit/deletions", unit); code != http.StatusBadRequest || !strings.Contains(body, `aria-invalid="true"`) {
		t.Errorf("a comment that names the unit: %d %s", code, body)
	}
	unit.Set(formKey, newFormKey())
	unit.Set("comment", "case 4711")
	before := h.events()
	for range 2 {
		if code, body, header := h.send("admin", "/events/unit/deletions", unit); code != http.StatusSeeOther || header.Get("Location") != "/events/unit" {
			t.Fatalf("to delete: %d %s", code, body)
		}
	}
	if n := h.events() - before; n != 1 {
		t.Errorf("%d events are recorded", n)
	}
	if body := h.see("admin", "/events/unit", http.StatusOK, "case 4711"); strings.Contains(body, "u-secret") {
		t.Error("the list names the unit")
	}
	if code, _, _ := h.send("admin", "/events/unit/export", url.Values{"kind": {"user"}}); code != http.StatusBadRequest {
		t.Errorf("nobody is exported: %d", code)
	}
}
