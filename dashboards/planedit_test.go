package dashboards

import (
	"fmt"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
)

const planYAML = `apiVersion: sluice/v1
kind: Rollout
flag: shop.checkout
environment: production
owner: shop-team
unit: user
arms: {control: off, treatment: on}
metrics:
  success: [{metric: purchases, mde: 2%}]
  guardrails: [{metric: errors, margin: 1%, detect: 20%}]
stages:
  - {name: canary, treatment: 1%, minWindow: 24h}
  - {name: experiment, treatment: 50%, decide: true}
  - {name: full, serve: treatment}
cleanup: {due: 30d, endState: promote}
`

// samplePlan is what planYAML says.
func samplePlan() PlanSent {
	return PlanSent{"flag": {"shop.checkout"}, "environment": {"production"}, "owner": {"shop-team"}, "unit": {"user"}, "arms.control": {"off"}, "arms.treatment": {"on"},
		"stages[0].name": {"canary"}, "stages[0].kind": {"ramp"}, "stages[0].treatment": {"1%"}, "stages[0].minWindow": {"24h"},
		"stages[1].name": {"experiment"}, "stages[1].kind": {"decide"}, "stages[1].treatment": {"50%"}, "stages[2].name": {"full"}, "stages[2].kind": {"full"},
		"metrics.success[0].metric": {"purchases"}, "metrics.success[0].mde": {"2%"},
		"metrics.guardrails[0].metric": {"errors"}, "metrics.guardrails[0].margin": {"1%"}, "metrics.guardrails[0].detect": {"20%"},
		"cleanup.due": {"30d"}, "cleanup.endState": {"promote"}}
}

func samplePlanKnown() PlanKnown {
	return PlanKnown{Environments: []string{"production", "staging"}, Flags: []string{"shop.checkout"}, Metrics: []string{"errors", "purchases"}, Owners: []string{"shop-team", "ana"}, Segments: []string{"developers"}}
}

func planSamples() map[string]Page {
	f := sampleFrame(InRollouts)
	f.Path, f.Log, f.Environments = "/plans/draft", 412, nil
	at := PlanAt{"Edit the plan", "production/shop.checkout/1", "/rollouts/production/shop.checkout/1", Rights{Write: true, Decide: true}}
	whole := NewPlanForm(planYAML, samplePlan(), samplePlanKnown())
	checked := NewPlanEdit(f, at, whole)
	checked.Checked = NewPlanCheck(PlanEffect{Change: "changed", Of: "production/shop.checkout", Differences: []string{"stage canary waits 24h instead of 12h"}, Notes: []string{"version 2 goes on with the evidence there is"},
		Preflight: decisions.Preflight{{Name: "owner", State: decisions.Given, Path: "owner", Text: "shop-team answers for the release"}, {Name: "metric", State: decisions.Lacking, Path: "metrics.guardrails[0].metric", Text: "errors has no event of any of 14 000 units", Fix: "send its events first"}}})
	checked.Save = SavePlan(planYAML, "17", "018f", true)
	refused := NewPlanEdit(f, at, whole).Refuse(event.Invalids{{Path: "flag", Value: "shop.checkout", Why: "is not known", Fix: "define the flag first"}, {Path: "stages[1].exclude.errors", Why: "is not a guardrail"}, {Path: "rollback", Why: "is missing"}},
		"[3:7] flag \"shop.checkout\" is not known; define the flag first\n>  3 | flag: shop.checkout\n           ^")
	refused.Both = true
	return map[string]Page{
		"plan-new": NewPlanEdit(f, PlanAt{Name: "New plan", Rights: Rights{Write: true}}, NewPlanForm("apiVersion: sluice/v1\nkind: Rollout\n", PlanSent{}, PlanKnown{})),
		"plan":     checked, "plan-refused": refused, "plan-many": NewPlanEdit(f, at, manyPlan()),
	}
}

// manyPlan is a plan of twelve stages and sixty metrics.
func manyPlan() PlanForm {
	sent := samplePlan()
	for i := range 60 {
		sent[fmt.Sprintf("metrics.guardrails[%d].metric", i)] = []string{fmt.Sprintf("checkout.latency.of.a.very.long.name.%d", i)}
		if i < 12 {
			sent[fmt.Sprintf("stages[%d].name", i)] = []string{fmt.Sprintf("ramp-%d", i)}
		}
	}
	return NewPlanForm(planYAML+strings.Repeat("# and more\n", 200), sent, samplePlanKnown())
}
