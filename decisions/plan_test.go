package decisions

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/manifest"
	"github.com/sluice-hq/sluice/stats"
)

func known(t *testing.T) Known {
	h := newHouse(t)
	return Known{Metric: metric, Flag: h.flags.Flag, Segment: h.flags.Segment, FreeSlice: h.flags.FreeSlice, Owner: owner, Webhook: func(key string) string {
		if key == "release" {
			return ""
		}
		return "is not a webhook"
	}}
}

func paths(err error) []string {
	var faults event.Invalids
	var out []string
	errors.As(err, &faults)
	for _, f := range faults {
		out = append(out, f.Path)
	}
	return out
}

func TestPlanIsValid(t *testing.T) {
	if err := catsPlan().Validate(known(t)); err != nil {
		t.Error(err)
	}
}

func TestPlanIsRefused(t *testing.T) {
	k := known(t)
	percent := func(p Percent) *Percent { return &p }
	canary := func(p *Plan) *Stage { return &p.Stages[0] }
	tests := []struct {
		name, path string
		change     func(p *Plan)
	}{
		{"no flag", "flag", func(p *Plan) { p.Flag = "" }},
		{"unknown flag", "flag", func(p *Plan) { p.Flag = "gates" }},
		{"unknown environment", "environment", func(p *Plan) { p.Environment = "staging" }},
		{"environment with a dot", "environment", func(p *Plan) { p.Environment = "pro.duction" }},
		{"no owner", "owner", func(p *Plan) { p.Owner = " " }},
		{"another unit", "unit", func(p *Plan) { p.Unit = "device" }},
		{"no control", "arms.control", func(p *Plan) { p.Arms.Control = "" }},
		{"equal arms", "arms.treatment", func(p *Plan) { p.Arms.Control = "gate_40" }},
		{"arm is no variant", "arms.treatment", func(p *Plan) { p.Arms.Treatment = "gate_50" }},
		{"treatment is the safe variant", "arms.treatment", func(p *Plan) { p.Arms = Arms{Control: "gate_40", Treatment: "gate_30"} }},
		{"a link that leads nowhere", "links[1]", func(p *Plan) { p.Links = []string{"https://tickets.example/PAY-17", "PAY-17"} }},
		{"a link that runs", "links[0]", func(p *Plan) { p.Links = []string{"javascript:alert(1)"} }},
		{"a link with a password", "links[0]", func(p *Plan) { p.Links = []string{"https://ana:secret@tickets.example"} }},
		{"a link twice", "links[1]", func(p *Plan) { p.Links = []string{"https://docs.example", "https://docs.example"} }},
		{"too many links", "links", func(p *Plan) {
			for i := range mostLinks + 1 {
				p.Links = append(p.Links, fmt.Sprintf("https://docs.example/%d", i))
			}
		}},
		{"a later look before anybody came", "followUp", func(p *Plan) { p.FollowUp = Window(time.Hour) }},
		{"a later look before the end", "followUp", func(p *Plan) { p.FollowUp = -dayWindow }},
		{"a later look in three years", "followUp", func(p *Plan) { p.FollowUp = 3 * 365 * dayWindow }},
		{"no cleanup", "cleanup", func(p *Plan) { p.Cleanup = nil }},
		{"cleanup without end", "cleanup.endState", func(p *Plan) { p.Cleanup.EndState = "" }},
		{"cleanup without time", "cleanup.due", func(p *Plan) { p.Cleanup.Due = 0 }},
		{"unknown metric", "metrics.success[0].metric", func(p *Plan) { p.Metrics.Success[0].Metric = "retention" }},
		{"failures as success", "metrics.success[0].metric", func(p *Plan) { p.Metrics.Success[0].Metric = "crashes" }},
		{"failures that are better when they grow", "metrics.guardrails[1].metric", func(p *Plan) { guardFailures(p, Guardrail{Metric: "upsets", Margin: percent(0)}) }},
		{"failures against a limit", "metrics.guardrails[1].limit", func(p *Plan) { guardFailures(p, Guardrail{Metric: "crashes", Limit: "0.01"}) }},
		{"failures of everybody", "metrics.guardrails[1].margin", func(p *Plan) {
			guardFailures(p, Guardrail{Metric: "crashes", Margin: percent(10_000 * All)})
			p.Stages[0].Exclude["crashes"] = Size{Change: 1}
		}},
		{"failures within a margin, and no exclusion", "stages[0].exclude", func(p *Plan) { guardFailures(p, Guardrail{Metric: "crashes", Margin: percent(10_000)}) }},
		{"metric in two roles", "metrics.guardrails[0].metric", func(p *Plan) { p.Metrics.Guardrails[0].Metric = "day_1_retention" }},
		{"guardrail twice", "metrics.guardrails[1].metric", func(p *Plan) { p.Metrics.Guardrails = append(p.Metrics.Guardrails, p.Metrics.Guardrails[0]) }},
		{"no mde", "metrics.success[0].mde", func(p *Plan) { p.Metrics.Success[0].MDE = 0 }},
		{"margin 0 without detect", "metrics.guardrails[0].detect", func(p *Plan) { p.Metrics.Guardrails[0].Detect = Size{} }},
		{"no margin, no limit and no detect", "metrics.guardrails[0].margin", func(p *Plan) { p.Metrics.Guardrails[0] = Guardrail{Metric: "day_7_retention"} }},
		{"margin that cannot be reached", "metrics.guardrails[0].margin", func(p *Plan) { p.Metrics.Guardrails[0].Margin = percent(All) }},
		{"limit without number", "metrics.guardrails[1].limit", func(p *Plan) {
			p.Metrics.Guardrails = append(p.Metrics.Guardrails, Guardrail{Metric: "latency", Limit: "ms"})
		}},
		{"limit in another unit", "metrics.guardrails[1].limit", func(p *Plan) {
			p.Metrics.Guardrails = append(p.Metrics.Guardrails, Guardrail{Metric: "latency", Limit: "2s"})
		}},
		{"values of an attribute against a limit", "metrics.guardrails[1].within", func(p *Plan) {
			p.Metrics.Guardrails = append(p.Metrics.Guardrails, Guardrail{Metric: "latency", Limit: "200ms", Within: "region"})
		}},
		{"values of no attribute", "metrics.guardrails[0].within", func(p *Plan) { p.Metrics.Guardrails[0].Within = " " }},
		{"values of an attribute where nothing is compared", "metrics.guardrails[0].within", func(p *Plan) {
			p.Metrics = Metrics{Guardrails: []Guardrail{{Metric: "day_7_retention", Margin: percent(5000), Within: "region"}, {Metric: "latency", Limit: "200ms"}}}
			p.Stages = []Stage{{Name: "one", Serve: "treatment", Units: []string{"a"}}, {Name: "full", Serve: "treatment"}}
		}},
		{"detect beside a limit", "metrics.guardrails[1].detect", func(p *Plan) {
			p.Metrics.Guardrails = append(p.Metrics.Guardrails, Guardrail{Metric: "latency", Limit: "200ms", Detect: Size{Change: 5000}})
		}},
		{"breach that ships", "metrics.guardrails[0].onBreach", func(p *Plan) { p.Metrics.Guardrails[0].OnBreach = Ship }},
		{"loss that expands", "metrics.success[0].onLoss", func(p *Plan) { p.Metrics.Success[0].OnLoss = Expand }},
		{"inconclusive that ships", "metrics.success[0].onInconclusive", func(p *Plan) { p.Metrics.Success[0].OnInconclusive = Ship }},
		{"missing telemetry that expands", "health.telemetry.onMissing", func(p *Plan) { p.Health.Telemetry.OnMissing = Expand }},
		{"certain false alarm", "health.srm.alpha", func(p *Plan) { p.Health.SRM.Alpha = 1 }},
		{"no stages", "stages", func(p *Plan) { p.Stages = nil }},
		{"stage without name", "stages[0].name", func(p *Plan) { canary(p).Name = "" }},
		{"stage name twice", "stages[1].name", func(p *Plan) { p.Stages[1].Name = "canary" }},
		{"stage that does nothing", "stages[0]", func(p *Plan) { p.Stages[0] = Stage{Name: "canary"} }},
		{"more than half", "stages[1].treatment", func(p *Plan) { p.Stages[1].Treatment = 51_000 }},
		{"shrinking", "stages[1].treatment", func(p *Plan) { p.Stages[1].Treatment = 4000 }},
		{"no exclude", "stages[0].exclude", func(p *Plan) { canary(p).Exclude = nil }},
		{"exclude of no guardrail", "stages[0].exclude.day_1_retention", func(p *Plan) { canary(p).Exclude["day_1_retention"] = Size{Change: 10_000} }},
		{"exclude that cannot be reached", "stages[0].exclude.day_7_retention", func(p *Plan) { canary(p).Exclude["day_7_retention"] = Size{Change: 2 * All} }},
		{"a decision that nothing could prove", "stages[1]", func(p *Plan) { p.Metrics.Success = nil }},
		{"serve of a variant", "stages[0].serve", func(p *Plan) { p.Stages[0] = Stage{Name: "staff", Serve: "gate_40", When: staff()} }},
		{"audience that is no condition", "stages[0].when.op", func(p *Plan) {
			p.Stages[0] = Stage{Name: "staff", Serve: "treatment", When: &flags.Condition{Attribute: "ring", Op: "is"}}
		}},
		{"serve and treatment", "stages[0].treatment", func(p *Plan) { p.Stages[0].Serve, p.Stages[0].When = "treatment", staff() }},
		{"full without deciding", "stages[0]", func(p *Plan) { p.Stages = []Stage{{Name: "full", Serve: "treatment"}} }},
		{"stage behind deciding", "stages[2]", func(p *Plan) {
			p.Stages = append(p.Stages, Stage{Name: "more", Treatment: 50_000, Exclude: map[string]Size{"day_7_retention": {Change: 9000}}})
		}},
		{"audience behind a ramp", "stages[1]", func(p *Plan) { p.Stages[1] = Stage{Name: "staff", Serve: "treatment", When: staff()} }},
		{"a full stage of a least window", "stages[2].minWindow", func(p *Plan) {
			p.Stages = append(p.Stages, Stage{Name: "full", Serve: "treatment", MinWindow: 7 * dayWindow})
		}},
		{"a full stage of a longest window", "stages[2].maxWindow", func(p *Plan) {
			p.Stages = append(p.Stages, Stage{Name: "full", Serve: "treatment", MaxWindow: 7 * dayWindow})
		}},
		{"full twice, of few units", "stages[2]", func(p *Plan) {
			p.Metrics = Metrics{Guardrails: []Guardrail{{Metric: "latency", Limit: "200ms"}}}
			p.Stages = []Stage{{Name: "one", Serve: "treatment", Units: []string{"a"}}, {Name: "full", Serve: "treatment"}, {Name: "more", Serve: "treatment"}}
		}},
		{"holdback while comparing", "stages[0]", func(p *Plan) { canary(p).Holdback = 1000 }},
		{"window that ends before it begins", "stages[0].maxWindow", func(p *Plan) { canary(p).MinWindow, canary(p).MaxWindow = 2, 1 }},
		{"eligible are no segment", "eligible", func(p *Plan) { p.Eligible = "low-risk" }},
		{"layer that is not there", "layer.name", func(p *Plan) { p.Layer = &LayerPlan{Name: "checkout", Share: 1000} }},
		{"layer without a name", "layer.name", func(p *Plan) { p.Layer = &LayerPlan{Share: 1000} }},
		{"share of nobody", "layer.share", func(p *Plan) { p.Layer = &LayerPlan{Name: "checkout"} }},
		{"segment that is not there", "stages[0].to", func(p *Plan) { p.Stages[0] = Stage{Name: "staff", Serve: "treatment", To: "employees"} }},
		{"segment in a condition", "stages[0].when", func(p *Plan) {
			p.Stages[0] = Stage{Name: "staff", Serve: "treatment", When: &flags.Condition{Op: flags.NotInSegment, Value: "employees"}}
		}},
		{"segment beside a condition", "stages[0].to", func(p *Plan) {
			p.Stages[0] = Stage{Name: "staff", Serve: "treatment", To: "staff", When: staff()}
		}},
		{"owner who is nobody", "owner", func(p *Plan) { p.Owner = "nobody" }},
		{"rollback owner who is nobody", "rollback.owners[1]", func(p *Plan) { p.Rollback.Owners = []string{"games", "nobody"} }},
		{"dark and serve", "stages[0].dark", func(p *Plan) { p.Stages[0] = Stage{Name: "dark", Dark: true, Serve: "treatment"} }},
		{"dark that asks for units", "stages[0]", func(p *Plan) { p.Stages[0] = Stage{Name: "dark", Dark: true, MinUnits: 10} }},
		{"dark behind a ramp", "stages[1]", func(p *Plan) { p.Stages[1] = Stage{Name: "dark", Dark: true} }},
		{"units that are compared", "stages[0].units", func(p *Plan) { canary(p).Units = []string{"eu-west"} }},
		{"a unit twice", "stages[0].units[1]", func(p *Plan) {
			p.Stages[0] = Stage{Name: "eu", Serve: "treatment", Units: []string{"eu-west", "eu-west"}}
		}},
		{"a unit that is served", "stages[1].units[0]", func(p *Plan) {
			p.Stages = []Stage{{Name: "one", Serve: "treatment", Units: []string{"a"}}, {Name: "two", Serve: "treatment", Units: []string{"a", "b"}}}
		}},
		{"units and no level", "stages[1]", func(p *Plan) {
			p.Metrics = Metrics{Guardrails: []Guardrail{{Metric: "latency", Margin: percent(5000)}}}
			p.Stages = []Stage{{Name: "one", Serve: "treatment", Units: []string{"a"}}, {Name: "full", Serve: "treatment"}}
		}},
		{"arms of the stage that decides", "stages[1].arms", func(p *Plan) { p.Stages[1].Arms = &Arms{Treatment: "gate_40"} }},
		{"arm of a stage that is no variant", "stages[0].arms.treatment", func(p *Plan) { canary(p).Arms = &Arms{Treatment: "gate_50"} }},
		{"arms of a stage the other way round", "stages[0].arms", func(p *Plan) { canary(p).Arms = &Arms{Control: "gate_40", Treatment: "gate_30"} }},
		{"an audience that shrinks", "stages[1]", func(p *Plan) { p.Stages[1].When = staff() }},
		{"a ramp that goes down", "stages[0].ramp", func(p *Plan) { *canary(p) = ramped(Steps{From: 5000, To: 1000, Times: 2, Every: dayWindow}) }},
		{"a ramp that stands still", "stages[0].ramp", func(p *Plan) { *canary(p) = ramped(Steps{From: 1000, To: 5000, Times: 1, Every: dayWindow}) }},
		{"a ramp that grows twice", "stages[0].ramp", func(p *Plan) {
			*canary(p) = ramped(Steps{From: 1000, To: 5000, Times: 2, Plus: 1000, Every: dayWindow})
		}},
		{"a ramp of no time", "stages[0].ramp", func(p *Plan) { *canary(p) = ramped(Steps{From: 1000, To: 5000, Times: 2}) }},
		{"a ramp of a thousand steps", "stages[0].ramp", func(p *Plan) { *canary(p) = ramped(Steps{From: 1, To: 5000, Plus: 1, Every: dayWindow}) }},
		{"a ramp to more than half", "stages[0].treatment", func(p *Plan) { *canary(p) = ramped(Steps{From: 1000, To: 60_000, Times: 2, Every: dayWindow}) }},
		{"no such template", "template", func(p *Plan) { p.Template = "waterfall" }},
		{"a stage that the template has not", "stages[0].name", func(p *Plan) { p.Template = TemplateRings }},
		{"a condition on nothing", "stages[0].advanceWhen[0]", func(p *Plan) { canary(p).AdvanceWhen = []Condition{{}} }},
		{"a condition on two things", "stages[0].pauseWhen[0]", func(p *Plan) { canary(p).PauseWhen = []Condition{{Check: "load", Manual: "games"}} }},
		{"a condition on no guardrail", "stages[0].rollbackWhen[0].guardrail", func(p *Plan) { canary(p).RollbackWhen = []Condition{{Guardrail: "latency"}} }},
		{"a condition to advance that can never be met", "stages[0].advanceWhen[0].guardrail", func(p *Plan) {
			p.Stages = append([]Stage{{Name: "staff", Serve: "treatment", When: staff(), AdvanceWhen: []Condition{{Guardrail: "day_7_retention"}}}}, p.Stages...)
		}},
		{"a condition to advance on a margin of 0", "stages[0].advanceWhen[0].guardrail", func(p *Plan) { canary(p).AdvanceWhen = []Condition{{Guardrail: "day_7_retention"}} }},
		{"a condition that never stops an audience", "stages[0].rollbackWhen[0].guardrail", func(p *Plan) {
			p.Stages = append([]Stage{{Name: "staff", Serve: "treatment", When: staff(), RollbackWhen: []Condition{{Guardrail: "day_7_retention"}}}}, p.Stages...)
		}},
		{"a condition that never stops the dark", "stages[0].pauseWhen[0].guardrail", func(p *Plan) {
			p.Stages = append([]Stage{{Name: "dark", Dark: true, PauseWhen: []Condition{{Guardrail: "day_7_retention"}}}}, p.Stages...)
		}},
		{"a condition on no severity", "stages[0].pauseWhen[0].incident", func(p *Plan) { canary(p).PauseWhen = []Condition{{Incident: "awful"}} }},
		{"a condition on nobody", "stages[0].advanceWhen[0].manual", func(p *Plan) { canary(p).AdvanceWhen = []Condition{{Manual: "nobody"}} }},
		{"a condition twice", "stages[0].pauseWhen[1]", func(p *Plan) { canary(p).PauseWhen = []Condition{{Check: "load"}, {Check: "load"}} }},
		{"a condition that pauses and rolls back", "stages[0].pauseWhen[0]", func(p *Plan) {
			canary(p).PauseWhen, canary(p).RollbackWhen = []Condition{{Check: "load"}}, []Condition{{Check: "load"}}
		}},
		{"a check without a name", "stages[0].requires[0]", func(p *Plan) { canary(p).Requires = []string{"load test"} }},
		{"a check twice", "stages[0].requires[1]", func(p *Plan) { canary(p).Requires = []string{"load", "load"} }},
		{"breakdown by nothing", "metrics.breakdowns[0]", func(p *Plan) { p.Metrics.Breakdowns = []string{" "} }},
		{"breakdown twice", "metrics.breakdowns[1]", func(p *Plan) { p.Metrics.Breakdowns = []string{"plan", "plan"} }},
		{"too many breakdowns", "metrics.breakdowns", func(p *Plan) { p.Metrics.Breakdowns = strings.Split("abcdef", "") }},
		{"told to nobody", "rollback.notify[1]", func(p *Plan) { p.Rollback.Notify = []string{"webhook:release", "#releases"} }},
		{"told to a webhook of no name", "rollback.notify[0]", func(p *Plan) { p.Rollback.Notify = []string{"webhook:"} }},
		{"told to a webhook that is none", "rollback.notify[0]", func(p *Plan) { p.Rollback.Notify = []string{"webhook:support"} }},
	}
	for _, test := range tests {
		p := catsPlan()
		test.change(&p)
		if got := paths(p.Validate(k)); !slices.Contains(got, test.path) {
			t.Errorf("%s: faults at %v, want one at %s", test.name, got, test.path)
		}
	}
}

// Where nothing is compared a level answers, and a declared rate of failures can
// stop.
func TestConditionOfAStageThatComparesNothing(t *testing.T) {
	k, margin := known(t), Percent(0)
	metric := k.Metric
	k.Metric = func(key string) (stats.Metric, bool) {
		if key == "errors" {
			return stats.Metric{Key: key, Event: "error", Aggregate: stats.Failures, Direction: stats.Decrease, Rate: 0.01}, true
		}
		return metric(key)
	}
	p := catsPlan()
	p.Metrics.Guardrails = append(p.Metrics.Guardrails, Guardrail{Metric: "latency", Limit: "200ms"}, Guardrail{Metric: "errors", Margin: &margin})
	p.Stages = append([]Stage{{
		Name: "staff", Serve: "treatment", When: staff(),
		AdvanceWhen: []Condition{{Guardrail: "latency"}}, RollbackWhen: []Condition{{Guardrail: "errors"}},
	}}, p.Stages...)
	if err := p.Validate(k); err != nil {
		t.Error(err)
	}
	p.Stages[0].AdvanceWhen[0].Guardrail = "errors"
	if got := paths(p.Validate(k)); !slices.Contains(got, "stages[0].advanceWhen[0].guardrail") {
		t.Errorf("faults at %v: no rate shows that an audience is safe", got)
	}
}

// ramped is a stage of steps.
func ramped(s Steps) Stage {
	return Stage{Name: "ramp", Ramp: &s, Exclude: map[string]Size{"day_7_retention": {Change: 50_000}}}
}

// owner says who is known.
func owner(key string) string {
	if key == "nobody" {
		return "is neither a person nor a team"
	}
	return ""
}

func staff() *flags.Condition {
	return &flags.Condition{Attribute: "ring", Op: flags.In, Values: []any{"staff"}}
}

func TestAllFaultsAtOnce(t *testing.T) {
	err := Plan{}.Validate(Known{})
	want := []string{"flag", "environment", "owner", "unit", "arms.treatment", "arms.control", "cleanup", "stages"}
	if diff := cmp.Diff(want, paths(err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A document with every key there is parses and is taken whole; what is wrong
// with one is shown where it stands.
func TestWholeDocument(t *testing.T) {
	source, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := manifest.Split(source)
	if err != nil {
		t.Fatal(err)
	}
	var p Plan
	if err := docs[0].Decode(&p); err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(Known{}); err != nil {
		t.Errorf("refused: %v", err)
	}
	p.Metrics.Guardrails[2].Limit = "10"
	if text := docs[0].Annotate(p.Validate(Known{})).Error(); !strings.Contains(text, "within: region") {
		t.Errorf("the faults do not show where they stand:\n%s", text)
	}
}

func TestDocumentRefusesNonsense(t *testing.T) {
	for _, line := range []string{
		"stages: [{name: a, treatment: 5}]", "stages: [{name: a, treatment: 5%, minWindow: 0s}]",
		"stages: [{name: a, treatment: 5%, exclude: {m: 0%}}]", "stages: [{name: a, treatment: -5%}]",
		"stages: [{name: a, treatment: 5%, minWidow: 24h}]", "incidents: {critical: explode}",
	} {
		docs, err := manifest.Split([]byte("apiVersion: sluice/v1\nkind: Rollout\n" + line + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		var p Plan
		if err := docs[0].Decode(&p); err == nil {
			t.Errorf("%s: read as %+v, want a refusal", line, p.Stages)
		}
	}
}

func TestTextForms(t *testing.T) {
	for text, want := range map[string]Percent{"5%": 5000, "0.5%": 500, "0%": 0, "100%": All, "0.001%": 1, "250%": 250_000} {
		got, err := event.ParsePercent(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %d, %s, %v", text, got, got, err)
		}
	}
	for text, want := range map[string]Size{"30%": {Change: 30_000}, "5x": {Change: 400_000, Factor: true}, "1.5x": {Change: 50_000, Factor: true}} {
		got, err := event.ParseSize(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %+v, %s, %v", text, got, got, err)
		}
	}
	for _, text := range []string{"", "5", "%", "-1%", "5 %", "NaN%", "Inf%", "1e3%", "0x5%", "0.0001%", "9999999%", "1_0%"} {
		if got, err := event.ParsePercent(text); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
	for _, text := range []string{"", "1x", "x", "0.5x", "NaNx", "Infx", "0%"} {
		if got, err := event.ParseSize(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

func TestFilledPlanIsFixed(t *testing.T) {
	p := catsPlan().Filled()
	if n := len(p.Stages); n != 3 || p.Stages[2].Kind() != Full || p.Stages[2].Observe != DefaultObserve {
		t.Errorf("stages %+v, want a full one at the end", p.Stages)
	}
	again, err := json.Marshal(p.Filled())
	once, _ := json.Marshal(p)
	if err != nil || string(again) != string(once) {
		t.Errorf("filling twice changes the plan:\n%s\n%s", once, again)
	}
	var back Plan
	if err := json.Unmarshal(once, &back); err != nil || !cmp.Equal(p, back) {
		t.Errorf("a plan does not survive its JSON: %v", cmp.Diff(p, back))
	}
}

// A flag that was imported gets a rollout when it can be rolled back and
// nothing decides before the rollout could.
func TestPlanOfAnImportedFlagIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		change func(*flags.Recorded, *flags.Environment)
	}{
		"no safe variant": {"flag", func(f *flags.Recorded, _ *flags.Environment) { f.Safe, f.CodeDefault = "", true }},
		"targeting":       {"environment", func(_ *flags.Recorded, e *flags.Environment) { e.Targeting = flags.Logic(`"gate_30"`) }},
	} {
		k := known(t)
		defined := k.Flag
		k.Flag = func(key string) (flags.Recorded, bool) {
			f, ok := defined(key)
			e := f.Environments["production"]
			c.change(&f, &e)
			f.Environments["production"] = e
			return f, ok
		}
		if got := paths(catsPlan().Validate(k)); !slices.Equal(got, []string{c.path}) {
			t.Errorf("%s: faults at %v, want one at %s", name, got, c.path)
		}
	}
}

// Ratios and quantiles have every role that means have.
func TestPlan_takesRatiosAndQuantiles(t *testing.T) {
	p := catsPlan()
	p.Metrics.Success = append(p.Metrics.Success, Success{Metric: "per_round", MDE: 2000})
	p.Metrics.Guardrails = append(p.Metrics.Guardrails, Guardrail{Metric: "latency_p95", Limit: "200ms"})
	p.Metrics.Diagnostics = append(p.Metrics.Diagnostics, Diagnostic{Metric: "latency"})
	h := newHouse(t)
	h.begin(p)
	if r := h.rollout(); r.Status != Running || r.Metrics["per_round"].Denominator == nil || r.Metrics["latency_p95"].Nu != 0.95 {
		t.Errorf("%s with %+v", r.Status, r.Metrics)
	}
}
