package server

import (
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// editor returns everything that a browser would send of the editor on a page.
func editor(body string) url.Values {
	_, body, _ = strings.Cut(body, `<form id="plan"`)
	body, _, _ = strings.Cut(body, "</form>")
	fields := url.Values{}
	for _, m := range regexp.MustCompile(`<input (?:id="plan-[^"]*" |type="hidden" )name="([^"]+)"(?: type="text")? value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		fields.Set(m[1], html.UnescapeString(m[2]))
	}
	for _, m := range regexp.MustCompile(`(?s)<select id="plan-[^"]*" name="([^"]+)"[^>]*>(.*?)</select>`).FindAllStringSubmatch(body, -1) {
		chosen := regexp.MustCompile(`value="([^"]*)" selected`).FindStringSubmatch(m[2])
		fields.Set(m[1], append(chosen, "", "")[1])
	}
	for _, m := range regexp.MustCompile(`(?s)<textarea id="plan-[^"]*" name="([^"]+)"[^>]*>\n(.*?)</textarea>`).FindAllStringSubmatch(body, -1) {
		fields.Set(m[1], html.UnescapeString(m[2]))
	}
	return fields
}

// drafted sends the editor and returns the page that comes back, and what its
// fields are then.
func (h *house) drafted(who string, fields url.Values) (string, url.Values) {
	h.t.Helper()
	code, body, _ := h.send(who, "/plans/draft", fields)
	if code != http.StatusOK {
		h.t.Fatalf("a draft: %d %s", code, body)
	}
	return body, editor(body)
}

// TestPlanPage_draft: form and YAML follow each other, and what the form has no
// field for stays as it was written.
func TestPlanPage_draft(t *testing.T) {
	h := shop(t)
	fields := url.Values{"yaml": {strings.ReplaceAll(plan, "\n", "\r\n")}, "do": {"yaml"}}
	body, fields := h.drafted("editor", fields)
	if fields.Get("owner") != "shop-team" || fields.Get("stages[0].kind") != "decide" || fields.Get("metrics.success[0].mde") != "2%" || !strings.Contains(body, "It would be taken as it stands") {
		t.Fatalf("the form does not say what the YAML does: %v", fields)
	}
	fields.Set("stages[0].maxWindow", "21d")
	fields.Set("metrics.guardrails[0].metric", "purchases")
	_, fields = h.drafted("editor", fields)
	if got := fields.Get("yaml"); !strings.Contains(got, "{name: experiment, treatment: 50%, maxWindow: 21d, decide: true}") || !strings.Contains(got, "onLoss: rollback") {
		t.Errorf("the YAML does not follow the form, or lost something:\n%s", got)
	}
	fields.Set("metrics.guardrails[0].metric", "")
	_, fields = h.drafted("editor", fields)
	if strings.Contains(fields.Get("yaml"), "guardrails") || fields.Has("metrics.guardrails[1].metric") {
		t.Errorf("an emptied row stays:\n%s", fields.Get("yaml"))
	}
	fields.Set("yaml", strings.Replace(plan, "owner: shop-team", "owner: search-team", 1))
	_, fields = h.drafted("editor", fields)
	if fields.Get("owner") != "search-team" {
		t.Errorf("the form does not follow the YAML: %v", fields)
	}
	fields.Set("yaml", plan)
	fields.Set("unit", "account")
	body, fields = h.drafted("editor", fields)
	if !strings.Contains(body, "were both changed") || fields.Get("unit") != "account" || fields.Get("yaml") != plan {
		t.Errorf("both were changed, and one is lost: %v", fields)
	}
	fields.Set("do", "form")
	_, fields = h.drafted("editor", fields)
	if got := fields.Get("yaml"); !strings.Contains(got, "unit: account") || !strings.Contains(got, "owner: search-team") {
		t.Errorf("the form was chosen, and the YAML says\n%s", got)
	}
}

// TestPlanPage_faults: what is wrong stands at its field, and with its line at
// the YAML; YAML that cannot be read takes nothing from the form.
func TestPlanPage_faults(t *testing.T) {
	h := shop(t)
	_, fields := h.drafted("editor", url.Values{"yaml": {plan}, "do": {"yaml"}})
	fields.Set("flag", "shop.nothing")
	fields.Set("metrics.success[0].mde", "0%")
	body, _ := h.drafted("editor", fields)
	for _, want := range []string{`aria-invalid="true" aria-describedby="plan-flag-fault"`, `id="plan-metrics-success-0-mde"`, "is not known; define the flag first", "[3:7]", "It would be refused as it stands"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in\n%s", want, body)
		}
	}
	fields.Set("yaml", strings.Replace(plan, "owner: shop-team", "owner: [", 1))
	fields.Set("flag", "shop.checkout")
	fields.Set("do", "yaml")
	body, fields = h.drafted("editor", fields)
	if !strings.Contains(body, "It would be refused") || fields.Get("flag") != "shop.checkout" {
		t.Errorf("the YAML cannot be read, and the form is lost: %v", fields)
	}
	if body, _ := h.drafted("editor", url.Values{"yaml": {documents}, "do": {"check"}}); !strings.Contains(body, "is not one plan alone") {
		t.Error("several documents are taken for a plan")
	}
	if body, _ := h.drafted("bound", url.Values{"yaml": {plan}, "do": {"check"}}); !strings.Contains(body, "bound to staging") || strings.Contains(body, "What it would change") {
		t.Error("a stranger is told what a plan would do")
	}
}

// TestPlanPage_gates: approvals, conditions, what incidents ask for and where a
// rollback leads are written in the form as well; a condition that cannot be met
// is refused at its field.
func TestPlanPage_gates(t *testing.T) {
	h := shop(t)
	_, fields := h.drafted("editor", url.Values{"yaml": {plan}, "do": {"yaml"}})
	for path, value := range map[string]string{
		"stages[0].approve": "2", "stages[0].approveBy": "approver", "stages[0].minUnits": "500", "stages[0].advanceWhen": "check: load-test, incident: minor", "stages[0].rollbackWhen": "incident: blocking",
		"incidents.minor": "pause", "rollback.to": "previousStage", "rollback.lockUntilExplained": "false", "rollback.prove.within": "10m",
	} {
		if !fields.Has(path) {
			t.Errorf("the form has no field %s", path)
		}
		fields.Set(path, value)
	}
	body, fields := h.drafted("editor", fields)
	for _, want := range []string{"approve: 2", "minUnits: 500", "- check: load-test", "- incident: minor", "minor: pause", "to: previousStage", "lockUntilExplained: false", "within: 10m"} {
		if !strings.Contains(fields.Get("yaml"), want) {
			t.Errorf("the YAML does not say %s:\n%s", want, fields.Get("yaml"))
		}
	}
	if !strings.Contains(body, "It would be taken as it stands") || fields.Get("stages[0].advanceWhen") != "check: load-test, incident: minor" {
		t.Errorf("it is refused, or the form does not say what was written:\n%s", body)
	}
	fields.Set("stages[0].pauseWhen", "guardrail: nothing")
	body, _ = h.drafted("editor", fields)
	if !strings.Contains(body, `id="plan-stages-0-pauseWhen-fault"`) {
		t.Errorf("the fault does not stand at its field:\n%s", body)
	}
}

// TestPlanPage_save: a plan is looked at before it is saved, saved once, started
// by those who may, and not over a newer one.
func TestPlanPage_save(t *testing.T) {
	h := withPasts(t)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	body, _ := h.drafted("approver", url.Values{"yaml": {plan}, "do": {"start"}})
	if !strings.Contains(body, "plan of a new rollout of production/shop.checkout") || !strings.Contains(body, "units of kind user came in the past") {
		t.Fatalf("nothing is said of what it does:\n%s", body)
	}
	_, saving, _ := strings.Cut(body, `<form class="form grave" id="save"`)
	fields := url.Values{"comment": {"as agreed"}}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(saving, -1) {
		fields.Set(m[1], html.UnescapeString(m[2]))
	}
	for range 2 {
		if code, body, header := h.send("approver", "/plans/save", fields); code != http.StatusSeeOther || header.Get("Location") != pageOfOne {
			t.Fatalf("to save: %d to %q %s", code, header.Get("Location"), body)
		}
	}
	if r := h.newest(); r.ID != "production/shop.checkout/1" || r.Status != decisions.Running || r.PlannedBy != "person:approver" {
		t.Errorf("there is %s, %s, by %s", r.ID, r.Status, r.PlannedBy)
	}
	fields.Del(formKey)
	if code, body, _ := h.send("approver", "/plans/save", fields); code != http.StatusPreconditionFailed || !strings.Contains(body, "is at revision") || strings.Contains(body, `id="save"`) {
		t.Errorf("a plan is saved over one that was not seen: %d %s", code, body)
	}
	if code, _, _ := h.send("viewer", "/plans/save", fields); code != http.StatusForbidden {
		t.Errorf("a viewer saves: %d", code)
	}
	for _, path := range []string{"/plans/edit?environment=production&flag=shop.checkout", "/plans/edit?rollout=production/shop.checkout/1", "/plans/edit?environment=production&flag=shop.checkout&number=1"} {
		h.see("viewer", path, http.StatusOK, `href="`+pageOfOne+`"`)
	}
	_, edit := h.drafted("approver", editor(h.see("approver", "/plans/edit?rollout=production/shop.checkout/1", http.StatusOK, "Edit the plan")))
	edit.Set("metrics.success[0].mde", "1%")
	edit.Set("do", "save")
	if body, _ := h.drafted("approver", edit); !strings.Contains(body, "starts its tests afresh") || !strings.Contains(body, `id="save"`) {
		t.Errorf("nothing is said of the evidence:\n%s", body)
	}
}

func TestPlanPage_new(t *testing.T) {
	h := shop(t)
	if fields := editor(h.see("editor", "/plans/new?flag=shop.checkout&environment=production", http.StatusOK, "New plan")); fields.Get("flag") != "shop.checkout" || fields.Get("unit") != "user" || fields.Get("template") != "release" {
		t.Errorf("the form begins with %v", fields)
	}
	h.see("viewer", "/plans/new", http.StatusForbidden, "")
	h.see("viewer", "/plans/edit?environment=production&flag=shop.nothing", http.StatusNotFound, "")
	h.see("bound", "/plans/edit?environment=production&flag=shop.checkout", http.StatusNotFound, "")
}

// TestPlanPage_ahead: what is to be expected of a plan is told before it is
// saved, at present traffic and on made-up units, and nothing comes of it.
func TestPlanPage_ahead(t *testing.T) {
	h := withPasts(t)
	h.want("admin", "POST", "/api/v1/apply", documents, http.StatusOK, "created")
	before := h.Projection.Seq()
	body, _ := h.drafted("editor", url.Values{"yaml": {plan}, "do": {"foresee"}})
	for _, want := range []string{"units came in the 14 days", "Smallest effect that purchases shows", "an effect of 2", "experiment"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing in\n%s", want, body)
		}
	}
	body, _ = h.drafted("editor", url.Values{"yaml": {plan}, "do": {"rehearse"}})
	if !strings.Contains(body, "2 of 20 runs of each scenario are over") || !strings.Contains(body, `name="runs" value="6"`) {
		t.Errorf("how far the rehearsal is, is not told:\n%s", body)
	}
	for _, want := range []string{"2 runs of each scenario", "healthy", "The first run of"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing in\n%s", want, body)
		}
	}
	if now := h.Projection.Seq(); now != before {
		t.Errorf("it recorded %d events", now-before)
	}
	none := shop(t)
	if body, _ := none.drafted("editor", url.Values{"yaml": {plan}, "do": {"foresee"}}); !strings.Contains(body, "knows no past") {
		t.Error("nothing is said where no past is known")
	}
}

// TestNextRuns: more runs are asked for as long as somebody waits for them.
func TestNextRuns(t *testing.T) {
	for _, c := range []struct {
		done int
		took time.Duration
		want int
	}{{2, 0, 6}, {2, time.Second, 6}, {6, 3 * time.Second, 20}, {6, 20 * time.Second, 0}, {2, 25 * time.Second, 0}, {20, time.Second, 0}} {
		if got := nextRuns(c.done, c.took); got != c.want {
			t.Errorf("after %d runs in %s: %d, want %d", c.done, c.took, got, c.want)
		}
	}
	for text, want := range map[string]int{"": 2, "6": 6, "21": 2, "-1": 2, "x": 2} {
		if got := runsAsked("rehearse", text); got != want {
			t.Errorf("runs=%q asks for %d, want %d", text, got, want)
		}
	}
}

// richPlan says something in every field that a plan has.
const richPlan = `apiVersion: sluice/v1
kind: Rollout
# Which flag, and whose.
flag: shop.checkout
environment: production
owner: shop-team
hypothesis: "More visitors buy: something"
links: ["https://docs.example/a,b", https://tickets.example/SHOP-1] # where it is talked about
unit: user
arms: {control: off, treatment: on}
metrics:
  success: [{metric: purchases, mde: 2%, onLoss: rollback, onInconclusive: pause}]
  guardrails: [{metric: errors, margin: 1%, detect: 20%, within: country, onBreach: pause}]
  breakdowns: [country, plan]
health:
  srm: {alpha: 0.0001, onFail: rollback}
  telemetry: {maxLag: 20m, onMissing: hold}
  multiExposure: {max: 2%, onFail: hold}
incidents: {minor: pause}
stages:
  - {name: staff, serve: treatment, when: {attribute: plan, op: eq, value: staff}, minWindow: 1h} # by condition
  - name: canary
    ramp: {from: 1%, to: 4%, times: 2, every: 24h}
    exclude: {errors: 40%}
    requires: [load-test, smoke-test]
    advanceWhen: [{manual: shop-team}]
  - {name: experiment, treatment: 50%, decide: true, approve: 1, approveBy: approver}
  - {name: full, serve: treatment, holdback: 1%, observe: 96h}
rollback: {to: safe, prove: {unsafeExposures: 0.2%, within: 10m}}
escalation: [{to: approver, after: 4h}]
followUp: 30d
cleanup: {due: 30d, endState: promote}
`

// TestPlanPage_keeps: what a plan says comes back from the form letter by letter;
// whichever field is changed, that field alone differs.
func TestPlanPage_keeps(t *testing.T) {
	h := shop(t)
	_, fields := h.drafted("editor", url.Values{"yaml": {richPlan}, "do": {"yaml"}})
	if _, again := h.drafted("editor", fields); again.Get("yaml") != richPlan {
		t.Fatalf("the form changes what nobody touched:\n%s", again.Get("yaml"))
	}
	for path, value := range map[string]string{
		"links": "https://docs.example/a,b\nhttps://docs.example/new", "health.srm.alpha": "0.002", "health.telemetry.maxLag": "15m", "health.multiExposure.onFail": "pause",
		"stages[1].exclude": "errors: 30%", "stages[1].requires": "load-test", "stages[1].ramp.times": "3", "stages[3].holdback": "2%", "stages[3].observe": "", "followUp": "60d",
		"metrics.breakdowns": "country", "metrics.guardrails[0].limit": "5%", "escalation[0].after": "6h", "escalation[1].to": "shop-team",
	} {
		if !fields.Has(path) {
			t.Errorf("the form has no field %s", path)
			continue
		}
		sent := maps.Clone(fields)
		sent.Set(path, value)
		_, got := h.drafted("editor", sent)
		for name := range fields {
			if want := sent.Get(name); name != "yaml" && name != "base" && got.Get(name) != want {
				t.Errorf("%s is written, and %s says %q, not %q:\n%s", path, name, got.Get(name), want, got.Get("yaml"))
			}
		}
		if !strings.Contains(got.Get("yaml"), "attribute: plan") {
			t.Errorf("%s is written, and the condition of an audience is lost:\n%s", path, got.Get("yaml"))
		}
	}
	if fields.Has("stages[0].holdback") || fields.Has("stages[3].ramp.from") {
		t.Error("a stage is asked what only another kind has")
	}
}
