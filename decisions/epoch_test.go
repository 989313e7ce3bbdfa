package decisions

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// In the dark everybody answers control and is told what to run beside it; the
// stages that compare afterwards are an epoch of their own, and count nobody who
// was only in the dark.
func TestDarkStageAnswersControl(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Stages = append([]Stage{{Name: "dark", Dark: true, Treatment: 50_000, MinWindow: Window(time.Minute)}}, p.Stages...)
	h.begin(p)
	a := h.served()
	if a.Shadow != "gate_40" || a.Coverage != 50_000 || len(a.Arms) != 1 || a.Arms[0].Variant != "gate_30" || a.Epoch != 1 {
		t.Fatalf("allocation %+v", a)
	}
	set, shadows := h.flags.Compile("production", nil), 0
	for i := range 1000 {
		r := set.Evaluate("gate", &flags.Context{TargetingKey: "u-" + strconv.Itoa(i)})
		if r.Variant != "gate_30" {
			t.Fatalf("the dark shows %+v", r)
		}
		if r.Shadow == "gate_40" && r.Enrolled && r.Stage == "dark" {
			shadows++
		}
	}
	if shadows < 400 || shadows > 600 {
		t.Errorf("%d of 1000 units run the shadow, want half", shadows)
	}
	tr := newTraffic(better)
	tr.arms = func(int) (string, int) { return "gate_30", 0 }
	h.rounds(tr, 400, 5, inStage(1))
	if a := h.served(); a.Shadow != "" || a.Epoch != 2 || a.Coverage != 10_000 {
		t.Fatalf("behind the dark: %+v", a)
	}
	tr.arms = nil
	h.send(tr, 100)
	h.step()
	e := h.looks[len(h.looks)-1].Evidence
	if n := e.UnitsOf("", "gate_30") + e.UnitsOf("", "gate_40"); n != 100 || slices.ContainsFunc(e.Units, func(c Count) bool { return c.Stage == "dark" }) {
		t.Errorf("the canary counts %+v, want its own 100 units", e.Units)
	}
	h.verified()
}

// Flags under a dark stage take no edit that would show what runs in it.
func TestDarkStageIsNotWidened(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Stages = append([]Stage{{Name: "dark", Dark: true}}, p.Stages...)
	h.begin(p)
	f, _ := h.flags.Flag("gate")
	next := f.Flag
	next.Default = "gate_40"
	_, _, err := h.flags.Handle(flags.Command{ID: h.id("edit"), Key: "gate", At: h.now, Expect: event.Any, Actor: ana, Changes: []flags.Change{{Op: flags.Define, Flag: &next}}})
	if err == nil {
		t.Error("the default became what runs in the dark")
	}
}

// A stage for an audience, with arms of its own, and the one behind it are two
// epochs; nothing of the first is evidence in the second.
func TestStagesOfOtherArmsAreOtherEpochs(t *testing.T) {
	h := newHouse(t)
	h.segment("low-risk", "u-1")
	p := catsPlan()
	p.Stages[0].To = "low-risk"
	h.begin(p)
	if a := h.served(); a.Epoch != 1 || a.Segments["low-risk"] == 0 {
		t.Fatalf("canary: %+v", a)
	}
	h.rounds(newTraffic(better), 1000, 60, inStage(1))
	r := h.rollout()
	if a := h.served(); a.Epoch != 2 || a.Audience != nil || len(r.Frozen) != 0 {
		t.Fatalf("experiment: %+v, frozen %v", a, r.Frozen)
	}
	h.send(newTraffic(better), 50)
	h.step()
	for _, m := range h.looks[len(h.looks)-1].Evidence.Metrics {
		for _, s := range m.Strata {
			if s.Epoch != 2 {
				t.Errorf("%s has a stratum of epoch %d", m.Metric, s.Epoch)
			}
		}
	}
	h.verified()
}

// Few units are served one by one, by their ids, and add up.
func TestStagesOfUnits(t *testing.T) {
	h := newHouse(t)
	p := catsPlan()
	p.Metrics = Metrics{Guardrails: []Guardrail{{Metric: "crashes", Margin: ptr(Percent(0))}}}
	p.Stages = []Stage{
		{Name: "eu-west", Serve: "treatment", Units: []string{"eu-west"}},
		{Name: "us", Serve: "treatment", Units: []string{"us-east", "us-west"}},
		{Name: "full", Serve: "treatment"},
	}
	if err := p.Validate(known(t)); err != nil {
		t.Fatal(err)
	}
	h.begin(p)
	gets := func(c flags.Context) string { return h.flags.Compile("production", nil).Evaluate("gate", &c).Variant }
	if gets(flags.Context{TargetingKey: "eu-west"}) != "gate_40" || gets(flags.Context{TargetingKey: "us-east"}) != "gate_30" {
		t.Error("the first stage does not serve just its unit")
	}
	if got := gets(flags.Context{TargetingKey: "eu-west", Attributes: map[string]any{"user": "other"}}); got != "gate_30" {
		t.Errorf("a unit goes by its attribute before the targeting key, and gets %s", got)
	}
	if got := (Rollout{Plan: p.Filled()}).epoch(p.Filled().Stages[2]); got != 1 {
		t.Errorf("the full stage is epoch %d", got)
	}
}

// Plans of before have the epochs that they had: 1 while they compare, 2 for all.
func TestEpochsOfPlainPlans(t *testing.T) {
	p := catsPlan()
	p.Stages = append([]Stage{{Name: "staff", Serve: "treatment", When: staff()}}, p.Stages...)
	if got := p.Filled().epochs(); !slices.Equal(got, []int{0, 1, 1, 2}) {
		t.Errorf("epochs %v", got)
	}
}
