package dashboards

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/decisions/rehearsal"
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
	ahead := NewPlanEdit(f, at, whole).Foresee(sampleOutlook())
	ahead.Tried = NewPlanRehearsal(Rehearsed{Report: sampleRehearsal(), Every: event.Duration(3 * time.Hour), Of: 20})
	begun := NewPlanEdit(f, at, whole)
	begun.Tried = NewPlanRehearsal(Rehearsed{Report: sampleRehearsal(), Every: event.Duration(3 * time.Hour), Of: 60, Next: 60})
	unknown := NewPlanEdit(f, at, whole)
	unknown.Unknown = "this replica knows no past"
	return map[string]Page{
		"plan-new":   NewPlanEdit(f, PlanAt{Name: "New plan", Rights: Rights{Write: true}}, NewPlanForm("apiVersion: sluice/v1\nkind: Rollout\n", PlanSent{}, PlanKnown{})),
		"plan-ahead": ahead, "plan-begun": begun, "plan-unknown": unknown,
		"plan": checked, "plan-refused": refused, "plan-many": NewPlanEdit(f, at, manyPlan()),
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

func sampleOutlook() decisions.Outlook {
	day := func(d float64) *float64 { return &d }
	curve := func(metric, role string, wanted float64) decisions.Curve {
		c := decisions.Curve{Metric: metric, Role: role, Wanted: wanted}
		for i := 1; i <= 20; i++ {
			c.Points = append(c.Points, decisions.SmallestSeen{Day: float64(i), Effect: 0.2 / float64(i)})
		}
		return c
	}
	return decisions.Outlook{
		Past: decisions.Past{From: at.Add(-14 * 24 * time.Hour), Until: at, Units: 140_000, Queries: []decisions.Query{{SQL: "SELECT 1", Of: []string{"units"}}}},
		Days: nil, Warnings: []string{"A stage that serves an audience compares nothing; it takes its shortest window"},
		Stages: []decisions.StageOutlook{
			{Stage: "canary", Kind: decisions.Ramp, Begins: day(0), Days: day(1.5), Waits: "exclude errors", Units: 150,
				Asks: []decisions.Asked{{Metric: "errors", Asks: "exclude", Size: 0.3, Units: 120, Days: day(1.5)}, {Metric: "crashes", Asks: "exclude", Size: 4, Units: 100, AtLeast: true, Days: day(1.5)}}, Sees: []decisions.Seen{{Metric: "errors", Detects: 0.4, Excludes: 0.3}, {Metric: "crashes", Stops: 8, Notices: 0.002}}},
			{Stage: "experiment", Kind: decisions.Decide, Begins: day(1.5), Days: day(28), Waits: "success", Units: 140_000, Late: true,
				Asks: []decisions.Asked{{Metric: "purchases", Asks: "success", Size: 0.02, Units: 800_000}, {Metric: "errors", Asks: "margin", Size: 0.01, Refused: "no unit of the past is old enough for it"}}},
			{Stage: "full", Kind: decisions.Full},
		},
		Power: []decisions.Curve{curve("purchases", "success", 0.02), curve("errors", "guardrail", 0.001), curve("latency", "guardrail", 0), curve("contacts", "guardrail", 0.1), curve("returns", "guardrail", 0.1)},
	}
}

func sampleRehearsal() rehearsal.Report {
	began := event.Duration(0)
	first := rehearsal.Run{Decisions: []rehearsal.Decided{{After: event.Duration(24 * time.Hour), Action: decisions.Expand, Text: "every check is passed"}}}
	breach := first
	breach.Began = &began
	return rehearsal.Report{Seed: 1, Seeds: 20, Scenarios: []rehearsal.Summary{
		{Scenario: rehearsal.Scenario{Name: "healthy"}, Runs: 20, Ended: map[rehearsal.End]int{rehearsal.Shipped: 17, rehearsal.Reviewed: 3}, Alarms: 1, First: first},
		{Scenario: rehearsal.Scenario{Name: "breach 20% of errors"}, Runs: 20, Ended: map[rehearsal.End]int{rehearsal.RolledBack: 20}, Detected: 20, First: breach,
			Detection: rehearsal.Spread{N: 20, Low: 6, Middle: 9, High: 31}, Harmed: rehearsal.Spread{N: 20, Low: 210, Middle: 480, High: 3100}},
	}}
}

// TestPlanSent_Amendments: the form says what differs, row by row, and what a
// stage of another kind says and does not.
func TestPlanSent_Amendments(t *testing.T) {
	was := samplePlan()
	was["stages[1].pauseWhen"] = []string{"check: budget"}
	for name, c := range map[string]struct {
		change map[string]string
		want   []Amendment
	}{
		"nothing":                             {nil, nil},
		"a word":                              {map[string]string{"owner": " ana "}, []Amendment{{"owner", "ana"}}},
		"none":                                {map[string]string{"cleanup.due": ""}, []Amendment{{"cleanup.due", nil}}},
		"a row goes":                          {map[string]string{"metrics.success[0].metric": "", "metrics.success[0].mde": ""}, []Amendment{{"metrics.success[0]", nil}}},
		"a row comes":                         {map[string]string{"metrics.success[1].metric": "visits"}, []Amendment{{"metrics.success[1].metric", "visits"}}},
		"a list":                              {map[string]string{"rollback.owners": "ana,  shop-team"}, []Amendment{{"rollback.owners", []any{"ana", "shop-team"}}}},
		"a truth":                             {map[string]string{"rollback.lockUntilExplained": "false"}, []Amendment{{"rollback.lockUntilExplained", false}}},
		"a number":                            {map[string]string{"stages[0].approve": "2"}, []Amendment{{"stages[0].approve", int64(2)}}},
		"no number":                           {map[string]string{"stages[0].approve": "two"}, []Amendment{{"stages[0].approve", "two"}}},
		"harm to exclude":                     {map[string]string{"stages[0].exclude": "errors: 30%, checkout.latency:5x, x"}, []Amendment{{"stages[0].exclude", map[string]string{"errors": "30%", "checkout.latency": "5x", "x": ""}}}},
		"addresses":                           {map[string]string{"links": "https://a.example/x,y\r\nhttps://b.example"}, []Amendment{{"links", []any{"https://a.example/x,y", "https://b.example"}}}},
		"a fraction":                          {map[string]string{"health.srm.alpha": "0.002"}, []Amendment{{"health.srm.alpha", 0.002}}},
		"no fraction":                         {map[string]string{"health.srm.alpha": "NaN"}, []Amendment{{"health.srm.alpha", "NaN"}}},
		"the full stage alone":                {map[string]string{"stages[2].holdback": "1%"}, []Amendment{{"stages[2].holdback", "1%"}}},
		"conditions":                          {map[string]string{"stages[1].advanceWhen": "manual: games, check: load-test"}, []Amendment{{"stages[1].advanceWhen", []any{map[string]string{"manual": "games"}, map[string]string{"check": "load-test"}}}}},
		"a gate empties, and its stage stays": {map[string]string{"stages[1].pauseWhen": ""}, []Amendment{{"stages[1].pauseWhen", nil}}},
		"another kind":                        {map[string]string{"stages[0].kind": "decide"}, []Amendment{{"stages[0].serve", nil}, {"stages[0].dark", nil}, {"stages[0].holdback", nil}, {"stages[0].decide", true}}},
	} {
		sent := samplePlan()
		sent["metrics.success[1].metric"], sent["stages[1].pauseWhen"] = []string{""}, []string{"check: budget"}
		for i := range 3 {
			sent[fmt.Sprintf("stages[%d].minUnits", i)] = []string{""}
		}
		for path, value := range c.change {
			sent[path] = []string{value}
		}
		if diff := cmp.Diff(c.want, sent.Amendments(was)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestPlanForm_Refuse puts a fault where the person can mend it.
func TestPlanForm_Refuse(t *testing.T) {
	f := NewPlanForm(planYAML, samplePlan(), samplePlanKnown()).Refuse(event.Invalids{
		{Path: "stages[1].exclude.errors", Why: "is no guardrail"}, {Path: "arms.control", Why: "is not there", Fix: "write off"}, {Path: "health.srm", Why: "is odd"},
	}, "[1:1] so")
	if gate := f.Tables[1].Rows[1].Fields[1].Field; gate.Name != "stages[1].exclude" || gate.Fault != "is no guardrail" {
		t.Errorf("at the gate: %+v", gate)
	}
	if got := f.Parts[1].Fields[0].Field.Fault; got != "is not there: write off" {
		t.Errorf("at the arm: %q", got)
	}
	if len(f.Faults) != 1 || f.Lines != "[1:1] so" {
		t.Errorf("beside the fields: %q, %q", f.Faults, f.Lines)
	}
}

// TestPowerChart: the line falls from day to day, and the sentence says when the
// wanted effect shows.
func TestPowerChart(t *testing.T) {
	c := powerChart(sampleOutlook().Power[0], 0)
	if !strings.Contains(c.Desc, "The plan wants 2.00\u00a0%: by day 10.") && !strings.Contains(c.Desc, "by day 10.") {
		t.Errorf("it says %q", c.Desc)
	}
	if len(c.Table.Rows) != 20 || len(c.Shapes) != 2 {
		t.Errorf("%d rows and %d shapes", len(c.Table.Rows), len(c.Shapes))
	}
	if !strings.HasPrefix(string(c.Shapes[1].D), "M") || strings.Count(string(c.Shapes[1].D), "L") == 0 && strings.Count(string(c.Shapes[1].D), " ") < 19 {
		t.Errorf("the line is %s", c.Shapes[1].D)
	}
}
