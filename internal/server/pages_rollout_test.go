package server

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// browse returns a page as somebody's browser gets it.
func (h *house) browse(who, path string) string {
	h.t.Helper()
	code, body, _ := h.ask(who, "GET", path, "", asBrowser...)
	if code != http.StatusOK {
		h.t.Fatalf("%s as %s: %d %s", path, who, code, body)
	}
	return body
}

// does fills the form of an operation in and sends it.
func (h *house) does(who, op string, fields ...string) (int, string) {
	h.t.Helper()
	form := h.hidden(who, pageOfOne+"/"+op)
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	code, body, _ := h.send(who, pageOfOne+"/"+op, form)
	return code, body
}

const threeStages = `apiVersion: sluice/v1
kind: Rollout
flag: shop.checkout
environment: production
owner: shop-team
unit: user
arms: {control: off, treatment: on}
metrics:
  success: [{metric: purchases, mde: 10%}]
stages:
  - {name: canary, treatment: 1%, minWindow: 24h, minUnits: 1000, advanceWhen: [{manual: shop-team}]}
  - {name: experiment, treatment: 50%, maxWindow: 28d, decide: true}
  - {name: full, serve: treatment}
cleanup: {due: 30d, endState: promote}
`

// TestActPage_everyOperation: a rollout is led from its plan to its end through
// the forms alone.
func TestActPage_everyOperation(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", shopPeople, http.StatusOK, "created")
	h.want("admin", "POST", "/api/v1/apply", threeStages, http.StatusOK, "created")
	step := func(want decisions.Status, stage int, op string, fields ...string) {
		t.Helper()
		if code, body := h.does("admin", op, fields...); code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", op, code, body)
		}
		h.look()
		h.look()
		if r := h.newest(); r.Status != want || r.Stage != stage {
			t.Fatalf("after %s it is %s in stage %d, want %s in %d", op, r.Status, r.Stage, want, stage)
		}
	}
	step(decisions.Planned, -1, "schedule", "at", "2026-12-01T09:00")
	if s := h.newest().Schedule; s == nil || !s.At.Equal(time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("scheduled is %+v", s)
	}
	step(decisions.Planned, -1, "unschedule")
	step(decisions.Running, 0, "start")
	step(decisions.Paused, 0, "hold", "comment", "lunch")
	step(decisions.Running, 0, "resume", "comment", "done")
	step(decisions.Running, 1, "advance", "comment", "it is time")
	step(decisions.Paused, 1, "reduce", "to", "", "share", "20%", "comment", "busy")
	if r := h.newest(); r.Share != 20_000 {
		t.Errorf("the share is %s", r.Share)
	}
	step(decisions.Paused, 0, "reduce", "to", "canary", "comment", "very busy")
	step(decisions.RolledBack, 0, "rollback", "comment", "no")
	step(decisions.RolledBack, 0, "explain", "comment", "a typo")
	step(decisions.Running, 0, "forward", "comment", "mended")
	step(decisions.RolledBack, 0, "reject", "comment", "nobody wants it")
	if code, body := h.does("admin", "forward", "comment", "so"); code != http.StatusConflict || !strings.Contains(body, "This cannot be done now") {
		t.Errorf("what was rejected is taken up again: %d", code)
	}
}

// TestActPage_override: the checks that are ticked are overruled, and no others;
// with none, nothing is.
func TestActPage_override(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", shopPeople, http.StatusOK, "created")
	h.want("admin", "POST", "/api/v1/apply?start=true", threeStages, http.StatusOK, "created")
	h.look()
	h.look()
	page := h.browse("approver", pageOfOne+"/override")
	if !strings.Contains(page, "This is not what is recommended.") || !strings.Contains(page, "> <bdi>window (waiting)</bdi>") {
		t.Fatalf("the page says:\n%s", page)
	}
	if code, body := h.does("approver", "override", "comment", "so"); code != http.StatusBadRequest || !strings.Contains(body, "tick the checks") {
		t.Errorf("nothing is ticked: %d", code)
	}
	if code, body := h.does("approver", "override", "comment", "so", "check-0", "true"); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, body)
	}
	if o := h.newest().Overruled; o == nil || len(o.Checks) != 1 || o.Checks[0].Check != "window" {
		t.Errorf("overruled is %+v", o)
	}
}

// TestActPage_confirm: the owner of a condition confirms it on its page, which
// the page of the rollout leads to; others are told.
func TestActPage_confirm(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", shopPeople, http.StatusOK, "created")
	h.want("admin", "POST", "/api/v1/apply?start=true", threeStages, http.StatusOK, "created")
	h.look()
	h.look()
	link := "/confirm?owner=shop-team&amp;when=advanceWhen"
	if page := h.browse("admin", pageOfOne); !strings.Contains(page, link) {
		t.Errorf("the page does not lead to %s", link)
	}
	page := h.browse("admin", pageOfOne+"/confirm?owner=shop-team&when=advanceWhen")
	if !strings.Contains(page, "does not speak for shop-team") {
		t.Errorf("who is not in the team is not told:\n%s", page)
	}
}

// TestActPage_bound: an approval is of the decision that was shown.
func TestActPage_bound(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", agreeing, http.StatusOK, "created")
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	h.look()
	form := h.hidden("admin", pageOfOne+"/approve")
	if form.Get("decision") == "" || form.Has("seen") {
		t.Fatalf("the form is bound to %v", form)
	}
	form.Set("decision", "another")
	if code, body, _ := h.send("admin", pageOfOne+"/approve", form); code != http.StatusConflict || !strings.Contains(body, "the evidence has changed") {
		t.Errorf("an approval of another decision: %d %s", code, body)
	}
	if code, _ := h.does("admin", "approve", "comment", "fine"); code != http.StatusSeeOther {
		t.Errorf("to approve: %d", code)
	}
	if page := h.browse("admin", pageOfOne); !strings.Contains(page, "1 of 1") || !strings.Contains(page, "person:admin") {
		t.Error("the page does not say who has approved")
	}
}

// TestPreviewCommand: a program is told what a command would do, also one that
// it may not give; nothing is done.
func TestPreviewCommand(t *testing.T) {
	h := shop(t)
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	before := h.Projection.Seq()
	h.want("viewer", "GET", rolloutOne+"/rollback", "", http.StatusOK, `"Everybody gets off, rules and targets included"`)
	h.want("viewer", "GET", rolloutOne+"/resume", "", http.StatusOK, `is running and cannot be resumed`)
	h.want("viewer", "GET", rolloutOne+"/dance", "", http.StatusBadRequest, "")
	h.want("bound", "GET", rolloutOne+"/rollback", "", http.StatusForbidden, "")
	h.want("approver", "GET", rolloutOne, "", http.StatusOK, `"can":["advance"`)
	if body := h.want("viewer", "GET", rolloutOne, "", http.StatusOK, ""); strings.Contains(body, `"can"`) {
		t.Error("somebody who may not decide can")
	}
	if h.Projection.Seq() != before {
		t.Error("to ask did something")
	}
}

// TestPreviewCommand_tells: the webhooks that listen are named.
func TestPreviewCommand_tells(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", "apiVersion: sluice/v1\nkind: Webhook\nkey: release\nurl: https://hooks.example/in\nevents: [decision.rollback]\n", http.StatusOK, "created")
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	h.want("viewer", "GET", rolloutOne+"/rollback", "", http.StatusOK, `"webhooks":["release"]`)
	h.want("viewer", "GET", rolloutOne+"/hold", "", http.StatusOK, `"webhooks":[]`)
}

// TestRolloutPage: buttons are for those who may, the plan is a tab, and a name
// of ten thousand letters breaks nothing.
func TestRolloutPage(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", shopPeople, http.StatusOK, "created")
	h.want("admin", "POST", "/api/v1/apply?start=true", threeStages+"hypothesis: "+strings.Repeat("W", 10_000)+"\n", http.StatusOK, "created")
	h.look()
	h.look()
	if page := h.browse("approver", pageOfOne); !strings.Contains(page, pageOfOne+"/rollback") || !strings.Contains(page, `id="ramp-t"`) || strings.Contains(page, strings.Repeat("W", 1000)) {
		t.Error("there is no way to roll back, no ramp, or too much of a long text")
	}
	if page := h.browse("viewer", pageOfOne); strings.Contains(page, `href="`+pageOfOne+`/rollback"`) || !strings.Contains(page, "sluice rollback") {
		t.Error("a viewer gets a button, or no command")
	}
	if page := h.browse("viewer", pageOfOne+"?tab=plan"); !strings.Contains(page, "minUnits: 1000") || !strings.Contains(page, `aria-current="page">Plan`) {
		t.Error("the plan is not shown as YAML")
	}
}

// manyRollouts plans and starts rollouts of n flags.
func manyRollouts(h *house, n int) {
	h.t.Helper()
	flag := documents[strings.Index(documents, "kind: Flag")-len("apiVersion: sluice/v1\n"):]
	var all []string
	for i := range n {
		key := fmt.Sprintf("shop.flag-%03d", i)
		all = append(all, strings.ReplaceAll(flag, "shop.checkout", key), strings.ReplaceAll(plan, "shop.checkout", key))
	}
	for part := range slices.Chunk(all, 40) {
		h.want("approver", "POST", "/api/v1/apply?start=true", strings.Join(part, "---\n"), http.StatusOK, "created")
	}
}

// TestBoard_many: a lane shows twenty, and all by its address; the table has what
// is shown, and its cells are no formulae.
func TestBoard_many(t *testing.T) {
	h := shop(t)
	manyRollouts(h, 45)
	page := h.browse("viewer", "/")
	if n := strings.Count(page, `class="card"`); n != 20 || !strings.Contains(page, "Show all 45") || !strings.Contains(page, `href="/?lane=running#running"`) {
		t.Errorf("%d cards of 45 are shown", n)
	}
	if n := strings.Count(h.browse("viewer", "/?lane=running"), `class="card"`); n != 45 {
		t.Errorf("%d cards when all are asked for", n)
	}
	rows, err := csv.NewReader(strings.NewReader(h.browse("viewer", "/rollouts/export?form=csv"))).ReadAll()
	if err != nil || len(rows) != 46 || rows[0][0] != "lane" {
		t.Errorf("the table has %d rows (%v)", len(rows), err)
	}
	if got := plainCell("=1+1"); got != "'=1+1" {
		t.Errorf("a cell is %s", got)
	}
	if page := h.browse("viewer", "/?"+url.Values{"environment": {"staging"}}.Encode()); strings.Contains(page, `class="card"`) {
		t.Error("rollouts of another environment are shown")
	}
}

// TestRolloutPage_renews: the page of a rollout renews itself until it has
// nothing more to tell; one that waits for its start has.
func TestRolloutPage_renews(t *testing.T) {
	for name, c := range map[string]struct {
		r    decisions.Rollout
		want bool
	}{
		"planned":  {decisions.Rollout{Standing: decisions.Standing{Status: decisions.Planned}}, false},
		"running":  {decisions.Rollout{Standing: decisions.Standing{Status: decisions.Running}}, false},
		"rejected": {decisions.Rollout{Standing: decisions.Standing{Status: decisions.Rejected}}, true},
		"proving":  {decisions.Rollout{Standing: decisions.Standing{Status: decisions.RolledBack}, Return: &decisions.Return{}}, false},
		"proven":   {decisions.Rollout{Standing: decisions.Standing{Status: decisions.RolledBack}, Return: &decisions.Return{Proven: &decisions.Proving{}}}, true},
		"unproven": {decisions.Rollout{Standing: decisions.Standing{Status: decisions.RolledBack}, Return: &decisions.Return{Unproven: &decisions.Proving{}}}, true},
	} {
		if got := over(c.r); got != c.want {
			t.Errorf("%s: over is %v", name, got)
		}
	}
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", plan, http.StatusOK, "created")
	if page := h.browse("viewer", pageOfOne); !strings.Contains(page, `hx-get="`+pageOfOne+`"`) {
		t.Error("the page does not show when it starts")
	}
}

// TestActPage_conflict: a refusal keeps what was ticked, and what has changed
// since is shown as it is now, with the one who was faster.
func TestActPage_conflict(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", shopPeople, http.StatusOK, "created")
	h.want("admin", "POST", "/api/v1/apply?start=true", threeStages, http.StatusOK, "created")
	h.look()
	h.look()
	form := h.hidden("approver", pageOfOne+"/override")
	form.Set("check-0", "true")
	if code, body, _ := h.send("approver", pageOfOne+"/override", form); code != http.StatusBadRequest || !strings.Contains(body, `value="true" checked`) {
		t.Errorf("without a reason: %d, and the box is not ticked any more", code)
	}
	h.want("admin", "POST", rolloutOne+"/hold", `{"comment":"lunch"}`, http.StatusOK, "paused")
	form = h.hidden("approver", pageOfOne+"/override")
	form.Set("check-0", "true")
	form.Set("comment", "so")
	form.Set("seen", `"1"`)
	code, body, _ := h.send("approver", pageOfOne+"/override", form)
	if code != http.StatusConflict || !strings.Contains(body, "person:admin was faster") || strings.Contains(body, `value="true" checked`) || !strings.Contains(body, "\nso</textarea>") {
		t.Errorf("somebody was faster: %d %s", code, body)
	}
}
