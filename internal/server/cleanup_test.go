package server

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

const cleanup = "/api/v1/cleanup/production/shop.checkout/1"

// TestCleanup ends a flag whose rollout was rolled back: what speaks against it,
// the end state with its cause, the ticket, and the archive that closes it.
func TestCleanup(t *testing.T) {
	now := start
	h := newHouseWith(t, func(h *House) { h.Now = func() time.Time { return now } })
	h.want("editor", "POST", "/api/v1/apply", documents+rolloutOfAll, http.StatusOK, `"kind":"Rollout"`)
	h.want("viewer", "GET", cleanup, "", http.StatusOK, `"state":"open"`)
	h.start("production/shop.checkout/1")
	h.want("approver", "POST", cleanup+"/do", `{}`, http.StatusConflict, "production/shop.checkout/1 is running")
	h.want("approver", "POST", cleanup+"/close", `{"comment":"x"}`, http.StatusConflict, "is running")
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/rollback", `{"comment":"it was slow"}`, http.StatusOK, "rollback")
	h.step()
	v := decode[CleanupView](h, "viewer", cleanup)
	if v.State != decisions.CleanupWaiting || v.EndState != flags.Remove || v.Winner != "off" || v.Due == nil || !v.Due.Equal(start.AddDate(0, 0, 30)) || v.Readiness.State != decisions.Blocked {
		t.Errorf("got %+v", v)
	}
	h.want("approver", "POST", cleanup+"/do", `{"reason":"never mind"}`, http.StatusConflict, "sluice decide explain")
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/explain", `{"comment":"a query"}`, http.StatusOK, "")

	h.want("editor", "POST", "/api/v1/references", `{"repository":"github.com/acme/shop","revision":"abc","references":[{"flag":"shop.checkout","path":"pay.go","line":7}]}`, http.StatusOK, "created")
	_, ticket, header := h.ask("viewer", "GET", cleanup+"/ticket", "")
	if !strings.HasPrefix(header.Get("Content-Type"), "text/markdown") || !strings.Contains(ticket, "- [ ] `pay.go:7`") || !strings.Contains(ticket, "delete what is done for `on` (value `true`)") {
		t.Errorf("the ticket: %s", ticket)
	}

	now = start.AddDate(0, 0, 45)
	h.step()
	h.want("viewer", "GET", "/api/v1/cleanup?state=due&environment=production", "", http.StatusOK, `"reminded":3`)
	h.want("viewer", "GET", "/api/v1/cleanup?state=closed", "", http.StatusOK, `"cleanups":[]`)
	h.want("viewer", "GET", "/api/v1/cleanup?environment=moon", "", http.StatusBadRequest, "environment")
	if d := decode[DebtView](h, "viewer", "/api/v1/cleanup/debt?weeks=4"); len(d.Weeks) != 4 || d.Weeks[3].Flags != 1 || d.Weeks[3].Oldest != 15 || d.Weeks[0].Flags != 0 || len(d.Debts) != 1 {
		t.Errorf("debt %+v", d)
	}
	if d := decode[DebtView](h, "bound", "/api/v1/cleanup/debt"); len(d.Debts) != 0 {
		t.Errorf("staging sees the debt of production: %+v", d)
	}

	h.want("editor", "POST", cleanup+"/do", `{}`, http.StatusForbidden, "")
	h.want("approver", "POST", cleanup+"/do", `{"endState":"burn"}`, http.StatusBadRequest, "is not an end state")
	got := h.want("approver", "POST", cleanup+"/do", `{"comment":"it is over"}`, http.StatusOK, `"carried"`)
	if f := h.flag("shop.checkout"); f.Default != "off" || f.Environments["production"].Allocation != nil || f.Environments["production"].Forced != nil || f.Comment != "it is over" {
		t.Errorf("it leaves %+v: %s", f, got)
	}
	h.want("viewer", "GET", "/api/v1/verify", "", http.StatusOK, `"whole":true`)
	h.want("approver", "POST", "/api/v1/flags/shop.checkout/archive", `{"comment":"no code uses it"}`, http.StatusOK, "")
	h.step()
	h.want("viewer", "GET", "/api/v1/cleanup?state=closed", "", http.StatusOK, `"how":"archived"`)
	h.want("approver", "POST", cleanup+"/close", `{"comment":"x"}`, http.StatusConflict, "is closed")
	h.want("approver", "POST", cleanup+"/do", `{}`, http.StatusConflict, "is closed")
	h.want("viewer", "GET", "/api/v1/cleanup/production/shop.checkout/9", "", http.StatusNotFound, "")
	h.want("viewer", "GET", "/api/v1/cleanup/production/shop.checkout/9/ticket", "", http.StatusNotFound, "")
	h.want("viewer", "GET", "/api/v1/cleanup/production/shop.checkout/x/ticket", "", http.StatusNotFound, "")
	h.want("approver", "POST", "/api/v1/cleanup/production/shop.checkout/9/do", `{}`, http.StatusNotFound, "")
}

// TestCleanup_byHandAndBound: who may decide in one environment alone
// does not change the default of all.
func TestCleanup_byHandAndBound(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents+rolloutOfAll, http.StatusOK, `"kind":"Rollout"`)
	h.start("production/shop.checkout/1")
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/rollback", `{"comment":"no"}`, http.StatusOK, "")
	h.step()
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/explain", `{"comment":"a query"}`, http.StatusOK, "")
	keep := `{"endState":"keep","why":"a kill switch","review":"2027-06-30","reason":"x"}`
	h.want("home", "POST", cleanup+"/do", keep, http.StatusForbidden, "bound to production")
	h.want("home", "POST", cleanup+"/do", `{}`, http.StatusOK, `"carried"`)
	h.want("approver", "POST", cleanup+"/close", `{"comment":" "}`, http.StatusBadRequest, "comment")
	h.want("approver", "POST", cleanup+"/close", `{"comment":"it never was in the code"}`, http.StatusOK, `"how":"person"`)
}

// agreement is a policy that lets nobody change flags of production alone.
const agreement = "apiVersion: sluice/v1\nkind: Policy\nkey: four-eyes\nmatch: {environments: [production]}\nflags: {approvals: {count: 1}}\n"

// TestCleanup_agreement: the plan's own end was agreed to with the plan; another
// one asks for as much agreement as any change does.
func TestCleanup_agreement(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents+rolloutOfAll, http.StatusOK, `"kind":"Rollout"`)
	h.start("production/shop.checkout/1")
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/rollback", `{"comment":"no"}`, http.StatusOK, "")
	h.step()
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/explain", `{"comment":"a query"}`, http.StatusOK, "")
	h.want("admin", "POST", "/api/v1/apply", agreement, http.StatusOK, "created")
	h.want("approver", "POST", cleanup+"/do", `{"endState":"keep","why":"a kill switch","review":"2027-06-30"}`, http.StatusConflict, "/problems/approval")
	h.want("approver", "POST", cleanup+"/do", `{}`, http.StatusOK, `"carried"`)
}
