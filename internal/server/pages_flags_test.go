package server

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/flags"
)

const pageOfFlag = "/flags/shop.checkout"

// fields returns the hidden fields of a form that an answer holds, by its id.
func fields(body, form string) url.Values {
	_, body, _ = strings.Cut(body, `id="`+form+`"`)
	body, _, _ = strings.Cut(body, "</form>")
	out := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`).FindAllStringSubmatch(body, -1) {
		out.Set(m[1], html.UnescapeString(m[2]))
	}
	return out
}

// sees complains when a page is not there, or does not hold the texts.
func (h *house) sees(who, path string, texts ...string) string {
	h.t.Helper()
	code, body, _ := h.ask(who, "GET", path, "", asBrowser...)
	h.holds(path, code, http.StatusOK, body, texts...)
	return body
}

// holds complains about another status, or an answer without the texts.
func (h *house) holds(what string, code, want int, body string, texts ...string) {
	h.t.Helper()
	read := strings.NewReplacer("<wbr>", "", "\u00a0", " ", "\u202f", " ").Replace(html.UnescapeString(body))
	for _, text := range texts {
		if !strings.Contains(read, text) {
			h.t.Errorf("%s does not say %q: %q", what, text, faultsOn(body))
		}
	}
	if code != want {
		h.t.Errorf("%s: %d, want %d: %q", what, code, want, faultsOn(body))
	}
}

// faultsOn returns what a page says is refused.
func faultsOn(body string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`<p(?: class="fault"[^>]*)?><bdi>([^<]*)</bdi></p>`).FindAllStringSubmatch(body, -1) {
		out = append(out, html.UnescapeString(m[1]))
	}
	return out
}

// changes fills a form of a page in, sends it, and saves what it leads to.
func (h *house) changes(who, page, form string, answers, save url.Values) (int, string, http.Header) {
	h.t.Helper()
	sent := fields(h.sees(who, page), form)
	for name, v := range answers {
		sent[name] = v
	}
	path, _, _ := strings.Cut(page, "?")
	code, body, _ := h.send(who, path, sent)
	if code != http.StatusOK {
		h.t.Fatalf("%s: the page before: %d %q", form, code, faultsOn(body))
	}
	return h.saves(who, body, save)
}

// saves sends the form of a page before a change.
func (h *house) saves(who, body string, save url.Values) (int, string, http.Header) {
	h.t.Helper()
	do := fields(body, "do")
	for name, v := range save {
		do[name] = v
	}
	to := regexp.MustCompile(`id="do" action="([^"]+)"`).FindStringSubmatch(body)
	if to == nil {
		h.t.Fatalf("there is no form to save with: %.1500s", body)
	}
	return h.send(who, to[1], do)
}

func TestFlagPages(t *testing.T) {
	h := shop(t)
	h.sees("viewer", "/flags", "shop.checkout", "1 rule; all others get off", "health unknown")
	h.sees("viewer", "/flags?owner=nobody", "No flag matches")
	h.sees("viewer", pageOfFlag, "ring is internal", "everybody else", "default and safe")
	if body := h.sees("viewer", pageOfFlag); strings.Contains(body, "/edit") || strings.Contains(body, "/do/") {
		t.Error("a viewer is offered what he may not do")
	}
	h.sees("approver", pageOfFlag, "/flags/shop.checkout/edit", "/do/disable?environment=production")
	for path, want := range map[string]int{"/flags/none": 404, "/flags/shop.checkout?tab=none": 404, "/flags?purpose=x&cursor=nonsense": 400, "/flags/none/edit": 404} {
		if code, _, _ := h.ask("editor", "GET", path, "", asBrowser...); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
}

// TestEditor: a form of the editor changes nothing before its page is saved,
// and then once.
func TestEditor(t *testing.T) {
	h := shop(t)
	rule := url.Values{"rule.name": {"beta"}, "rule.attribute": {"plan"}, "rule.operator": {"in"}, "rule.values": {"pro\nteam"}, "rule.serve": {"on 30, off 70"}, "place": {"1"}}
	sent := fields(h.sees("editor", pageOfFlag+"/edit?environment=production", "Add a rule", "kind: Flag"), "add-rule-0")
	for name, v := range rule {
		sent[name] = v
	}
	before := h.events()
	code, body, _ := h.send("editor", pageOfFlag+"/edit", sent)
	h.holds("the page before", code, 200, body, "rule beta added in place 1", "made-up units", "with attributes that conditions ask for (plan, ring)", "sluice change make")
	if h.events() != before {
		t.Fatal("looking changed something")
	}
	do := fields(body, "do")
	code, body, _ = h.send("editor", pageOfFlag+"/save", do)
	h.holds("without a comment", code, 303, body) // no policy asks for one here
	for range 2 {
		code, _, header := h.send("editor", pageOfFlag+"/save", do)
		if code != 303 || header.Get("Location") != pageOfFlag {
			t.Errorf("to save again: %d", code)
		}
	}
	if h.events() != before+1 {
		t.Errorf("%d events, want one", h.events()-before)
	}
	f := h.flag("shop.checkout")
	if r := f.Environments["production"].Rules[0]; r.Name != "beta" || r.When.String() != "plan in [pro team]" || len(r.Split) != 2 || r.Split[0].Weight != 30000 {
		t.Errorf("the rule is %+v", r)
	}
	stale := url.Values{"wanted": do["wanted"], "seen": do["seen"], "comment": {"again"}, "name": {"Change"}}
	if code, _, _ := h.send("editor", pageOfFlag+"/save", stale); code != http.StatusPreconditionFailed {
		t.Errorf("what was seen is old: %d", code)
	}
}

// TestEditor_everyForm: each operation of the editor arrives as it was written.
func TestEditor_everyForm(t *testing.T) {
	h := shop(t)
	const edit = pageOfFlag + "/edit?environment=production"
	why := url.Values{"comment": {"because"}}
	for _, c := range []struct {
		form    string
		answers url.Values
		done    func(f flags.Recorded) bool
	}{
		{"change-rule-0", url.Values{"rule.name": {"staff"}, "rule.when": {"all:\n  - {attribute: ring, op: eq, value: internal}\n  - {attribute: age, op: gt, value: 3}"}, "rule.serve": {"on"}, "rule.until": {"2027-01-31"}},
			func(f flags.Recorded) bool { return len(f.Environments["production"].Rules[0].When.All) == 2 }},
		{"add-units-0", url.Values{"variant": {"on"}, "units": {"ana\nben, eve"}}, func(f flags.Recorded) bool { return len(f.Environments["production"].Targets[0].Units) == 3 }},
		{"remove-units-0", url.Values{"units": {"ben"}}, func(f flags.Recorded) bool { return len(f.Environments["production"].Targets[0].Units) == 2 }},
		{"set-owner-0", url.Values{"owner": {"pay-team"}}, func(f flags.Recorded) bool { return f.Owner == "pay-team" }},
		{"add-tag-0", url.Values{"tag": {"payments"}}, func(f flags.Recorded) bool { return f.Tags[0] == "payments" }},
		{"set-cleanup-0", url.Values{"cleanup.endState": {"keep"}, "cleanup.why": {"a control"}, "cleanup.review": {"2027-06-30"}}, func(f flags.Recorded) bool { return f.Cleanup.EndState == flags.Keep }},
		{"set-dates-0", url.Values{"dates.off": {"2027-06-30"}}, func(f flags.Recorded) bool { return f.Dates.Off == "2027-06-30" }},
		{"add-environment-0", url.Values{"environment": {"staging"}}, func(f flags.Recorded) bool { return len(f.Environments) == 2 }},
		{"add-variant-0", url.Values{"variant": {"also"}, "value": {"true"}}, func(f flags.Recorded) bool { return string(f.Variants["also"]) == "true" }},
		{"set-default-0", url.Values{"variant": {"on"}}, func(f flags.Recorded) bool { return f.Default == "on" }},
		{"remove-rule-0", nil, func(f flags.Recorded) bool { return len(f.Environments["production"].Rules) == 0 }},
		{"remove-tag-0", url.Values{"tag": {"payments"}}, func(f flags.Recorded) bool { return len(f.Tags) == 0 }},
	} {
		code, body, _ := h.changes("approver", edit, c.form, c.answers, why)
		if code != 303 || !c.done(h.flag("shop.checkout")) {
			t.Errorf("%s: %d, and the flag is %+v: %.300s", c.form, code, h.flag("shop.checkout").Flag, body)
		}
	}
	ramp := h.flag("shop.checkout").Revision
	if code, _, _ := h.changes("approver", edit, "ramp-0", url.Values{"percentage": {"12.5"}, "variant": {"on"}}, why); code != 303 || h.flag("shop.checkout").Environments["production"].Allocation.Coverage != 12500 || h.flag("shop.checkout").Revision == ramp {
		t.Errorf("the ramp: %d", code)
	}
}

// TestEditor_refusals: what is refused stands at its field, with what was
// written; nothing is lost.
func TestEditor_refusals(t *testing.T) {
	h := shop(t)
	const edit = pageOfFlag + "/edit?environment=production"
	page := h.sees("editor", edit)
	for name, c := range map[string]struct {
		form    string
		answers url.Values
		id, why string
	}{
		"operator":       {"add-rule-0", url.Values{"rule.name": {"x"}, "rule.attribute": {"a"}, "rule.operator": {"near"}, "rule.serve": {"on"}}, "add-rule-0", "is not an operator"},
		"variant":        {"add-rule-0", url.Values{"rule.name": {"x"}, "rule.serve": {"maybe"}}, "add-rule-0-rule-serve-fault", "is not a variant"},
		"share":          {"add-rule-0", url.Values{"rule.name": {"x"}, "rule.serve": {"on much, off 70"}}, "add-rule-0-rule-serve-fault", "is not a variant and its share"},
		"condition":      {"add-rule-0", url.Values{"rule.name": {"x"}, "rule.when": {"all: ["}, "rule.serve": {"on"}}, "add-rule-0-rule-when-fault", ""},
		"place":          {"add-rule-0", url.Values{"rule.name": {"x"}, "rule.serve": {"on"}, "place": {"one"}}, "add-rule-0-place-fault", "is not a whole number"},
		"value":          {"add-variant-0", url.Values{"variant": {"x"}, "value": {"{"}}, "add-variant-0-value-fault", "is not JSON"},
		"length":         {"set-cleanup-0", url.Values{"cleanup.due": {"soon"}}, "set-cleanup-0-cleanup-due-fault", "is not a length of time"},
		"share of units": {"ramp-0", url.Values{"percentage": {"much"}}, "ramp-0-percentage-fault", "is not a number"},
		"document":       {"whole", url.Values{"yaml": {"kind: Flag\n"}}, "whole-yaml-fault", "apiVersion"},
		"another flag":   {"whole", url.Values{"yaml": {strings.Replace(switches("other", "shop", "operational"), "---\n", "", 1)}}, "whole-yaml-fault", "a key never changes"},
		"fault inside":   {"whole", url.Values{"yaml": {strings.Replace(strings.Replace(switches("shop.checkout", "shop", "operational"), "---\n", "", 1), "safe: off", "safe: none", 1)}}, "whole-yaml-fault", "is not a variant"},
	} {
		sent := fields(page, c.form)
		for field, v := range c.answers {
			sent[field] = v
		}
		code, body, _ := h.send("editor", pageOfFlag+"/edit", sent)
		h.t = t
		if code != 400 && code != 422 || !strings.Contains(body, `id="`+c.id) || !strings.Contains(html.UnescapeString(body), c.why) {
			t.Errorf("%s: %d, and %s does not say %q", name, code, c.id, c.why)
		}
	}
	if code, _, _ := h.send("viewer", pageOfFlag+"/save", url.Values{"wanted": {`{}`}}); code != 403 {
		t.Errorf("a viewer saves: %d", code)
	}
	if code, _, _ := h.send("editor", pageOfFlag+"/save", url.Values{"wanted": {`nonsense`}}); code != 400 {
		t.Errorf("nonsense is saved: %d", code)
	}
	if code, _, _ := h.send("editor", pageOfFlag+"/save", url.Values{"wanted": {`{}`}}); code < 400 {
		t.Errorf("nothing is saved: %d", code)
	}
}

// TestSwitchPages: what a switch does is seen before, and done at once; whoever
// may not decide sees the command and no form.
func TestSwitchPages(t *testing.T) {
	h := shop(t)
	body := h.sees("approver", pageOfFlag+"/do/force?environment=production", "Force the safe variant in production", "sluice flag force shop.checkout -e production")
	if code, _, _ := h.saves("approver", body, url.Values{"comment": {"payments fail"}}); code != 303 || h.flag("shop.checkout").Environments["production"].Forced == nil {
		t.Errorf("to force: %d", code)
	}
	if body := h.sees("editor", pageOfFlag+"/do/unforce?environment=production", "End the forced state in production"); strings.Contains(body, `id="do"`) {
		t.Error("an editor is offered a decision")
	}
	body = h.sees("approver", pageOfFlag+"/do/archive", "Reason to archive it in any case")
	if code, _, _ := h.saves("approver", body, url.Values{"comment": {"gone"}}); code != 303 || !h.flag("shop.checkout").Archived {
		t.Errorf("to archive: %d", code)
	}
	h.sees("approver", pageOfFlag+"/do/archive", "The flag is so already")
	if code, _, _ := h.ask("approver", "GET", pageOfFlag+"/do/dance", "", asBrowser...); code != 404 {
		t.Errorf("there is a page of no switch: %d", code)
	}
}

// TestNewFlag: a flag is made by a form, or by a document, and seen before.
func TestNewFlag(t *testing.T) {
	h := shop(t)
	form := fields(h.sees("editor", "/flags/new", "In production"), "new")
	for name, v := range map[string]string{"key": "shop.gift", "purpose": "operational", "owner": "shop-team", "type": "string", "variants": "red: #f00\nblue: \"#00f\"", "safe": "red", "environments.production": "enabled", "tags": "a, b"} {
		form.Set(name, v)
	}
	code, body, _ := h.send("editor", "/flags/new", form)
	h.holds("the page before", code, 200, body, "Create", "In production, of 1")
	if code, _, header := h.saves("editor", body, url.Values{"comment": {"new"}}); code != 303 || header.Get("Location") != "/flags/shop.gift" {
		t.Errorf("to create: %d", code)
	}
	if f := h.flag("shop.gift"); string(f.Variants["red"]) != `"#f00"` || string(f.Variants["blue"]) != `"#00f"` || !f.Environments["production"].Enabled || f.Comment != "new" {
		t.Errorf("it is %+v", f)
	}
	code, body, _ = h.send("editor", "/flags/new", form)
	h.holds("a key that is taken", code, 400, body, "is the key of a flag that there is")
	form.Set("key", "")
	form.Set("variants", "red")
	code, body, _ = h.send("editor", "/flags/new", form)
	h.holds("no value", code, 400, body, "is not a variant and its value")
}

// TestRestore: a flag becomes again what it was, after a look at the difference.
func TestRestore(t *testing.T) {
	h := shop(t)
	first := h.flag("shop.checkout").Revision
	h.want("approver", "PATCH", "/api/v1/flags/shop.checkout", `{"changes":[{"op":"set-default","variant":"on"}]}`, 200, "")
	body := h.sees("editor", pageOfFlag+"/restore?at="+revisionText(first), "as it was at revision")
	if code, _, _ := h.saves("editor", body, url.Values{"comment": {"back"}}); code != 303 || h.flag("shop.checkout").Default != "off" {
		t.Errorf("to restore: %d", code)
	}
}

func revisionText(n uint64) string { return strconv.FormatUint(n, 10) }

// TestPage_guest: whoever reads open pages without a token is shown where to
// sign in, and no way out of what he is not in.
func TestPage_guest(t *testing.T) {
	h := shop(t, func(house *House) { house.OpenPages = true })
	for _, path := range []string{"/flags?sort=changed", "/flags/none"} {
		_, body, _ := h.ask("", "GET", path, "", asBrowser...)
		if !strings.Contains(body, `href="/sign-in?next=`+url.QueryEscape(path)+`"`) || strings.Contains(body, "Sign out") {
			t.Errorf("%s shows a guest\n%s", path, body)
		}
	}
	if body := h.see("viewer", "/flags", http.StatusOK, "Sign out"); strings.Contains(body, "/sign-in?") {
		t.Error("who is signed in is asked to sign in")
	}
}
