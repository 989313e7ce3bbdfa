package server

import (
	"net/url"
	"strings"
	"testing"
)

const betaTesters = "apiVersion: sluice/v1\nkind: Segment\nkey: shop.beta\nowner: shop-team\nwhen: {attribute: plan, op: eq, value: beta}\nincluded: [u-7]\n"

// TestSegmentPages: a segment is made, looked into, changed and replaced, and
// what a whole document makes different is seen before.
func TestSegmentPages(t *testing.T) {
	h := shop(t)
	h.sees("viewer", "/segments", "No segment yet")
	write := fields(h.sees("editor", "/segments/new", "kind: Segment"), "write")
	write.Set("yaml", betaTesters)
	code, body, _ := h.send("editor", "/segments/new/edit", write)
	h.holds("the page before", code, 200, body, "It is created")
	save := fields(body, "save")
	save.Set("comment", "first")
	for range 2 {
		if code, _, header := h.send("editor", "/segments/new/save", save); code != 303 || header.Get("Location") != "/segments/shop.beta" {
			t.Errorf("to save: %d %s", code, header.Get("Location"))
		}
	}
	h.sees("viewer", "/segments", "1 unit by name, whoever meets: plan eq beta")
	h.sees("viewer", "/segments/shop.beta?unit=u-7", "a member", `user "u-7" is included`)
	h.sees("viewer", "/segments/shop.beta?unit=u-8&attributes=plan%3Dfree", "no member", `plan eq beta`)
	h.want("viewer", "GET", "/api/v1/segments/shop.beta/explain?unit=u-8&attribute.plan=beta", "", 200, `"member":true`)
	units := fields(h.sees("editor", "/segments/shop.beta"), "units")
	for name, v := range map[string]string{"mode": "add", "list": "included", "ids": "u-8\nu-9", "comment": "two more"} {
		units.Set(name, v)
	}
	if code, _, _ := h.send("editor", "/segments/shop.beta/units", units); code != 303 {
		t.Errorf("to put two in: %d", code)
	}
	h.sees("viewer", "/segments/shop.beta", "3 units by name", "two more", "Nobody asks for it")
	units = fields(h.sees("editor", "/segments/shop.beta"), "units")
	for name, v := range map[string]string{"mode": "replace", "list": "included", "ids": "u-1", "comment": "anew"} {
		units.Set(name, v)
	}
	code, body, _ = h.send("editor", "/segments/shop.beta/units", units)
	h.holds("to replace the list", code, 200, body, `is now ["u-1"] (was ["u-7","u-8","u-9"])`)
	if code, _, _ := h.send("editor", "/segments/shop.beta/save", fields(body, "save")); code != 303 {
		t.Errorf("to replace it: %d", code)
	}
	h.sees("viewer", "/segments/shop.beta", "1 unit by name")
}

// TestSegmentPages_refusals: what is refused stands where it was written.
func TestSegmentPages_refusals(t *testing.T) {
	h := shop(t)
	h.want("editor", "POST", "/api/v1/apply", betaTesters, 200, "created")
	for name, c := range map[string]struct{ path, yaml, want string }{
		"nothing":      {"/segments/shop.beta/edit", "", "the file holds no document"},
		"another kind": {"/segments/shop.beta/edit", fourEyes, "is not one document of kind Segment"},
		"another key":  {"/segments/shop.beta/edit", strings.Replace(betaTesters, "shop.beta", "shop.alpha", 1), "is of another key"},
		"a field":      {"/segments/shop.beta/save", strings.Replace(betaTesters, "owner", "ownr", 1), "unknown field"},
		"an operator":  {"/segments/new/edit", strings.Replace(betaTesters, "op: eq", "op: near", 1), "is not an operator"},
	} {
		code, body, _ := h.send("editor", c.path, url.Values{"yaml": {c.yaml}})
		h.holds(name, code, 400, body, c.want, "write-yaml-fault")
	}
	code, body, _ := h.send("editor", "/segments/shop.beta/units", url.Values{"list": {"included"}, "mode": {"add"}, "ids": {strings.Repeat("x", 3000)}})
	h.holds("an id that is none", code, 400, body, "units-ids-fault")
	for path, want := range map[string]int{"/segments/none": 404, "/segments/none/edit": 404, "/environments/none": 404} {
		if code, _, _ := h.ask("admin", "GET", path, "", asBrowser...); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
}

// TestEnvironmentPages: environments and policies are read by all and written by
// administrators, by the door that files come by.
func TestEnvironmentPages(t *testing.T) {
	h := shop(t)
	h.sees("viewer", "/environments", "development", "production", "No policy yet")
	if body := h.sees("approver", "/environments"); strings.Contains(body, "/environments/edit") {
		t.Error("an approver is offered what takes an administrator")
	}
	write := fields(h.sees("admin", "/environments/edit?kind=Policy", "kind: Policy"), "write")
	write.Set("yaml", fourEyes)
	code, body, _ := h.send("admin", "/environments/edit", write)
	h.holds("the page before", code, 200, body, "It is created")
	save := fields(body, "save")
	save.Set("comment", "two people")
	if code, _, header := h.send("admin", "/environments/save", save); code != 303 || header.Get("Location") != "/environments" {
		t.Errorf("to save: %d", code)
	}
	h.sees("viewer", "/environments/production", "Changes take 1 approval (approver)", "two people")
	if body := h.sees("viewer", "/environments/staging"); strings.Contains(body, "four-eyes") {
		t.Error("a policy of production is shown beside staging")
	}
	edit := fields(h.sees("admin", "/environments/edit?kind=Environment&key=production"), "write")
	edit.Set("yaml", "apiVersion: sluice/v1\nkind: Environment\nkey: production\ndescription: What customers see\n")
	code, body, _ = h.send("admin", "/environments/edit", edit)
	h.holds("an environment", code, 200, body, "It is created")
	code, _, _ = h.send("admin", "/environments/edit", url.Values{"kind": {"Flag"}, "yaml": {strings.Replace(switches("a", "shop-team", "operational"), "---\n", "", 1)}})
	if code < 400 {
		t.Errorf("a flag is written as a document of the house: %d", code)
	}
	if code, _, _ := h.ask("admin", "GET", "/environments/edit?kind=Flag", "", asBrowser...); code != 404 {
		t.Errorf("there is a page for flags: %d", code)
	}
	if code, _, _ := h.send("editor", "/environments/save", save); code != 403 {
		t.Errorf("an editor writes a policy: %d", code)
	}
}
