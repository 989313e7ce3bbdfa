package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestFlagTabs: every view of a flag says what the call of the API says.
func TestFlagTabs(t *testing.T) {
	h := shop(t)
	h.want("approver", "PATCH", "/api/v1/flags/shop.checkout", `{"comment":"for staff alone","changes":[{"op":"set-description","description":"One-tap payment"}]}`, 200, "")
	for path, want := range map[string][]string{
		"?tab=history": {"for staff alone", "description", "restore this revision"},
		"?tab=explain&environment=production&unit=u-1&attributes=ring%3Dinternal": {`action="/events/unit" method="post"><input type="hidden" name="environment" value="production"><input type="hidden" name="flag" value="shop.checkout"><input type="hidden" name="kind" value="user"><input type="hidden" name="id" value="u-1">`, "the condition is met", "ring eq internal", "<code><bdi>true</bdi></code>", `it is "internal"`, "sluice explain shop.checkout -e production -u u-1 'ring=internal'"},
		"?tab=explain&environment=production&unit=u-1&at=1":                       {"is before flag shop.checkout was created"},
		"?tab=explain":      {"Id of the user"},
		"?tab=health":       {"No rollout and no alert looks after it", "nobody has ever told of one here", "None looks after it", "this replica counts no evaluations", `href="/incidents?environment=production&flag=shop.checkout"`},
		"?tab=evaluations":  {"this replica counts no evaluations"},
		"?tab=code":         {"No source tree was scanned", "sluice refs scan"},
		"?tab=dependencies": {"It needs nothing there"},
		"?tab=waiting":      {"Nothing was proposed lately", "Nothing is scheduled"},
	} {
		h.sees("editor", pageOfFlag+path, want...)
	}
	for _, tab := range []string{"history", "explain"} {
		code, _, header := h.ask("viewer", "GET", pageOfFlag+"/"+tab+"?unit=u-1", "", asBrowser...)
		if to := header.Get("Location"); code != 303 || !strings.Contains(to, "tab="+tab) || !strings.Contains(to, "unit=u-1") {
			t.Errorf("%s leads to %d %s", tab, code, to)
		}
	}
	if code, _, _ := h.ask("home", "GET", pageOfFlag+"?tab=explain&environment=staging&unit=u", "", asBrowser...); code != http.StatusForbidden {
		t.Errorf("who is bound to production looks into staging: %d", code)
	}
}

// TestFlagUse: what was counted is drawn.
func TestFlagUse(t *testing.T) {
	use := known{"production": {Asked: start, Since: start.AddDate(0, -1, 0)}}
	h := shop(t, func(h *House) { h.Usage = use })
	h.sees("viewer", "/flags", start.UTC().Format("2006-01-02 15:04:05"))
	h.sees("viewer", pageOfFlag+"?tab=evaluations&environment=production&days=7", "No evaluation was counted", start.UTC().Format("2006-01-02 15:04:05"))
}

// TestScheduledPages: a change is put off by the page before it, and taken back
// where it waits.
func TestScheduledPages(t *testing.T) {
	h := shop(t)
	code, _, header := h.changes("editor", pageOfFlag+"/edit?environment=production", "set-owner-0", url.Values{"owner": {"pay-team"}}, url.Values{"comment": {"at the weekend"}, "at": {"2036-11-28T10:00"}})
	if code != 303 || !strings.Contains(header.Get("Location"), "tab=waiting") || h.flag("shop.checkout").Owner != "shop-team" {
		t.Fatalf("to put it off: %d %s", code, header.Get("Location"))
	}
	body := h.sees("editor", pageOfFlag+"?tab=waiting", "at the weekend", "set owner pay-team", "2036-11-28 10:00:00")
	h.sees("editor", pageOfFlag, "set owner pay-team")
	to := strings.Split(strings.SplitAfter(body, `id="cancel-0" action="`)[1], `"`)[0]
	if code, _, _ := h.send("editor", to, fields(body, "cancel-0")); code != 303 {
		t.Errorf("to take it back: %d", code)
	}
	h.sees("editor", pageOfFlag+"?tab=waiting", "withdrawn")
	code, body, _ = h.changes("editor", pageOfFlag+"/edit?environment=production", "set-owner-0", url.Values{"owner": {"pay-team"}}, url.Values{"comment": {"x"}, "at": {"2001-01-01T10:00"}})
	h.holds("a moment that is past", code, 400, body, "do-at-fault")
}

const fourEyes = `apiVersion: sluice/v1
kind: Policy
key: four-eyes
match: {environments: [production]}
flags: {require: [why], approvals: {count: 1, role: approver}}
`

// TestRequestPages: where others have to agree the same form files a request;
// they agree on its page, and then it is made.
func TestRequestPages(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", fourEyes, 200, "created")
	const edit = pageOfFlag + "/edit?environment=production"
	sent := fields(h.sees("editor", edit), "set-default-0")
	sent.Set("variant", "on")
	code, body, _ := h.send("editor", pageOfFlag+"/edit", sent)
	h.holds("the page before", code, 200, body, "Others have to agree first", "1 approval (approver, production)", "File a change request", "1,000 get another variant")
	code, refused, _ := h.saves("editor", body, url.Values{"comment": {" "}})
	h.holds("without a comment, which the policy asks for", code, 400, refused, "do-comment-fault")
	code, _, header := h.saves("editor", body, url.Values{"comment": {"ready"}})
	page := header.Get("Location")
	if code != 303 || !strings.HasPrefix(page, pageOfFlag+"/requests/") {
		t.Fatalf("to file it: %d %s", code, page)
	}
	h.sees("viewer", "/requests", "shop.checkout", "set default on", "1 approval (approver, production), 0 given")
	mine := h.sees("editor", page, "ready", "1,000 get another variant")
	code, refused, _ = h.send("editor", page+"/apply", fields(mine, "apply"))
	h.holds("to apply it too early", code, 409, refused, "1 approval")
	theirs := h.sees("approver", page)
	if strings.Contains(theirs, `id="withdraw"`) || strings.Contains(mine, `id="approve"`) {
		t.Error("somebody is offered what would be refused")
	}
	if code, _, _ := h.send("approver", page+"/approve", fields(theirs, "approve")); code != 303 {
		t.Errorf("to approve: %d", code)
	}
	h.sees("viewer", page, "person:approver", "1 given")
	apply := fields(h.sees("editor", page), "apply")
	for range 2 {
		if code, _, _ := h.send("editor", page+"/apply", apply); code != 303 || h.flag("shop.checkout").Default != "on" {
			t.Errorf("to apply: %d", code)
		}
	}
	h.sees("viewer", "/requests", "Nothing waits for others to agree")
	h.sees("viewer", page, "done")
	if code, _, _ := h.send("approver", page+"/dance", nil); code != 404 {
		t.Errorf("an operation that is none: %d", code)
	}
	if f := h.flag("shop.checkout"); f.Default != "on" || f.Actor == "" {
		t.Errorf("the flag is %+v", f)
	}
}
