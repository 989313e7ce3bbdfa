package flags

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

func percentOf(p event.Percent) *event.Percent { return &p }

func TestReleasesFaults(t *testing.T) {
	h := newHouse(t)
	p := Policy{Key: "releases", Rollouts: Releases{
		Guardrails: []ReleaseGuardrail{
			{Metric: "a b", Margin: percentOf(5000), Limit: "200ms", Exclude: event.Size{Change: 1000}},
			{Metric: "errors", OnBreach: "ship"},
			{Metric: "latency", Limit: "fast", Detect: event.Size{Change: 5000}},
		},
		Approvals: Approvals{Role: "approver"},
		Windows:   []Hours{{Days: []string{"monday"}, From: "8:00", To: "16:00"}, {From: "08:00", To: "24:00"}, {From: "16:00", To: "08:00"}},
		Freezes:   []Freeze{{}},
		Requires:  []string{"load test"},
		Require:   []Required{"tea"},
	}}
	_, err := h.tryPolicy("releases", &p)
	wantRefusal(t, "everything", err,
		"rollouts.guardrails[0].metric: has the character ' '; letters, digits, '-', '_' and '.' are allowed",
		"rollouts.guardrails[0].limit: stands beside a margin",
		"rollouts.guardrails[0].exclude: stands beside a limit",
		"rollouts.guardrails[1].margin: is missing",
		"rollouts.guardrails[1].onBreach: is not something that a breach may ask for",
		"rollouts.guardrails[2].limit: is not a number with a unit",
		"rollouts.guardrails[2].detect: stands beside a limit",
		"rollouts.approvals.count: is not a number from 1",
		"rollouts.windows[0].days[0]: is not a day",
		"rollouts.windows[0].from: is not a time of day",
		"rollouts.windows[1].to: is not a time of day",
		"rollouts.windows[2].to: is not after 16:00",
		"rollouts.freezes[0].from: is missing",
		"rollouts.freezes[0].to: is not after its beginning",
		"rollouts.freezes[0].why: is missing",
		"rollouts.requires[0]: has the character ' '; letters, digits, '-', '_' and '.' are allowed",
		"rollouts.require[0]: is not something that can be required of a plan",
	)
}

// Guardrails, checks, requirements and freezes add up; of all else, and of two
// guardrails on one metric, the highest rank's is asked.
func TestReleasesAreMerged(t *testing.T) {
	h := newHouse(t)
	winter := Freeze{From: noon, To: noon.Add(time.Hour), Why: "holidays"}
	h.policy(Policy{Key: "all", Rollouts: Releases{
		Guardrails: []ReleaseGuardrail{{Metric: "errors", Margin: percentOf(5000)}, {Metric: "latency", Limit: "200ms"}},
		Approvals:  Approvals{Count: 1}, Windows: []Hours{{From: "08:00", To: "16:00"}}, Freezes: []Freeze{winter},
		Requires: []string{"load"}, MinWindow: event.Duration(time.Hour), Require: []Required{RequireTicket},
	}})
	h.policy(Policy{Key: "payments", Rank: 5, Match: Match{Tags: []string{"payments"}, Environments: []string{production}}, Rollouts: Releases{
		Guardrails: []ReleaseGuardrail{{Metric: "errors", Margin: percentOf(1000)}, {Metric: "latency", Margin: percentOf(2000)}},
		Approvals:  Approvals{Count: 2, Role: "admin"}, Requires: []string{"legal", "load"}, MinWindow: event.Duration(time.Minute),
	}})
	f := tagged("payments")
	want := Releases{
		Guardrails: []ReleaseGuardrail{{Metric: "errors", Margin: percentOf(1000)}, {Metric: "latency", Margin: percentOf(2000)}, {Metric: "latency", Limit: "200ms"}},
		Approvals:  Approvals{Count: 2, Role: "admin"}, Windows: []Hours{{From: "08:00", To: "16:00"}}, Freezes: []Freeze{winter},
		Requires: []string{"legal", "load"}, MinWindow: event.Duration(time.Minute), Require: []Required{RequireTicket},
	}
	if diff := cmp.Diff(want, h.state.Releases(production, &f)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := h.state.Releases("staging", &f); got.Approvals.Count != 1 || len(got.Guardrails) != 2 {
		t.Errorf("in staging: %+v", got)
	}
}

func TestHoursAndFreezes(t *testing.T) {
	week := Hours{Days: []string{"mon", "fri"}, From: "08:00", To: "16:00"}
	for at, want := range map[string]bool{
		"2026-11-02T08:00:00Z": true, "2026-11-02T15:59:59Z": true, "2026-11-02T16:00:00Z": false, "2026-11-02T07:59:59Z": false,
		"2026-11-03T12:00:00Z": false, "2026-11-06T12:00:00+02:00": true, "2026-11-06T01:00:00-08:00": true, "2026-11-06T09:30:00+02:00": false,
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil || week.Has(when) != want {
			t.Errorf("%s: %t, want %t (%v)", at, week.Has(when), want, err)
		}
	}
	f := Freeze{From: noon, To: noon.Add(time.Hour)}
	if !f.Has(noon) || f.Has(noon.Add(time.Hour)) || f.Has(noon.Add(-time.Second)) {
		t.Error("a freeze holds from its beginning, and not at its end")
	}
}
