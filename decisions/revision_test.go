package decisions

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// A plan that is under way does not lower its own guardrails. Each of these is
// refused at its place, with what it was.
func TestPlanUnderWayIsNotLowered(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	tight := Percent(1000)
	p.Metrics.Guardrails = append(p.Metrics.Guardrails, Guardrail{Metric: "support_contacts", Margin: &tight, OnBreach: Rollback},
		Guardrail{Metric: "latency", Limit: "200ms", OnBreach: Pause})
	p.Stages[0].Exclude["support_contacts"] = Size{Change: 20_000}
	p.Stages[0].MinWindow, p.Stages[1].MinWindow = dayWindow, 7*dayWindow
	p.Stages[1].Approve, p.Stages[1].ApproveBy = 2, "approver"
	p.Metrics.Success = append(p.Metrics.Success, Success{Metric: "rounds", MDE: 2000})
	p.Rollback = RollbackPlan{Owners: []string{"games", "on-call"}, Notify: []string{"webhook:release"}}
	p.Escalation = []Escalation{{To: "on-call", After: Window(time.Hour)}, {To: "head-of-games", After: Window(4 * time.Hour)}}
	h.begin(p)
	clone := func() Plan {
		next := p
		next.Metrics.Guardrails = slices.Clone(p.Metrics.Guardrails)
		next.Metrics.Success = slices.Clone(p.Metrics.Success)
		next.Stages = slices.Clone(p.Stages)
		next.Stages[0].Exclude = map[string]Size{"day_7_retention": {Change: 50_000}, "support_contacts": {Change: 20_000}}
		return next
	}
	loose := Percent(5000)
	for name, c := range map[string]struct {
		path   string
		change func(*Plan)
	}{
		"margin":              {"metrics.guardrails[1].margin", func(p *Plan) { p.Metrics.Guardrails[1].Margin = &loose }},
		"detect":              {"metrics.guardrails[0].detect", func(p *Plan) { p.Metrics.Guardrails[0].Detect.Change = 8000 }},
		"limit":               {"metrics.guardrails[2].limit", func(p *Plan) { p.Metrics.Guardrails[2].Limit = "250ms" }},
		"what a breach does":  {"metrics.guardrails[1].onBreach", func(p *Plan) { p.Metrics.Guardrails[1].OnBreach = Pause }},
		"a guardrail is gone": {"metrics.guardrails", func(p *Plan) { p.Metrics.Guardrails = p.Metrics.Guardrails[:2] }},
		"exclusion":           {"stages[0].exclude.day_7_retention", func(p *Plan) { p.Stages[0].Exclude["day_7_retention"] = Size{Change: 60_000} }},
		"shorter window":      {"stages[1].minWindow", func(p *Plan) { p.Stages[1].MinWindow = dayWindow }},
		"fewer units":         {"stages[0].minUnits", func(p *Plan) { p.Stages[0].MinUnits = 10 }},
		"fewer approvals":     {"stages[1].approve", func(p *Plan) { p.Stages[1].Approve = 1 }},
		"anybody approves":    {"stages[1].approveBy", func(p *Plan) { p.Stages[1].ApproveBy = "" }},
		"nothing to show":     {"metrics.success", func(p *Plan) { p.Metrics.Success = nil }},
		"less to show":        {"metrics.success", func(p *Plan) { p.Metrics.Success = p.Metrics.Success[:1] }},
		"a stage is gone":     {"stages", func(p *Plan) { p.Stages[1].Name = "other" }},
		"the present stage":   {"stages[0]", func(p *Plan) { p.Stages[0].Treatment = 4000 }},
		"sample ratio":        {"health.srm.alpha", func(p *Plan) { p.Health.SRM.Alpha = 0.0001 }},
		"telemetry":           {"health.telemetry.maxLag", func(p *Plan) { p.Health.Telemetry.MaxLag = Window(time.Hour) }},
		"incidents":           {"incidents.critical", func(p *Plan) { p.Incidents.Critical = Pause }},
		"an owner is gone":    {"rollback.owners", func(p *Plan) { p.Rollback.Owners = []string{"games"} }},
		"nobody is told":      {"rollback.notify", func(p *Plan) { p.Rollback.Notify = nil }},
		"asked later": {"escalation", func(p *Plan) {
			p.Escalation = []Escalation{{"on-call", Window(2 * time.Hour)}, {"head-of-games", Window(4 * time.Hour)}}
		}},
		"asked no more": {"escalation", func(p *Plan) { p.Escalation = p.Escalation[:1] }},
		"lock":          {"rollback.lockUntilExplained", func(p *Plan) { p.Rollback.LockUntilExplained = ptr(false) }},
	} {
		next := clone()
		c.change(&next)
		_, _, err := h.try(Command{Op: OpPlan, Plan: &next})
		if got := paths(err); !slices.Contains(got, c.path) {
			t.Errorf("%s: faults at %v, want one at %s (%v)", name, got, c.path, err)
		}
	}
	next := clone()
	next.Metrics.Guardrails[1].Margin = &loose
	_, _, err := h.try(Command{Op: OpPlan, Plan: &next})
	if want := "was 1%; a plan that is under way does not lower its own guardrails"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("it says %v, want %q", err, want)
	}
}

// What does not touch the tests goes on with the evidence; what does starts them
// afresh, on units first exposed after it.
func TestNewVersionStartsItsTestsAfresh(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Stages[0].MinUnits = 100_000
	h.begin(p)
	tr := newTraffic(harmless)
	h.send(tr, 1000)
	h.step()
	before := h.rollout()
	if len(before.Frozen) == 0 {
		t.Fatal("nothing is frozen")
	}
	p.Hypothesis = "later gates keep players longer"
	h.do(Command{Op: OpPlan, Plan: &p})
	r := h.rollout()
	if r.Version != 2 || r.Number != 1 || r.Stage != 0 || r.Status != Running || len(r.Frozen) == 0 || !r.Fresh.IsZero() || !r.Since.Equal(before.Since) {
		t.Fatalf("a new hypothesis: %+v", r.Standing)
	}
	h.now = h.now.Add(time.Minute)
	p.Metrics.Guardrails = slices.Clone(p.Metrics.Guardrails)
	p.Metrics.Guardrails[0].Detect.Change = 3000
	h.do(Command{Op: OpPlan, Plan: &p, Actor: lee, Comment: "three percent would hurt already"})
	r = h.rollout()
	want := VersionNote{
		Revision: Revision{Version: 3, Afresh: true, Changes: []string{"metrics.guardrails[day_7_retention].detect is now 3% (was 4%)"}},
		By:       lee, At: h.now, Comment: "three percent would hurt already",
	}
	if diff := cmp.Diff(want, r.Versions[1]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !r.Fresh.Equal(h.now) || len(r.Frozen)+len(r.Looks)+len(r.Streaks) != 0 || r.Turn {
		t.Errorf("%+v", r.Standing)
	}
	h.send(tr, 300)
	h.step()
	e := h.looks[len(h.looks)-1].Evidence
	if n := e.UnitsOf("", "gate_30") + e.UnitsOf("", "gate_40"); n != 300 {
		t.Errorf("%d units count, want the 300 that came afterwards", n)
	}
	if !r.wrote(lee) || !r.wrote(ana) || r.wrote("person:kim") {
		t.Error("the authors of its versions are not known")
	}
	h.verified()
}

// A plan for other units begins an epoch: the controller gives the flag its
// allocation by a decision, and the stage begins again.
func TestNewVersionBeginsAnEpoch(t *testing.T) {
	h := newHouse(t)
	h.segment("low-risk", "u-1", "u-2")
	h.begin(catsPlan())
	tr := newTraffic(harmless)
	h.send(tr, 500)
	h.step()
	p := catsPlan()
	p.Eligible = "low-risk"
	if v, err := h.state.Revision(p); err != nil || !v.Epoch || !v.Afresh || v.Text() != "version 2 begins a new epoch, and its tests start afresh on units first exposed in it" {
		t.Fatalf("%+v, %v", v, err)
	}
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpHold, Comment: "wait"})
	h.step()
	if a := h.served(); a.Epoch != 1 {
		t.Fatalf("while it is paused the flag is at %+v", a)
	}
	h.do(Command{Op: OpResume})
	h.now = h.now.Add(time.Minute)
	h.step()
	h.want(Expand, "version 2 begins an epoch")
	r := h.rollout()
	if a := h.served(); a.Epoch != 3 || a.Audience == nil || a.Stage != "canary" || r.Turn || r.Stage != 0 || !r.Since.Equal(h.now) {
		t.Fatalf("allocation %+v, standing %+v", a, r.Standing)
	}
	h.send(tr, 40)
	h.step()
	e := h.looks[len(h.looks)-1].Evidence
	if n := e.UnitsOf("", "gate_30") + e.UnitsOf("", "gate_40"); n != 40 {
		t.Errorf("%d units count, want 40", n)
	}
	tr.n = 0 // the first come again
	h.send(tr, 500)
	h.step()
	e = h.looks[len(h.looks)-1].Evidence
	if n := e.UnitsOf("", "gate_30") + e.UnitsOf("", "gate_40"); n != 40 {
		t.Errorf("%d units count, want the 40 that were not split before the version", n)
	}
	if s := e.Metrics[0].Strata; len(s) != 1 || s[0].Control.N+s[0].Treatment.N != 40 {
		t.Errorf("a metric has %+v", s)
	}
	h.verified()
}

// Units of the dark were in no arm: they count in stages that compare, although
// the plan got a new version while they were there.
func TestUnitsOfTheDarkCountAfterANewVersion(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Stages = append([]Stage{{Name: "dark", Dark: true}}, p.Stages...)
	h.begin(p)
	tr := newTraffic(nil)
	tr.arms = func(int) (string, int) { return "gate_30", 0 }
	h.send(tr, 50)
	h.step()
	p.Metrics.Guardrails = slices.Clone(p.Metrics.Guardrails)
	p.Metrics.Guardrails[0].Detect.Change = 3000
	h.do(Command{Op: OpPlan, Plan: &p})
	h.do(Command{Op: OpAdvance, Comment: "on"})
	h.step()
	tr.n, tr.arms = 0, nil
	h.send(tr, 50)
	h.step()
	e := h.looks[len(h.looks)-1].Evidence
	if r := h.rollout(); r.Stage != 1 || e.UnitsOf("", "gate_30")+e.UnitsOf("", "gate_40") != 50 {
		t.Errorf("stage %d, units %+v", r.Stage, e.Units)
	}
}

func TestPlanUnderWayKeepsWhatUnitsHave(t *testing.T) {
	h := newHouse(t)
	h.segment("low-risk", "u-1")
	p := catsPlan()
	p.Stages = append([]Stage{{Name: "dark", Dark: true}}, p.Stages...)
	h.begin(p)
	p.Eligible = "low-risk"
	if _, _, err := h.try(Command{Op: OpPlan, Plan: &p}); !slices.Contains(paths(err), "arms") {
		t.Errorf("another dark: %v", err)
	}
	if _, _, err := h.try(Command{Op: OpPlan}); !errors.As(err, new(event.Invalids)) {
		t.Errorf("no plan: %v", err)
	}
}

// Stages and guardrails go by their names: one that is put before others makes
// these no others.
func TestDiffGoesByNames(t *testing.T) {
	was := catsPlan()
	is := catsPlan()
	is.Stages = append([]Stage{{Name: "staff", Serve: "treatment", To: "staff"}}, is.Stages[1], is.Stages[0])
	is.Metrics.Guardrails = append([]Guardrail{{Metric: "latency", Limit: "200ms"}}, is.Metrics.Guardrails...)
	is.Hypothesis = "better"
	want := []string{
		"hypothesis is now better",
		"metrics.guardrails[latency limit].limit is now 200ms",
		"metrics.guardrails[latency limit].metric is now latency",
		"stages[staff].name is now staff",
		"stages[staff].serve is now treatment",
		"stages[staff].to is now staff",
		"stages are now in the order experiment, canary (was canary, experiment)",
	}
	if diff := cmp.Diff(want, DiffPlans(was, is)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := DiffPlans(was, was); len(got) != 0 {
		t.Errorf("a plan differs from itself: %v", got)
	}
}

// A release may be handed over, and whoever has left is named no more: neither
// leaves fewer people to answer for it.
func TestNewVersionHandsOver(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Owner = "leaver"
	p.Escalation = []Escalation{{To: "leaver-2", After: Window(time.Hour)}}
	left := false
	h.state.known.Owner = func(key string) string {
		if left && strings.HasPrefix(key, "leaver") {
			return "is neither a person nor a team"
		}
		return ""
	}
	h.begin(p)
	p.Owner = "games"
	h.do(Command{Op: OpPlan, Plan: &p})
	if got := h.rollout().Plan; got.Owner != "games" || !slices.Equal(got.Rollback.Owners, []string{"games"}) {
		t.Errorf("owned by %s, taken back by %v", got.Owner, got.Rollback.Owners)
	}
	p.Escalation = []Escalation{{To: "head-of-games", After: Window(2 * time.Hour)}}
	if _, _, err := h.try(Command{Op: OpPlan, Plan: &p}); !slices.Equal(paths(err), []string{"escalation"}) {
		t.Errorf("who is there is dropped: %v", err)
	}
	left = true
	h.do(Command{Op: OpPlan, Plan: &p})
}
