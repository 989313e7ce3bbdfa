package decisions

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// policy writes a policy for every flag.
func (h *house) policy(asks flags.Releases) {
	h.t.Helper()
	doc := flags.Policy{Key: "releases", Rollouts: asks}
	e, expect, err := h.flags.HandlePolicy(flags.PolicyCommand{
		Order: flags.Order{ID: h.id("policy"), Expect: event.Any, At: h.now, Actor: ana}, Key: doc.Key, Policy: &doc,
	})
	h.write(e, expect, err)
}

func governed() flags.Releases {
	return flags.Releases{
		Guardrails: []flags.ReleaseGuardrail{
			{Metric: "support_contacts", Margin: ptr(Percent(10_000)), Exclude: Size{Change: 80_000}, OnBreach: "pause"},
			{Metric: "day_7_retention", Margin: ptr(Percent(1000))},
			{Metric: "latency", Limit: "200ms"},
		},
		Requires: []string{"load-test"}, MinWindow: event.Duration(2 * time.Hour), Approvals: flags.Approvals{Count: 2, Role: "approver"},
	}
}

// A plan takes from policies what it does not say itself.
func TestPlansTakeFromPolicies(t *testing.T) {
	h := newHouse(t)
	h.policy(governed())
	got := h.state.Filled(catsPlan())
	var rails []string
	for _, g := range got.Metrics.Guardrails {
		rails = append(rails, g.Metric+" "+string(g.OnBreach))
	}
	if diff := cmp.Diff([]string{"day_7_retention rollback", "support_contacts pause", "latency rollback"}, rails); diff != "" {
		t.Errorf("guardrails: -want +got:\n%s", diff)
	}
	if own := got.Metrics.Guardrails[0]; *own.Margin != 0 {
		t.Errorf("the plan's own margin is %v now", own.Margin)
	}
	canary := got.Stages[0]
	if canary.Exclude["support_contacts"].Change != 80_000 || canary.MinWindow != Window(2*time.Hour) || !slices.Equal(canary.Requires, []string{"load-test"}) {
		t.Errorf("canary %+v", canary)
	}
	if full := got.Stages[2]; len(full.Requires) > 0 || full.MinWindow > 0 {
		t.Errorf("full %+v", full)
	}
	if again := h.state.Filled(got); !equal(again, got) {
		t.Errorf("filling twice changes the plan: %v", DiffPlans(got, again))
	}
	if asked := h.state.Policy(got); asked.Approvals.Count != 2 {
		t.Errorf("approvals %+v", asked.Approvals)
	}
}

func TestPlansAgainstPoliciesAreRefused(t *testing.T) {
	h := newHouse(t)
	asks := governed()
	asks.Requires, asks.Guardrails = nil, asks.Guardrails[:2]
	asks.Require = []flags.Required{flags.RequireTicket, flags.RequireHypothesis}
	h.policy(asks)
	p := catsPlan()
	p.Stages[0].MinWindow = Window(time.Hour)
	p.Metrics.Diagnostics = []Diagnostic{{Metric: "support_contacts"}}
	_, _, err := h.try(Command{Op: OpPlan, Plan: &p})
	want := []string{"metrics.diagnostics[0].metric", "stages[0].minWindow", "cleanup.ticket", "hypothesis"}
	if diff := cmp.Diff(want, paths(err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A plan that was written before a policy is written again before it starts.
func TestStart_asksPoliciesOfNow(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	h.do(Command{Op: OpPlan, Plan: &p})
	h.policy(flags.Releases{MinWindow: event.Duration(time.Hour)})
	_, _, err := h.try(Command{Op: OpStart})
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "stages[canary].minWindow is now 1h") {
		t.Errorf("got %v", err)
	}
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpStart, Doubts: []string{"nobody came"}})
	if got := h.rollout().Doubts; !slices.Equal(got, []string{"nobody came"}) {
		t.Errorf("doubts %v", got)
	}
}

// What policies ask for longer than a template lasts is not refused at a field
// that nobody wrote: the stages of the template last as long.
func TestPolicyWindowsOutlastATemplate(t *testing.T) {
	h := newHouse(t)
	const long = 40 * 24 * time.Hour
	h.policy(flags.Releases{MinWindow: event.Duration(long)})
	for name, own := range map[string][]Stage{
		"the template's": nil,
		"its own":        {{Name: "step-25", Treatment: 25_000, Exclude: map[string]Size{"day_7_retention": {Change: 9000}}}, {Name: "experiment", Treatment: 50_000, Decide: true}},
	} {
		p := catsPlan()
		p.Template, p.Stages = TemplateSteps, own
		h.do(Command{Op: OpPlan, Plan: &p})
		for _, s := range h.rollout().Plan.Stages {
			if s.Compares() && s.MinWindow != Window(long) {
				t.Errorf("%s: %s lasts %s", name, s.Name, s.MinWindow)
			}
			if s.Kind() == Decide && s.MaxWindow != Window(long) {
				t.Errorf("%s: %s lasts at most %s", name, s.Name, s.MaxWindow)
			}
		}
	}
	p := catsPlan()
	p.Template, p.Stages = TemplateSteps, []Stage{{Name: "step-25", Treatment: 25_000, MinWindow: Window(time.Hour), Exclude: map[string]Size{"day_7_retention": {Change: 9000}}}}
	if _, _, err := h.try(Command{Op: OpPlan, Plan: &p}); !slices.Equal(paths(err), []string{"stages[0].minWindow"}) {
		t.Errorf("a window that somebody wrote: %v", err)
	}
}
