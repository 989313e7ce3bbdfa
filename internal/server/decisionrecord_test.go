package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

// memRecounts counts as the record says, and with what came late one unit more.
type memRecounts struct{}

var _ Recounts = memRecounts{}

func (memRecounts) Recount(_ context.Context, r decisions.Rollout, e decisions.Evidence, late bool) (decisions.Evidence, error) {
	if late {
		stage, _ := r.Now()
		e.Units = append(e.Units, decisions.Count{Epoch: 1, Stage: stage.Name, Arm: "on", N: 1})
	}
	return e, nil
}

// decided returns a house whose rollout was started by the controller, looked at,
// and rolled back by a person; and the IDs of its decisions, oldest first.
func decided(t *testing.T) (*house, []string) {
	t.Helper()
	h := newHouseWith(t, func(h *House) { h.Recounts = memRecounts{} })
	h.want("editor", "POST", "/api/v1/apply", documents+rolloutOfAll, http.StatusOK, `"kind":"Rollout"`)
	h.start("production/shop.checkout/1")
	h.step()
	h.want("approver", "POST", "/api/v1/rollouts/production/shop.checkout/1/rollback", `{"comment":"it was slow"}`, http.StatusOK, "rollback")
	h.step()
	var all struct{ Decisions []DecisionView }
	if err := json.Unmarshal([]byte(h.want("viewer", "GET", "/api/v1/decisions", "", http.StatusOK, "")), &all); err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(all.Decisions))
	for i, d := range all.Decisions {
		ids[len(ids)-1-i] = d.ID
	}
	return h, ids
}

// step lets a controller look once.
func (h *house) step() {
	h.t.Helper()
	controller := decisions.Controller{
		Log: h.Log, Blobs: h.Blobs, House: h.Projection, Flags: h.Flags, State: h.Rollouts, Facts: &decisions.MemFacts{},
		Build: &decisions.Build{Version: "1.2.3", Revision: "c0ffee"},
	}
	if err := controller.Step(h.t.Context(), h.Now()); err != nil {
		h.t.Fatal(err)
	}
}

// TestRecord_isWhole: a record that leaves the house proves itself.
func TestRecord_isWhole(t *testing.T) {
	h, ids := decided(t)
	for i, id := range ids {
		r := decode[decisions.Record](h, "viewer", "/api/v1/decisions/"+id+"/record")
		if c, err := r.Check(); err != nil || !c.OK() || (c.Recomputed == nil) != (i == len(ids)-1) {
			t.Errorf("decision %d: %+v, %v", i, c, err)
		}
	}
	first := decode[decisions.Record](h, "viewer", "/api/v1/decisions/"+ids[0]+"/record")
	if first.Effect == nil || first.Effect.Seq != first.Decision.Effect || first.After != "experiment" {
		t.Errorf("got %+v", first)
	}
	last := decode[decisions.Record](h, "viewer", "/api/v1/decisions/"+ids[len(ids)-1]+"/record")
	in, err := last.Input()
	if err != nil || last.Recommended == nil || in == nil || in.Build == nil || in.Build.Version != "1.2.3" {
		t.Errorf("what a person decided over: %+v, %v", last, err)
	}
	h.want("viewer", "GET", "/api/v1/decisions/none/record", "", http.StatusNotFound, "decision none")
	h.want("bound", "GET", "/api/v1/decisions/"+ids[0]+"/record", "", http.StatusForbidden, "bound to staging")
}

func TestDecisionMarkdown(t *testing.T) {
	h, ids := decided(t)
	code, text, header := h.ask("viewer", "GET", "/api/v1/decisions/"+ids[1]+"/page?sql=true", "")
	if code != http.StatusOK || header.Get("Content-Type") != "text/markdown; charset=utf-8" || !strings.Contains(text, "- Code: 1.2.3, revision c0ffee") {
		t.Errorf("%d %v: %s", code, header, text)
	}
	h.want("viewer", "GET", "/api/v1/decisions/"+ids[len(ids)-1]+"/page", "", http.StatusOK, "Rationale: it was slow")
	h.want("viewer", "GET", "/api/v1/decisions/none/page", "", http.StatusNotFound, "")
	h.want("bound", "GET", "/api/v1/decisions/"+ids[0]+"/page", "", http.StatusForbidden, "")
}

func TestProveDecision(t *testing.T) {
	h, ids := decided(t)
	for _, id := range ids {
		h.want("viewer", "GET", "/api/v1/decisions/"+id+"/verify", "", http.StatusOK, `"whole":true`)
	}
	h.want("viewer", "GET", "/api/v1/decisions/none/verify", "", http.StatusNotFound, "")
	h.want("bound", "GET", "/api/v1/decisions/"+ids[0]+"/verify", "", http.StatusForbidden, "")
}

// TestRecompute makes a decision again three times; a person's cannot be.
func TestRecompute(t *testing.T) {
	h, ids := decided(t)
	path := "/api/v1/decisions/" + ids[1] + "/recompute"
	alone := decode[Recomputation](h, "viewer", path)
	if !alone.Record.Same || alone.Today != nil || alone.Late != nil || alone.Build.Revision != "c0ffee" || alone.Recorded.Action != decisions.Hold {
		t.Errorf("got %+v", alone)
	}
	all := decode[Recomputation](h, "viewer", path+"?today=true&late=true")
	if !all.Today.Same || !all.Today.SameVerdict || all.Late.Same || len(all.Late.Differences) != 1 || all.Late.Differences[0].Change != "+1" {
		t.Errorf("today %+v, late %+v", all.Today, all.Late)
	}
	if start := decode[Recomputation](h, "viewer", "/api/v1/decisions/"+ids[0]+"/recompute?today=true&late=true"); !start.Today.Same || !start.Late.Same {
		t.Errorf("before the first stage nothing is counted: %+v", start)
	}
	h.want("viewer", "GET", "/api/v1/decisions/"+ids[len(ids)-1]+"/recompute", "", http.StatusConflict, "nothing but his word was it made from; recompute "+ids[len(ids)-2])
	h.want("viewer", "GET", "/api/v1/decisions/none/recompute", "", http.StatusNotFound, "")
	h.want("bound", "GET", path, "", http.StatusForbidden, "")
}

func TestRecompute_ofAReplicaThatCountsNothing(t *testing.T) {
	h := newHouse(t)
	h.want("editor", "POST", "/api/v1/apply", documents+rolloutOfAll, http.StatusOK, "")
	h.start("production/shop.checkout/1")
	var id string
	h.Projection.View(func(uint64) {
		r, _ := h.Rollouts.Newest("production", "shop.checkout")
		id = r.Decisions[0].ID
	})
	h.want("viewer", "GET", "/api/v1/decisions/"+id+"/recompute", "", http.StatusOK, `"same":true`)
	h.want("viewer", "GET", "/api/v1/decisions/"+id+"/recompute?late=true", "", http.StatusNotFound, "counts nothing")
}

func TestOutcome(t *testing.T) {
	h, _ := decided(t)
	const path = "/api/v1/rollouts/production/shop.checkout/1/outcome"
	draft := decode[OutcomeView](h, "viewer", path)
	if draft.Outcome != nil || !strings.Contains(draft.Numbers, "it was slow") {
		t.Errorf("before anybody has written it: %+v", draft)
	}
	h.want("viewer", "POST", path, `{}`, http.StatusForbidden, "")
	h.want("editor", "POST", path, `{"happened":"","confirmed":"maybe","why":""}`, http.StatusBadRequest, "confirmed")
	h.want("editor", "POST", path, `{"happened":"it was slow","confirmed":"no","why":"a query","next":"a cache"}`, http.StatusOK, `"confirmed":"no"`)
	if got := decode[OutcomeView](h, "viewer", path); got.Outcome == nil || got.Outcome.Next != "a cache" || got.Outcome.By == "" {
		t.Errorf("got %+v", got)
	}
	h.want("viewer", "GET", "/api/v1/rollouts/production/shop.checkout/9/outcome", "", http.StatusNotFound, "")
	h.want("editor", "POST", "/api/v1/rollouts/production/shop.checkout/9/outcome", `{"happened":"a","confirmed":"no","why":"b"}`, http.StatusNotFound, "")
}

// TestEventAt finds an event of its subject alone.
func TestEventAt(t *testing.T) {
	h := shop(t)
	s := &server{House: h.House}
	e, err := s.eventAt(t.Context(), "flag.shop.checkout", h.flag("shop.checkout").Revision)
	if err != nil || e.Subject != "flag.shop.checkout" {
		t.Errorf("got %+v, %v", e, err)
	}
	for _, seq := range []uint64{1, e.Seq + 1} {
		if _, err := s.eventAt(t.Context(), "flag.shop.checkout", seq); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("event %d of flag.shop.checkout", seq)) || !errors.Is(err, event.ErrNotFound) {
			t.Errorf("event %d: %v", seq, err)
		}
	}
}
