package server

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/access"
)

const rolloutOne = "/api/v1/rollouts/production/shop.checkout/1"

// look lets a controller look at the rollouts once.
func (h *house) look() {
	h.t.Helper()
	c := decisions.Controller{Log: h.Log, Blobs: h.Blobs, House: h.Projection, Flags: h.Flags, State: h.Rollouts, Facts: &decisions.MemFacts{}}
	if err := c.Step(h.t.Context(), h.Now()); err != nil {
		h.t.Fatal(err)
	}
}

// newest returns the rollout of the tests as it is.
func (h *house) newest() (r decisions.Rollout) {
	h.Projection.View(func(uint64) { r, _ = h.Rollouts.Newest("production", "shop.checkout") })
	return r
}

const agreeing = `apiVersion: sluice/v1
kind: Policy
key: house
match: {environments: [production]}
rollouts: {approvals: {count: 1, role: approver}}
`

const shopPeople = `apiVersion: sluice/v1
kind: Team
key: shop-team
---
apiVersion: sluice/v1
kind: Person
key: lee
name: Lee
teams: [shop-team]
`

// TestApprove: people approve, with the roles that they have there and their
// teams; programs and authors do not.
func TestApprove(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", shopPeople+"---\n"+agreeing, http.StatusOK, "created")
	h.issue("lee", access.Token{Class: access.Account, Role: access.Approver})
	h.issue("robot", access.Token{Class: access.Account, Role: access.Approver, Kind: access.OfService})
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	h.look()
	h.want("viewer", "GET", rolloutOne, "", http.StatusOK, `"ask":{"what":"approve","of":["approver"]`)
	h.want("editor", "POST", rolloutOne+"/approve", `{}`, http.StatusForbidden, "may not do that")
	h.want("robot", "POST", rolloutOne+"/approve", `{}`, http.StatusConflict, "only people approve, and this is the token of service:robot")
	h.want("robot", "POST", rolloutOne+"/override", `{"comment":"so"}`, http.StatusConflict, "only people override")
	h.want("approver", "POST", rolloutOne+"/approve", `{}`, http.StatusConflict, "an author's own approval does not count")
	h.want("lee", "POST", rolloutOne+"/approve", `{"decision":"another"}`, http.StatusConflict, "the evidence has changed")
	h.want("lee", "POST", rolloutOne+"/approve", `{"comment":"fine"}`, http.StatusOK, `"by":"person:lee"`)
	if a := h.newest().Approvals; len(a) != 1 || strings.Join(a[0].Roles, " ") != "viewer editor approver team:shop-team" {
		t.Errorf("approvals: %+v", a)
	}
	h.look()
	if r := h.newest(); r.Stage != 0 {
		t.Errorf("it is in stage %d", r.Stage)
	}
}

// TestPlan_ofUnknownPeople: whoever is to approve or to be asked is somebody.
func TestPlan_ofUnknownPeople(t *testing.T) {
	h := shop(t)
	h.want("admin", "POST", "/api/v1/apply", shopPeople, http.StatusOK, "created")
	asks := strings.Replace(plan, "decide: true}", "decide: true, approve: 1, approveBy: nobody}", 1) + "escalation: [{to: lee, after: 1h}, {to: no-one, after: 2h}]\n"
	body := h.want("editor", "POST", "/api/v1/apply", asks, http.StatusBadRequest, `"path":"stages[0].approveBy","value":"nobody","why":"is neither a declared person nor a declared team"`)
	if !strings.Contains(body, `"path":"escalation[1].to"`) || strings.Contains(body, `"path":"escalation[0].to"`) {
		t.Errorf("got %s", body)
	}
	for _, by := range []string{"approver", "admin", "shop-team"} {
		h.want("editor", "POST", "/api/v1/apply", strings.Replace(plan, "decide: true}", "decide: true, approve: 1, approveBy: "+by+"}", 1), http.StatusOK, `"key":"production/shop.checkout"`)
	}
}

// TestCommand_ofWhoSawAnotherRollout: a decision is about what one has seen.
func TestCommand_ofWhoSawAnotherRollout(t *testing.T) {
	h := shop(t)
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	_, _, header := h.ask("viewer", "GET", rolloutOne, "")
	seen := header.Get("ETag")
	h.want("admin", "POST", rolloutOne+"/hold", `{"comment":"lunch"}`, http.StatusOK, "paused")
	for _, op := range []string{"resume", "rollback"} {
		code, body, _ := h.ask("approver", "POST", rolloutOne+"/"+op, `{"comment":"so"}`, "If-Match", seen)
		if code != http.StatusConflict || !strings.Contains(body, "person:admin was faster") {
			t.Errorf("%s: got %d %s", op, code, body)
		}
	}
	if code, body, _ := h.ask("approver", "POST", rolloutOne+"/resume", `{}`, "If-Match", "12"); code != http.StatusBadRequest || !strings.Contains(body, "is not an entity tag") {
		t.Errorf("got %d %s", code, body)
	}
	_, _, header = h.ask("viewer", "GET", rolloutOne, "")
	if code, body, _ := h.ask("approver", "POST", rolloutOne+"/resume", `{}`, "If-Match", header.Get("ETag")); code != http.StatusOK {
		t.Errorf("got %d %s", code, body)
	}
}

// TestAdvance_byManyAtOnce: whatever their number, one is done.
func TestAdvance_byManyAtOnce(t *testing.T) {
	h := shop(t)
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	var group sync.WaitGroup
	codes := make([]int, 8)
	for i := range codes {
		group.Go(func() {
			codes[i], _, _ = h.ask([]string{"approver", "admin"}[i%2], "POST", rolloutOne+"/advance", `{"comment":"it is time"}`)
		})
	}
	group.Wait()
	if got := fmt.Sprint(codes); strings.Count(got, "200") != 1 || strings.Count(got, "409") != 7 {
		t.Errorf("got %s, want one 200 and conflicts", got)
	}
	if n := len(h.newest().Decisions); n != 1 {
		t.Errorf("%d decisions", n)
	}
}

func TestSchedule_ofARollout(t *testing.T) {
	h := shop(t)
	h.want("editor", "POST", "/api/v1/apply", plan, http.StatusOK, "created")
	h.want("editor", "POST", rolloutOne+"/schedule", `{"at":"2026-11-02T09:00:00Z"}`, http.StatusForbidden, "may not do that")
	h.want("approver", "POST", rolloutOne+"/schedule", `{}`, http.StatusBadRequest, `"path":"at","why":"is missing"`)
	h.want("approver", "POST", rolloutOne+"/schedule", `{"at":"2026-10-02T09:00:00Z"}`, http.StatusBadRequest, "is not in the future")
	h.want("approver", "POST", rolloutOne+"/schedule", `{"at":"2026-11-02T10:00:00+01:00","comment":"Monday"}`, http.StatusOK, `"at":"2026-11-02T09:00:00Z","by":"person:approver","comment":"Monday"`)
	h.want("approver", "POST", rolloutOne+"/unschedule", `{}`, http.StatusOK, `"status":"planned"`)
	h.want("approver", "POST", rolloutOne+"/unschedule", `{}`, http.StatusConflict, "nothing has scheduled the start")
	h.want("approver", "POST", rolloutOne+"/reject", `{"comment":"not this year"}`, http.StatusOK, `"status":"rejected"`)
}

func TestReview(t *testing.T) {
	now := start
	h := shop(t, func(h *House) { h.Now = func() time.Time { return now } })
	h.want("approver", "POST", "/api/v1/apply?start=true", plan, http.StatusOK, "created")
	h.look()
	h.want("approver", "POST", rolloutOne+"/rollback", `{"comment":"customers call"}`, http.StatusOK, "")
	now = now.Add(24 * time.Hour)
	h.want("viewer", "GET", "/api/v1/review", "", http.StatusOK, `"what":"rollback"`)
	h.want("viewer", "GET", "/api/v1/review?since=2026-11-01", "", http.StatusOK, "customers call")
	h.want("viewer", "GET", "/api/v1/review?since=1h", "", http.StatusOK, `"decisions":[],"overrides":[],"incidents":[],"drills":[],"stale":[]`)
	h.want("bound", "GET", "/api/v1/review", "", http.StatusOK, `"decisions":[]`)
	for _, since := range []string{"soon", "2030-01-01"} {
		h.want("viewer", "GET", "/api/v1/review?since="+since, "", http.StatusBadRequest, "is neither a duration nor a time that has passed")
	}
}
