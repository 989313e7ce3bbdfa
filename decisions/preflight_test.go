package decisions

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/stats"
)

// states are what was found of each thing that was looked at.
func states(r Preflight) map[string]PrecheckState {
	out := map[string]PrecheckState{}
	for _, c := range r {
		out[strings.TrimSpace(c.Name+" "+c.Path)] = c.State
	}
	return out
}

func readyPlan() Rollout {
	r := plannedOutlook(
		Stage{Name: "canary", Treatment: 1000, MinWindow: dayWindow, Exclude: map[string]Size{"kept": {Change: 10_000}}},
		Stage{Name: "experiment", Treatment: 50_000, Decide: true, MinWindow: dayWindow},
	)
	r.Plan.Owner, r.Plan.Cleanup = "shop", &CleanupPlan{Due: dayWindow, EndState: "promote", Ticket: "https://tickets.example/1"}
	return r
}

func TestReady(t *testing.T) {
	got := readyPlan().Preflight(pastOutlook())
	want := map[string]PrecheckState{
		"owner owner": Given, "safe rollback": Given, "cleanup cleanup": Given, "ticket cleanup.ticket": Given, "unit unit": Given,
		"metric metrics.success[0].metric": Given, "metric metrics.guardrails[0].metric": Given,
		"exclude stages[0].exclude.kept": Given, "margin stages[1].margin.kept": Given, "success stages[1].success.bought": Given,
	}
	if diff := cmp.Diff(want, states(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(got.Doubts()) != 0 || len(got.Faults()) != 0 {
		t.Errorf("%v, %v", got.Doubts(), got.Faults())
	}
}

// The canary of TestOutlookByHand needs 1,928 units in each arm. At 5,000 new
// units a day, of which 1 % get the treatment, that takes 38.6 days and one: it
// cannot be excluded in 28. What can be is said.
func TestNotReady_whenExclusionIsOutOfReach(t *testing.T) {
	p := pastOutlook()
	p.Traffic = stats.Daily(5000)
	faults := readyPlan().Preflight(p).Faults()
	if len(faults) != 1 || faults[0].Path != "stages[0].exclude.kept" {
		t.Fatalf("faults %v", faults)
	}
	if f := faults[0]; f.Why != "kept of 10 % in canary is not excluded within 28 days at present traffic" || !strings.HasPrefix(f.Fix, "exclude 12 %") {
		t.Errorf("it says %q; %q", f.Why, f.Fix)
	}
	r := readyPlan()
	r.Plan.Stages[0].MaxWindow = 40 * dayWindow
	if faults := r.Preflight(p).Faults(); len(faults) != 0 {
		t.Errorf("with a longer window: %v", faults)
	}
}

func TestNotReady(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		change func(*Past)
	}{
		"units of another kind alone": {"unit", func(p *Past) { p.Units, p.Kinds = 0, map[string]int64{"device": 12} }},
		"no event of a metric":        {"metrics.success[0].metric", func(p *Past) { p.Metrics["bought"] = stats.Proportion(1000, 0) }},
		"no value of a metric":        {"metrics.guardrails[0].metric", func(p *Past) { p.Metrics["kept"] = stats.Mean(stats.Moments{N: 1000}) }},
	} {
		p := pastOutlook()
		c.change(&p)
		var at []string
		for _, f := range readyPlan().Preflight(p).Faults() {
			at = append(at, f.Path)
		}
		if !slices.Contains(at, c.path) {
			t.Errorf("%s: faults at %v, want one at %s", name, at, c.path)
		}
	}
}

// What cannot be told is a doubt, and stands in the way of nothing.
func TestReady_doubts(t *testing.T) {
	r := readyPlan()
	r.Plan.Cleanup.Ticket = "later"
	got := r.Preflight(Past{})
	want := []string{
		"cleanup.ticket is no address at which the cleanup is followed",
		"unit cannot be checked: the environment has no recent exposures",
	}
	if diff := cmp.Diff(want, got.Doubts()); diff != "" || len(got.Faults()) != 0 {
		t.Errorf("-want +got:\n%s\nfaults %v", diff, got.Faults())
	}
	p := pastOutlook()
	p.Metrics["bought"] = stats.Proportion(0, 0)
	if got := states(readyPlan().Preflight(p)); got["metric metrics.success[0].metric"] != Doubted || got["success stages[1].success.bought"] != Doubted {
		t.Errorf("%v", got)
	}
}
