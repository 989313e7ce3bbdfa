package decisions

import (
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
	p.Metrics["kept"] = stats.Proportion(100_000, 0)
	if canary := r.Foresee(p).Stages[0]; canary.Asks[0].Refused == "" || len(canary.Sees) != 0 {
		t.Errorf("nobody ever failed: %+v", canary)
	}
	delete(p.Metrics, "kept")
	if canary := r.Foresee(p).Stages[0]; canary.Asks[0].Refused == "" || len(canary.Sees) != 0 {
		t.Errorf("nothing is known: %+v", canary)
	}
}
