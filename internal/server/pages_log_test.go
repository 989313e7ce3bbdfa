package server

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/decisions"
)

// begun is a shop whose rollout was started and rolled back by a person.
func begun(t *testing.T) *house {
	h := shop(t)
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	h.look()
	h.want("approver", "POST", rolloutOne+"/rollback", `{"comment":"=cmd|' /C calc'!A0"}`, http.StatusOK, "rollback")
	h.look()
	return h
}

func (h *house) see(who, path string, code int, text string) string {
	h.t.Helper()
	got, body, _ := h.ask(who, "GET", path, "", asBrowser...)
	if got != code || !strings.Contains(body, text) {
		h.t.Errorf("%s as %s: got %d, want %d with %q:\n%s", path, who, got, code, text, body)
	}
	return body
}

// TestDecisionsPage: the log shows what the filters select, page by page, and
// the files hold the same, without formulas.
func TestDecisionsPage(t *testing.T) {
	h := begun(t)
	h.see("viewer", "/decisions", http.StatusOK, "rolled back")
	if body := h.see("viewer", "/decisions?by=controller", http.StatusOK, "expanded"); strings.Contains(body, ">rolled back<") || strings.Contains(body, "person:approver</bdi></td>") {
		t.Error("a person's decision is shown as the controller's")
	}
	h.see("viewer", "/decisions?environment=staging", http.StatusOK, "No decision matches")
	h.see("viewer", "/decisions?by=nobody", http.StatusBadRequest, "neither the controller nor people")
	h.see("viewer", "/decisions?action=dance", http.StatusBadRequest, "is no decision")
	h.see("viewer", "/decisions?since=tomorrow", http.StatusBadRequest, "neither a duration nor a time")
	h.see("bound", "/decisions", http.StatusOK, "No decision matches")
	rows, err := csv.NewReader(strings.NewReader(h.see("viewer", "/decisions/export?form=csv", http.StatusOK, "id,at,rollout"))).ReadAll()
	if err != nil || len(rows) != 3 || !strings.HasPrefix(rows[1][7], "'=cmd") {
		t.Errorf("the file holds %q, %v: want two decisions, without a formula", rows, err)
	}
	if lines := strings.Split(h.see("viewer", "/decisions/export?form=jsonl&by=people", http.StatusOK, `"by":"person:approver"`), "\n"); len(lines) != 1 {
		t.Errorf("%d lines for one decision of a person", len(lines))
	}
	h.see("viewer", "/decisions/export?form=xlsx", http.StatusBadRequest, "is no form of export")
}

// TestDecisionPage: the record says who decided on what, is made again on
// demand, and takes what was learnt.
func TestDecisionPage(t *testing.T) {
	h := begun(t)
	first, last := h.newest().Decisions[0].ID, h.newest().Decisions[1].ID
	h.see("viewer", "/decisions/"+first, http.StatusOK, "Recompute now")
	again := h.see("viewer", "/decisions/"+first+"?recompute=true", http.StatusOK, "to the last bit")
	if !strings.Contains(again, "chain of hashes is whole") || !strings.Contains(again, "counts nothing") {
		t.Errorf("the log is not checked, or what cannot be counted here is not said:\n%s", again)
	}
	h.see("viewer", "/decisions/"+last, http.StatusOK, "nothing to compute but his word")
	if body := h.see("viewer", "/decisions/"+last, http.StatusOK, "What was learnt"); strings.Contains(body, `<form class="form" id="outcome"`) {
		t.Error("whoever may not write is asked what was learnt")
	}
	form := h.hidden("editor", "/decisions/"+last)
	if code, body, _ := h.send("editor", "/decisions/"+last+"/outcome", form); code != http.StatusBadRequest || !strings.Contains(body, `aria-invalid="true"`) {
		t.Errorf("an outcome of nothing: %d\n%s", code, body)
	}
	for name, value := range map[string]string{"happened": "nothing", "confirmed": "unclear", "why": "too short"} {
		form.Set(name, value)
	}
	for range 2 {
		if code, _, header := h.send("editor", "/decisions/"+last+"/outcome", form); code != http.StatusSeeOther || !strings.HasPrefix(header.Get("Location"), "/decisions/"+last) {
			t.Errorf("to record the outcome: %d to %q", code, header.Get("Location"))
		}
	}
	if o := h.newest().Outcome; o == nil || o.Why != "too short" || o.Confirmed != decisions.Unclear {
		t.Errorf("recorded is %+v", o)
	}
	h.see("viewer", "/experiments?words=short&result=unclear", http.StatusOK, "Confirmed: ")
	h.see("viewer", "/experiments?result=yes", http.StatusOK, "No experiment matches")
	if code, _, _ := h.send("viewer", "/decisions/"+last+"/outcome", form); code != http.StatusForbidden {
		t.Errorf("a viewer records an outcome: %d", code)
	}
	h.see("bound", "/decisions/"+last, http.StatusForbidden, "")
}

// TestIncidentsPage: an incident is opened and resolved by forms, by those who
// may.
func TestIncidentsPage(t *testing.T) {
	h := shop(t)
	form := h.hidden("approver", "/incidents")
	if code, body, _ := h.send("approver", "/incidents", form); code != http.StatusBadRequest || !strings.Contains(body, `aria-invalid="true"`) {
		t.Errorf("an incident of nothing: %d\n%s", code, body)
	}
	for name, value := range map[string]string{"flag": "shop.checkout", "environment": "production", "severity": "blocking", "text": "errors"} {
		form.Set(name, value)
	}
	for range 2 {
		if code, body, _ := h.send("approver", "/incidents", form); code != http.StatusSeeOther {
			t.Errorf("to open: %d %s", code, body)
		}
	}
	var all []decisions.Reported
	h.Projection.View(func(uint64) { all = h.Rollouts.AllIncidents() })
	if len(all) != 1 || !all[0].Open() {
		t.Fatalf("incidents: %+v", all)
	}
	if body := h.see("viewer", "/incidents?open=true", http.StatusOK, "errors"); strings.Contains(body, "Resolve it") {
		t.Error("a viewer is offered to resolve it")
	}
	resolve := "/incidents/production/shop.checkout/" + all[0].ID + "/resolve"
	if code, _, _ := h.send("viewer", resolve, url.Values{"comment": {"so"}}); code != http.StatusForbidden {
		t.Errorf("a viewer resolves it: %d", code)
	}
	if code, _, _ := h.send("approver", resolve, url.Values{"comment": {"taken back"}}); code != http.StatusSeeOther {
		t.Errorf("to resolve: %d", code)
	}
	h.see("viewer", "/incidents?open=false", http.StatusOK, "taken back")
	h.see("viewer", "/incidents?open=true", http.StatusOK, "No incident matches")
	h.see("viewer", "/review", http.StatusOK, "Against the recommendation")
	h.see("viewer", "/review?since=never", http.StatusBadRequest, "neither a duration nor a time")
}
