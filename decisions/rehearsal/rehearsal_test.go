package rehearsal

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

const day = 24 * time.Hour

func percent(p float64) *decisions.Percent {
	v := decisions.Percent(p * 1000)
	return &v
}

// release is a short plan: a canary and a week that decides.
func release() Rehearsal {
	conversion := func(key string, d stats.Direction) stats.Metric {
		return stats.Metric{Key: key, Event: key, Aggregate: stats.Conversion, Direction: d, GateWindow: time.Hour}
	}
	return Rehearsal{
		Plan: decisions.Plan{
			Flag: "gate", Environment: "production", Owner: "games", Unit: "user", Arms: decisions.Arms{Control: "off", Treatment: "on"},
			Metrics: decisions.Metrics{
				Success:    []decisions.Success{{Metric: "wins", MDE: 5000}},
				Guardrails: []decisions.Guardrail{{Metric: "returns", Margin: percent(10)}, {Metric: "crashes", Margin: percent(100)}},
			},
			Stages: []decisions.Stage{
				{Name: "canary", Treatment: 5000, MinWindow: decisions.Window(12 * time.Hour), Exclude: map[string]decisions.Size{
					"returns": {Change: 50_000}, "crashes": {Change: 1_000_000, Factor: true},
				}},
				{Name: "week", Treatment: 50_000, Decide: true, MinWindow: decisions.Window(2 * day), MaxWindow: decisions.Window(7 * day)},
				{Name: "full", Serve: "treatment", Holdback: 1000, Observe: decisions.Window(day)},
			},
			Cleanup: &decisions.CleanupPlan{Due: decisions.Window(30 * day), EndState: "promote"},
		},
		Flag: flags.Flag{
			Key: "gate", Purpose: flags.Release, Owner: "games", Type: flags.Boolean, Unit: "user", Default: "off", Safe: "off",
			Variants: flags.Variants{"on": []byte("true"), "off": []byte("false")},
			Cleanup:  &flags.Cleanup{Due: event.Duration(30 * day), EndState: flags.Promote},
		},
		Metrics: map[string]stats.Metric{
			"wins": conversion("wins", stats.Increase), "returns": conversion("returns", stats.Increase),
			"crashes": {Key: "crashes", Event: "crashes", Aggregate: stats.Failures, Direction: stats.Decrease},
		},
		Truth:    Truth{Traffic: stats.Daily(40_000), Metrics: map[string]Model{"wins": {Mean: 0.45}, "returns": {Mean: 0.3}, "crashes": {Mean: 0.004}}},
		Settings: Settings{Every: event.Duration(2 * time.Hour)},
	}
}

func runs(t *testing.T, r Rehearsal, s Scenario, n int) []Run {
	t.Helper()
	out, err := r.Runs(t.Context(), s, Seeds{From: 1, Count: n})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestASeedIsTheSameRun(t *testing.T) {
	r, s := release(), Scenario{Kind: Breach}
	one, again := runs(t, r, s, 2), runs(t, r, s, 2)
	if diff := cmp.Diff(one, again); diff != "" {
		t.Errorf("the same seeds, -first +second:\n%s", diff)
	}
	if cmp.Equal(one[0].Decisions, one[1].Decisions) {
		t.Error("two seeds are one run")
	}
}

func TestAHealthyReleaseIsLeftAlone(t *testing.T) {
	s := release().Summarize(Scenario{Kind: Healthy}, runs(t, release(), Scenario{Kind: Healthy}, 20))
	if s.Undisturbed < 16 || s.Rollbacks > 2 || s.Ships > 2 || s.Harmed.High > 0 {
		t.Errorf("of 20 runs: %+v", s)
	}
}

// One exclusion test may miss as often as many of them together, and the stop
// tests have their error beside it: no plan is nearer to its bound.
func TestAHealthyReleaseOfOneGuardrailIsLeftAlone(t *testing.T) {
	r, healthy := release(), Scenario{Kind: Healthy}
	r.Settings = Settings{Every: event.Duration(4 * time.Hour), Alone: true}
	r.Plan.Metrics = decisions.Metrics{Guardrails: []decisions.Guardrail{{Metric: "returns", Margin: percent(5)}}}
	r.Plan.Stages = []decisions.Stage{{Name: "week", Treatment: 50_000, Decide: true, MinWindow: decisions.Window(day)}}
	s := r.Summarize(healthy, runs(t, r, healthy, 100))
	if s.Undisturbed < 80 {
		t.Errorf("of 100 runs %d are undisturbed: %v", s.Undisturbed, s.Ended)
	}
}

func TestAGoodReleaseIsShipped(t *testing.T) {
	s := release().Summarize(Scenario{Kind: Better}, runs(t, release(), Scenario{Kind: Better}, 10))
	if s.Ended[Shipped] < 8 || s.Shipping.Middle < 60 {
		t.Errorf("of 10 runs: %+v", s)
	}
}

// A breach is rolled back, at the earlier the worse it is, and before as many
// units are harmed as by who looks after a week.
func TestABreachIsRolledBack(t *testing.T) {
	before := 1e9
	for _, size := range []decisions.Percent{20_000, 40_000, 80_000} {
		sc := Scenario{Kind: Breach, Metric: "returns", By: decisions.Size{Change: size}}
		s := release().Summarize(sc, runs(t, release(), sc, 10))
		if s.Rollbacks < 9 || s.Detection.Middle > before || s.Harmed.Middle >= s.Fixed.Harmed.Middle || s.Ships > 0 {
			t.Errorf("%s: %+v; fixed %+v", size, s, s.Fixed)
		}
		before = s.Detection.Middle
	}
}

func TestABreachAtEachStageIsFound(t *testing.T) {
	for _, stage := range []string{"canary", "week", "full"} {
		s := Scenario{Kind: Breach, Metric: "crashes", By: decisions.Size{Change: 2_000_000, Factor: true}, Stage: stage}
		r := release()
		if stage == "full" {
			// No control is left to compare with but the holdback: the declared rate tells.
			m := r.Metrics["crashes"]
			m.Rate = 0.004
			r.Metrics["crashes"] = m
			r.Plan.Metrics.Success = nil // it ships without an effect
			r.Plan.Metrics.Guardrails = append(r.Plan.Metrics.Guardrails[:0:0], r.Plan.Metrics.Guardrails...)
		}
		run := runs(t, r, s, 1)[0]
		last := run.Decisions[len(run.Decisions)-1]
		if last.Action != decisions.Rollback || last.From != stage {
			t.Errorf("%s: ended with %+v", stage, last)
		}
	}
}

// What a release must bear changes nothing, or hardly anything.
func TestRepeatsChangeNothing(t *testing.T) {
	healthy, storm := runs(t, release(), Scenario{Kind: Healthy}, 3), runs(t, release(), Scenario{Kind: Duplicates}, 3)
	for i := range healthy {
		if diff := cmp.Diff(healthy[i].Decisions, storm[i].Decisions); diff != "" {
			t.Errorf("seed %d, -once +several times:\n%s", i+1, diff)
		}
	}
}

func TestAnOutageIsRiddenOut(t *testing.T) {
	s := release().Summarize(Scenario{Kind: Outage}, runs(t, release(), Scenario{Kind: Outage}, 5))
	if s.Blind != 5*6 || s.Rollbacks > 0 || s.Undisturbed < 4 { // 12 hours, a look every two
		t.Errorf("of 5 runs: %+v", s)
	}
	harmed := Scenario{Kind: Outage, Metric: "returns", By: decisions.Size{Change: 50_000}}
	if s := release().Summarize(harmed, runs(t, release(), harmed, 5)); s.Rollbacks != 5 || s.Detection.Low < 12 {
		t.Errorf("harm that begins with the outage: %+v", s)
	}
}

func TestLateEventsStopNothing(t *testing.T) {
	s := release().Summarize(Scenario{Kind: Late}, runs(t, release(), Scenario{Kind: Late}, 5))
	if s.Rollbacks > 0 || s.Undisturbed < 4 {
		t.Errorf("of 5 runs: %+v", s)
	}
}

func TestSilenceAndLossPause(t *testing.T) {
	for _, s := range []struct {
		Scenario
		reason string
	}{
		{Scenario{Kind: Missing}, "telemetry missing"},
		{Scenario{Kind: Missing, Metric: "returns"}, "telemetry missing returns"},
		{Scenario{Kind: SRM}, "sampleRatio mismatch"},
	} {
		for _, run := range runs(t, release(), s.Scenario, 3) {
			last := run.Decisions[len(run.Decisions)-1]
			if run.Ended != Paused || !strings.HasPrefix(last.Reason, "paused") && last.Reason != s.reason {
				t.Errorf("%s %s, seed %d: ended %s with %+v", s.Kind, s.Metric, run.Seed, run.Ended, last)
			}
		}
	}
}

// The laws of the house hold over the log of a rehearsal: it is the production
// code that wrote it.
func TestLawsHoldInARehearsal(t *testing.T) {
	r := release()
	w, err := r.open(t.Context(), Scenario{Kind: Breach}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for now := begins; w.rollout(r.Plan).Status != decisions.RolledBack; now = now.Add(r.Settings.every()) {
		if err := w.look(now); err != nil || now.Sub(begins) > 30*day {
			t.Fatalf("at %s: %v", now, err)
		}
	}
	report, err := decisions.Verify(t.Context(), w.log, w.blobs)
	if err != nil || !report.OK() || len(report.Pending) > 0 || report.Effect.Checked < 2 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestApprovalsAreGiven(t *testing.T) {
	r := release()
	r.Plan.Stages[0].Approve = 2
	run := runs(t, r, Scenario{Kind: Healthy}, 1)[0]
	if _, ok := run.First(decisions.Expand); !ok || run.Treated < 10_000 {
		t.Errorf("it did not come beyond the canary: %+v", run)
	}
}

func TestARunEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := release().Run(ctx, Scenario{Kind: Healthy}, 1); err == nil {
		t.Error("it went on")
	}
}
