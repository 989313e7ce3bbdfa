package dashboards

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

func sampleGrounds() decisions.Grounds {
	return decisions.Grounds{
		Incidents: []decisions.Incident{{ID: "pager-7", Severity: decisions.Critical, Since: at.Add(-time.Hour), Text: "payments fail"}, {ID: "slo-3", Severity: decisions.Minor, Since: at.Add(-2 * time.Hour)}},
		Told:      3, Rollout: "production/checkout.payments.express-pay/2", Status: decisions.Running, Stage: "ramp", Looked: at.Add(-time.Minute),
		Checks: []decisions.Check{
			{Name: decisions.CheckTelemetry, State: decisions.Pass, Text: "The newest exposure is 2 s old, the newest event 9 s; at most 10m are allowed"},
			{Name: decisions.CheckSRM, State: decisions.Pass, Text: "8 412 and 8 397 units, p 0.41"},
			{Name: decisions.CheckGuardrail, Metric: "checkout_latency", State: decisions.Wait, Text: "+1.2 % [−0.9 %, +3.4 %], margin 5 %"},
		},
	}
}

// sampleHealth is a flag that is critical, one that nobody looks after, and one
// that is well.
func sampleHealth() []HealthKnown {
	use := sampleUse(2, 7)
	failing := Used{Environment: "production", Days: 7, Seen: use.Seen, Usage: append(use.Usage, flags.Usage{Day: "2026-11-20", Reason: flags.Errored, Asked: 1204})}
	well := Used{Environment: "staging", Days: 7, Seen: use.Seen, Usage: use.Usage}
	return []HealthKnown{
		{decisions.Grounds{}, Used{Environment: "development", Days: 7, Missing: "this replica counts no evaluations"}},
		{decisions.Grounds{Told: 2, Over: at.Add(-time.Hour), Rollout: "staging/checkout.payments.express-pay/1", Status: decisions.Running, Stage: "ramp", Looked: at, Checks: sampleGrounds().Checks[:2]}, well},
		{sampleGrounds(), failing},
	}
}

func healthSamples(asOf AsOf) map[string]Page {
	f := sampleFrame(InFlags)
	f.Path = "/flags/checkout.payments.express-pay"
	flag := sampleFlag()
	flag.Health["development"] = decisions.FlagHealth{State: decisions.Obscure, Text: "No rollout and no alert looks after it"}
	many := sampleGrounds()
	for i := range 60 {
		many.Checks = append(many.Checks, decisions.Check{Name: decisions.CheckGuardrail, Metric: fmt.Sprintf("checkout.latency.of.a.very.long.name.%d", i), State: decisions.Pass, Text: "+0.3 % [−4.1 %, +4.6 %], margin 5 %"})
	}
	return map[string]Page{
		"flag-health":      NewFlagHealth(f, flag, sampleHealth(), asOf),
		"flag-health-many": NewFlagHealth(f, sampleFlag(), []HealthKnown{{many, Used{Environment: "production", Days: 7}}}, asOf),
		"flag-health-none": NewFlagHealth(f, plainFlag("shop.gift-cards"), nil, asOf),
	}
}

// TestNewFlagHealth: every check says in words and numbers what is known, and
// silence is not taken for health.
func TestNewFlagHealth(t *testing.T) {
	p := NewFlagHealth(Frame{}, sampleFlag(), sampleHealth(), AsOf{})
	for place, want := range map[int][]string{
		1: {"not applicable incidents: None is open, and nobody has ever told of one here", "not applicable rollout: None looks after it.", "not applicable evaluations: Nothing is known of them: this replica counts no evaluations."},
		2: {"passed incidents: None is open. The last of 2 was over on 2026-11-21 13:00:02 UTC.", "passed rollout: It is under way in the stage ramp", "passed evaluations: None of 2,"},
		0: {"failed incident pager-7: Critical, open since 2026-11-21 13:00:02 UTC: payments fail.", "caution incident slo-3: Minor", "passed rollout", "caution evaluations: 1,204 of 2,"},
	} {
		for i, c := range p.Where[place].Checks {
			if got := strings.ReplaceAll(string(c.Mark)+" "+c.Name+": "+c.Have, space, " "); !strings.HasPrefix(got, want[i]) {
				t.Errorf("%s says %q, want %q…", p.Where[place].Name, got, want[i])
			}
		}
	}
	if p.Where[0].Mark != Critical || len(p.Where[0].Gate) != 3 || !strings.Contains(p.Where[0].Incidents, "environment=production") {
		t.Errorf("production: %+v", p.Where[0])
	}
	if want := "It is critical in production. Nothing can be said of development. It is healthy in staging."; p.Lead != want {
		t.Errorf("the conclusion is %q, want %q", p.Lead, want)
	}
}

// TestRolloutCheck: a rollout looks only while it is under way and has looked.
func TestRolloutCheck(t *testing.T) {
	for want, g := range map[string]decisions.Grounds{
		"rolled back, and nobody": {Rollout: "r", Status: decisions.RolledBack, Locked: true},
		"has not begun":           {Rollout: "r", Status: decisions.Planned},
		"no decision has looked":  {Rollout: "r", Status: decisions.Running, Stage: "canary"},
		"The last one is over":    {Rollout: "r", Status: decisions.CleanupDue, Stage: "full"},
	} {
		if c := rolloutCheck(g); !strings.Contains(c.Have, want) || c.Mark == Passed {
			t.Errorf("%+v: %+v, want %q", g, c, want)
		}
	}
}
