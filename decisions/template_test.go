package decisions

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/manifest"
)

func TestTemplates(t *testing.T) {
	for name, want := range map[string][]string{
		TemplateRelease: {"developers serve", "canary ramp", "ramp ramp", "experiment decide", "full full"},
		TemplateRings:   {"internal serve", "beta serve", "early serve", "experiment decide", "full full"},
		TemplateSteps:   {"step-5 ramp", "step-10 ramp", "step-25 ramp", "experiment decide", "full full"},
		TemplateAgent:   {"draft-only serve", "tool-preview serve", "low-risk ramp", "experiment decide", "full full"},
		TemplateGates:   {"canary ramp", "experiment decide", "full full"},
	} {
		p := catsPlan()
		p.Template = name
		if name != TemplateGates {
			p.Stages = nil
		}
		got := p.Filled()
		if diff := cmp.Diff(want, names(got)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if diff := cmp.Diff(got, got.Filled()); diff != "" || got.Origin != name {
			t.Errorf("%s: filling twice changes the plan:\n%s", name, diff)
		}
	}
	if len(Templates()) != 5 {
		t.Errorf("templates are %v", Templates())
	}
}

// The gate of a template is to exclude as much harm as the share can: the margin
// of 4 % at 50 %, and at 5 % the root of ten times as much, 12.6 %.
func TestTemplatesFillGates(t *testing.T) {
	p := catsPlan()
	p.Template, p.Stages = TemplateSteps, nil
	p.Stages = []Stage{{Name: "step-25", Treatment: 25_000, MinWindow: Window(time.Hour), Exclude: map[string]Size{"day_7_retention": {Change: 9000}}}}
	got := p.Filled()
	for stage, want := range map[string]Percent{"step-5": 13_000, "step-10": 9000, "step-25": 9000} {
		if s, _ := got.stage(stage); s.Exclude["day_7_retention"].Change != want {
			t.Errorf("%s excludes %v, want %v", stage, s.Exclude, want)
		}
	}
	if s, _ := got.stage("step-25"); s.MinWindow != Window(time.Hour) {
		t.Errorf("the plan's own stage lasts %s", s.MinWindow)
	}
	if s, _ := got.stage("experiment"); len(s.Exclude) > 0 {
		t.Errorf("a stage that decides asks for its margins, not for %v", s.Exclude)
	}
	// What is better when it grows cannot lose more than all of itself.
	loose := Percent(60_000)
	p.Metrics.Guardrails[0].Margin = &loose
	filled, _ := p.filled(Known{Metric: metric})
	if s, _ := filled.stage("step-5"); s.Exclude["day_7_retention"].Change != 90_000 {
		t.Errorf("excludes %v", s.Exclude)
	}
	if err := p.Validate(known(t)); err != nil {
		t.Error(err)
	}
}

// The documents of the templates are whole plans.
func TestTemplateDocuments(t *testing.T) {
	for _, name := range Templates() {
		source, err := os.ReadFile("testdata/templates/" + name + ".yaml")
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
		if err := docs[0].Annotate(p.Validate(Known{})); err != nil || p.Template != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An agent's release serves drafts before tools: the first stage has a variant of
// its own.
func TestAgentServesDraftsFirst(t *testing.T) {
	p := Plan{Template: TemplateAgent, Arms: Arms{Control: "draft", Treatment: "tools"}}.Filled()
	r := Rollout{Standing: Standing{ID: "production/agent/1"}, Number: 1, Plan: p}
	p.Environment = "production"
	first := Decision{Verdict: Verdict{Action: Expand, Stage: 0}}.changes(r, flags.Recorded{})
	second := Decision{Verdict: Verdict{Action: Expand, Stage: 1}}.changes(r, flags.Recorded{})
	if first[0].Rule.Serve != "draft" || second[0].Rule.Serve != "tools" {
		t.Errorf("%+v, %+v", first[0].Rule, second[0].Rule)
	}
	if i := slices.IndexFunc(p.Stages, func(s Stage) bool { return s.Name == "low-risk" }); p.Stages[i].To != "low-risk-cases" {
		t.Errorf("%+v", p.Stages[i])
	}
	// Low-risk cases are one audience, everybody another: the experiment is an epoch of its own.
	if diff := cmp.Diff([]int{0, 0, 1, 2, 3}, p.epochs()); diff != "" {
		t.Errorf("epochs: -want +got:\n%s", diff)
	}
}
