package decisions

import (
	"testing"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// TestTimeLeft: a gate waits for the slowest of what time and traffic bring, and
// for nobody knows how long when one of it cannot be told.
func TestTimeLeft(t *testing.T) {
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	r := Rollout{Plan: catsPlan(), Standing: Standing{Since: now.Add(-2 * time.Hour)}}
	r.Plan.Stages[0].MinWindow = Window(5 * time.Hour)
	came := func(control, treatment int64) []Count {
		return []Count{{Stage: "canary", Arm: "gate_30", N: control}, {Stage: "canary", Arm: "gate_40", N: treatment}, {Stage: "before", Arm: "gate_30", N: 9000}}
	}
	window := Check{Name: CheckWindow, State: Wait}
	units := Check{Name: CheckUnits, State: Wait, Numbers: map[string]float64{"have": 400, "need": 1000}}
	exclusion := Check{Name: CheckExclusion, Metric: "day_7_retention", State: Wait}
	soon := now.Add(90 * time.Minute)
	expecting := []Measured{{Metric: "day_7_retention", Exclusion: &stats.Exclusion{Expected: &soon}}}
	for name, c := range map[string]struct {
		checks []Check
		e      Evidence
		want   time.Duration
		ok     bool
	}{
		"nothing is open":              {[]Check{{Name: CheckUnits, State: Pass}}, Evidence{}, 0, false},
		"a person is waited for":       {[]Check{{Name: CheckApproval, State: Wait}}, Evidence{}, 0, false},
		"the window":                   {[]Check{window}, Evidence{}, 3 * time.Hour, true},
		"units, by the smaller arm":    {[]Check{units}, Evidence{Units: came(500, 400)}, 3 * time.Hour, true},
		"the slower of two":            {[]Check{window, units}, Evidence{Units: came(500, 200)}, 6 * time.Hour, true},
		"nobody comes":                 {[]Check{window, units}, Evidence{Units: came(500, 0)}, 0, false},
		"almost nobody comes":          {[]Check{{Name: CheckUnits, State: Wait, Numbers: map[string]float64{"need": 1e15}}}, Evidence{Units: came(1, 1)}, 0, false},
		"information":                  {[]Check{exclusion}, Evidence{Metrics: expecting}, 90 * time.Minute, true},
		"information nobody can tell":  {[]Check{exclusion}, Evidence{Metrics: []Measured{{Metric: "day_7_retention"}}}, 0, false},
		"what is failed holds nothing": {[]Check{window, {Name: CheckTelemetry, State: Fail}}, Evidence{}, 3 * time.Hour, true},
	} {
		c.e.At = now
		got, ok := r.TimeLeft(Verdict{Checks: c.checks}, c.e)
		if ok != c.ok || got.Round(time.Second) != c.want {
			t.Errorf("%s: %v (%v), want %v (%v)", name, got, ok, c.want, c.ok)
		}
	}
}
