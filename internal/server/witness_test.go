package server

import (
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/ingest"
)

// TestDoor_window: the door takes the times that an environment says, and its own
// where it says nothing.
func TestDoor_window(t *testing.T) {
	h := newHouse(t)
	h.want("admin", "POST", "/api/v1/apply", `{apiVersion: sluice/v1, kind: Environment, key: production, events: {lateWindow: 14d, futureTolerance: 10m}}`, 200, "")
	d := Door{Projection: h.Projection, Folds: h.Folds}
	if got, want := d.Window("production"), (ingest.Window{Late: 14 * 24 * time.Hour, Ahead: 10 * time.Minute}); got != want {
		t.Errorf("production takes %+v, want %+v", got, want)
	}
	if got := d.Window("staging"); got != (ingest.Window{}) {
		t.Errorf("staging takes %+v, want what is usual", got)
	}
}

const onEvaluate = `---
apiVersion: sluice/v1
kind: Environment
key: production
events: {exposures: onEvaluate, attributes: [plan, beta, visits, list], private: [email]}
---
apiVersion: sluice/v1
kind: Environment
key: staging
events: {attributes: []}
`

// TestWitness: where an environment asks for it, a single answer of an allocation
// is recorded as an exposure of the unit that was hashed, over OFREP and over
// flagd's protocols; answers of all flags at once, of rules and of other
// environments are not.
func TestWitness(t *testing.T) {
	recorder := &ingest.Recorder{}
	h := newHouseWith(t, func(h *House) { h.Recorder = recorder })
	h.want("editor", "POST", "/api/v1/apply", documents+rolloutOfAll, 200, "")
	h.start("production/shop.checkout/1")
	const one, resolve = "/ofrep/v1/evaluate/flags/shop.checkout", "/flagd.evaluation.v1.Service/ResolveBoolean"
	ask := func(unit string, more string) string {
		return `{"context":{"targetingKey":"` + unit + `"` + more + `}}`
	}
	h.want("sdk", "POST", one, ask("u-0", ""), 200, "SPLIT") // nobody has asked for it yet
	h.want("admin", "POST", "/api/v1/apply", onEvaluate, 200, "")
	if e, _ := h.Flags.Environment("staging"); e.Events.Attributes == nil || len(e.Events.Attributes) != 0 {
		t.Errorf("a list of nothing is read as %#v", e.Events.Attributes)
	}
	h.want("sdk", "POST", one, ask("u-1", `,"plan":"pro","beta":true,"visits":7.5,"list":[1],"email":"a@example.org","country":"DE"`), 200, "SPLIT")
	h.want("sdk", "POST", one, ask("u-1", `,"plan":"free"`), 200, "SPLIT") // again
	h.ask("sdk", "POST", resolve, `{"flagKey":"shop.checkout","context":{"targetingKey":"u-2"}}`, "Content-Type", "application/json")
	h.want("sdk", "POST", bulk, ask("u-3", ""), 200, "SPLIT")
	h.want("sdk", "POST", one, ask("u-4", `,"ring":"internal"`), 200, "TARGETING_MATCH")
	h.want("sdk", "POST", one, `{"context":{}}`, 200, "DEFAULT")
	h.want("foreign", "POST", one, ask("u-5", ""), 200, "")
	if err := recorder.Flush(t.Context(), h.Intake.(*ingest.Intake), start); err != nil {
		t.Fatal(err)
	}
	got := h.stored()
	if len(got) != 2 {
		t.Fatalf("recorded %+v", got)
	}
	key := []byte("a key of the test")
	for i, unit := range []string{"u-1", "u-2"} {
		e := got[i]
		if e.Unit != ingest.UnitHash(key, "user", unit) || !e.Enrolled || e.Arm == "" || e.Rollout != "production/shop.checkout/1" || e.Source != ingest.ByEvaluation || e.Differs {
			t.Errorf("%s is recorded as %+v", unit, e)
		}
	}
	if a := got[0].Attributes; len(a) != 3 || a["plan"] != "pro" || a["beta"] != "true" || a["visits"] != "7.5" {
		t.Errorf("with the attributes %v", a)
	}
}

const rolloutOfAll = `---
apiVersion: sluice/v1
kind: Rollout
flag: shop.checkout
environment: production
owner: shop-team
unit: user
arms: {control: off, treatment: on}
metrics:
  success: [{metric: purchases, mde: 2%}]
stages:
  - {name: experiment, treatment: 50%, decide: true}
cleanup: {due: 30d, endState: promote}
`

// start starts a rollout and lets the controller act.
func (h *house) start(rollout string) {
	h.t.Helper()
	h.want("approver", "POST", "/api/v1/rollouts/"+rollout+"/start", `{}`, 200, `"running"`)
	controller := decisions.Controller{
		Log: h.Log, Blobs: h.Blobs, House: h.Projection, Flags: h.Flags, State: h.Rollouts, Facts: &decisions.MemFacts{},
	}
	if err := controller.Step(h.t.Context(), start); err != nil {
		h.t.Fatal(err)
	}
}
