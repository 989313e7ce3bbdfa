package decisions

import (
	"math"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/stats"
)

// A guardrail on failures is foreseen by its own test: units count at once, and
// what never failed excludes nothing.
func TestOutlookOfFailures(t *testing.T) {
	r := plannedOutlook(
		Stage{Name: "canary", Treatment: 1000, MinWindow: dayWindow, Exclude: map[string]Size{"kept": {Change: 4 * All, Factor: true}}},
		Stage{Name: "experiment", Treatment: 50_000, Decide: true, MinWindow: dayWindow},
	)
	r.Metrics["kept"] = stats.Metric{Key: "kept", Aggregate: stats.Failures, Direction: stats.Decrease}
	p := pastOutlook()
	p.Metrics["kept"] = stats.Proportion(100_000, 500)
	canary := r.Foresee(p).Stages[0]
	want := stats.EventDesign{Rate: 0.005, Exclude: 5, Alpha: stats.ExcludeAlpha, Power: 0.9375}.Solve().Units[0]
	if ask := canary.Asks[0]; ask.Units != want || ask.Days == nil || *ask.Days != float64(want)/200 || canary.Waits != "exclude kept" {
		t.Errorf("canary asks %+v, want %d units", ask, want)
	}
	// Five times the rate was waited for with a power of 0.9375, so that a little less is seen with 0.8.
	if see := canary.Sees[0]; !(see.Excludes > 2 && see.Excludes < 4) || !(see.Detects > 1 && see.Detects < 20) {
		t.Errorf("canary sees %+v", see)
	}
	delete(p.Metrics, "kept")
	if canary := r.Foresee(p).Stages[0]; canary.Asks[0].Refused == "" || len(canary.Sees) != 0 {
		t.Errorf("nothing is known: %+v", canary)
	}
}

// Nobody failed in the past: there is no multiple to be seen, but how many
// failures stop (of two tests, one of them of the declared rate), which share is
// noticed, and how long an exclusion takes at least. It said nothing.
func TestOutlookWithoutFailures(t *testing.T) {
	r := plannedOutlook(
		Stage{Name: "canary", Treatment: 1000, MinWindow: dayWindow, Exclude: map[string]Size{"kept": {Change: 4 * All, Factor: true}}},
		Stage{Name: "experiment", Treatment: 50_000, Decide: true, MinWindow: dayWindow},
	)
	r.Metrics["kept"] = stats.Metric{Key: "kept", Aggregate: stats.Failures, Direction: stats.Decrease, Rate: 0.001}
	p := pastOutlook()
	p.Metrics["kept"] = stats.Proportion(100_000, 0)
	o := r.Foresee(p)
	canary := o.Stages[0]
	// One past of 100,000 units in twenty shows no failure where 3 in 100,000 units fail.
	least := stats.EventDesign{Rate: 2.9957e-5, Exclude: 5, Alpha: stats.ExcludeAlpha, Power: canary.Asks[0].Power}.Solve().Units[0]
	if ask := canary.Asks[0]; !ask.AtLeast || ask.Refused != "" || math.Abs(float64(ask.Units-least)) > 1e-4*float64(least) || ask.Days == nil {
		t.Errorf("canary asks %+v, want at least %d units", ask, least)
	}
	see := canary.Sees[0]
	n := float64(canary.Units)
	noticed := stats.EventDesign{Effect: see.Notices, Absolute: true, Margin: 1.02, Alpha: 0.025, Units: n}.Solve()
	if see.Stops != 8 || math.Abs(noticed.Power-0.8) > 1e-6 || see.Detects != 0 || see.Excludes != 0 {
		t.Errorf("canary sees %+v, with a power of %v", see, noticed.Power)
	}
	want := "Nobody failed by kept among 100,000 units of the past, so that 0.003 % at most do: 8 failing units of the treated stop in equal arms, where none of control fails; " +
		"were the declared 0.1 % of them to fail, 10,233 units in each arm would show it"
	if len(o.Warnings) != 1 || o.Warnings[0] != want {
		t.Errorf("it says %q, want %q", o.Warnings, want)
	}
}

// An exclusion that only failures of control answer stands in the way of a start
// when even the most that the past leaves possible are too few, and is a doubt
// where they are not. Without a sign of life nobody knows whether failures are
// reported.
func TestNotReadyWithoutFailures(t *testing.T) {
	r := readyPlan()
	r.Metrics["kept"] = stats.Metric{Key: "kept", Aggregate: stats.Failures, Direction: stats.Decrease}
	p := pastOutlook()
	p.Metrics["kept"] = stats.Proportion(100_000, 0)
	faults := r.Preflight(p).Faults()
	if len(faults) != 1 || faults[0].Path != "stages[0].exclude.kept" || !strings.HasPrefix(faults[0].Fix, "leave exclude out") {
		t.Errorf("faults %v", faults)
	}
	p.Metrics["kept"] = stats.Proportion(300, 0) // so few say little
	r.Plan.Stages[0].Exclude["kept"] = Size{Change: 4 * All, Factor: true}
	got := states(r.Preflight(p))
	if got["exclude stages[0].exclude.kept"] != Doubted || got["metric metrics.guardrails[0].metric"] != Doubted {
		t.Errorf("%v", got)
	}
	for _, c := range r.Preflight(p) {
		if c.State == Doubted && c.Fix == "" && c.Name != "margin" {
			t.Errorf("%s %s has no fix", c.Name, c.Text)
		}
	}
	m := r.Metrics["kept"]
	m.SignOfLife = "heartbeat"
	r.Metrics["kept"] = m
	if got := states(r.Preflight(p)); got["metric metrics.guardrails[0].metric"] != Given {
		t.Errorf("with a sign of life: %v", got)
	}
}
