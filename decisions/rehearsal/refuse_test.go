package rehearsal

import (
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

func TestRehearsalsThatAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Rehearsal)
		want   string
	}{
		{"nobody comes", func(r *Rehearsal) { r.Truth.Traffic = stats.Traffic{} }, "units is missing"},
		{"an unknown metric", func(r *Rehearsal) { delete(r.Metrics, "wins") }, "metrics.wins is not a declared metric"},
		{"a metric of which nothing is said", func(r *Rehearsal) { delete(r.Truth.Metrics, "wins") }, "metrics.wins is missing"},
		{"a quantile", func(r *Rehearsal) { r.Metrics["wins"] = stats.Metric{Aggregate: stats.Quantile, Nu: 0.9} }, "cannot be rehearsed"},
		{"a share above all", func(r *Rehearsal) { r.Truth.Metrics["wins"] = Model{Mean: 1.2} }, "is more than all units"},
		{"a negative mean", func(r *Rehearsal) { r.Truth.Metrics["wins"] = Model{Mean: -1} }, "is not a number from 0"},
		{"a shape that is none", func(r *Rehearsal) { r.Truth.Metrics["wins"] = Model{Mean: 0.1, Shape: "square"} }, "is not a shape"},
		{"normal values that do not vary", func(r *Rehearsal) {
			r.Metrics["wins"] = stats.Metric{Aggregate: stats.Sum}
			r.Truth.Metrics["wins"] = Model{Mean: 1, Shape: Normal}
		}, "is missing; normal values vary"},
		{"a negative spread", func(r *Rehearsal) { r.Truth.Metrics["wins"] = Model{Mean: 0.1, SD: -1} }, "metrics.wins.sd"},
		{"a denominator below 1", func(r *Rehearsal) { r.Truth.Metrics["wins"] = Model{Mean: 0.1, Size: 0.5} }, "metrics.wins.size"},
		{"a mean of nothing", func(r *Rehearsal) {
			r.Metrics["wins"] = stats.Metric{Aggregate: stats.Sum}
			r.Truth.Metrics["wins"] = Model{}
		}, "write the mean of a unit's value"},
		{"too many looks", func(r *Rehearsal) { r.Settings.Every, r.Settings.Horizon = 1e9, event.Duration(30*day) }, "looks away"},
		{"time that runs back", func(r *Rehearsal) { r.Settings.Patience = -1 }, "is negative"},
	} {
		r := release()
		tt.change(&r)
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if err := release().Validate(); err != nil {
		t.Errorf("a rehearsal that is whole: %v", err)
	}
}

func TestScenariosThatAreRefused(t *testing.T) {
	for _, tt := range []struct {
		Scenario
		want string
	}{
		{Scenario{Kind: "fire"}, "is not a kind of scenario"},
		{Scenario{Kind: Breach, Metric: "sales"}, "is not a metric of the plan"},
		{Scenario{Kind: Breach, Metric: "wins"}, "has no margin that could be breached"},
		{Scenario{Kind: Breach, Metric: "returns", By: decisions.Size{Change: 120_000}}, "can lose at most 100%"},
		{Scenario{Kind: SRM, Share: 200_000}, "is not a share"},
		{Scenario{Kind: Breach, Stage: "beta"}, "is not a stage of the plan"},
	} {
		if err := release().Check([]Scenario{tt.Scenario}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.Scenario, err, tt.want)
		}
	}
	if all := asking().Scenarios(); asking().Check(all) != nil || len(all) != len(Kinds()) {
		t.Errorf("the scenarios of the plan: %+v", all)
	}
}

func TestExpectations(t *testing.T) {
	for _, text := range []string{"rollback", "rollback within 1d", "breach: rollback within 12h in 95%", "healthy: no stop", "undisturbed in 80%", "no ship within 2d in 99.5%"} {
		e, err := ParseExpectation(text)
		if err != nil || e.String() != text {
			t.Errorf("%q reads as %q, %v", text, e, err)
		}
	}
	for text, want := range map[string]string{
		"":                       "names no outcome",
		"breach:":                "names no outcome",
		"fire":                   "names no outcome",
		"rollback within":        "ends in the middle",
		"rollback soon enough":   "means nothing here",
		"rollback within 3 days": "is not a length of time",
		"rollback in most":       "is not a percentage",
	} {
		if _, err := ParseExpectation(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestExpectationsAreHeldAgainstRuns(t *testing.T) {
	began, stopped := event.Duration(10), event.Duration(40)
	list := []Run{
		{Began: &began, Stopped: &stopped, Decisions: []Decided{{After: 5, Action: decisions.Expand}, {After: 40, Action: decisions.Rollback}}},
		{Began: &began, Decisions: []Decided{{After: 5, Action: decisions.Pause}}},
	}
	for text, ok := range map[string]bool{
		"rollback": false, "rollback in 50%": true, "rollback within 30ns in 50%": true, "rollback within 29ns in 50%": false,
		"stop in 50%": true, "no rollback in 50%": true, "no ship": true, "pause in 1%": false, // it came before the fault
	} {
		e, err := ParseExpectation(text)
		if err != nil {
			t.Fatal(err)
		}
		if m := e.judge(release(), Scenario{}, list); m.OK != ok {
			t.Errorf("%s: %+v, want %t", text, m, ok)
		}
	}
	two := []Scenario{{Kind: Healthy}, {Kind: Breach}}
	for text, want := range map[string]string{"rollback": "does not say which scenario", "late: rollback": "is not rehearsed"} {
		e, _ := ParseExpectation(text)
		if err := expectable([]Expectation{e}, two); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
