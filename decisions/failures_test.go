package decisions

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/stats"
)

func guardFailures(p *Plan, g Guardrail) { p.Metrics.Guardrails = append(p.Metrics.Guardrails, g) }

// crashPlan is a plan whose treatment must not crash more than a margin allows.
func crashPlan(margin Percent, exclude map[string]Size) Plan {
	p := catsPlan()
	p.Metrics.Guardrails = []Guardrail{{Metric: "crashes", Margin: &margin, OnBreach: Rollback}}
	p.Stages[0].Exclude, p.Stages[0].MinUnits = exclude, 200
	return p
}

// crashed is the plan in one of its stages, with these units that failed of
// 1,000 in each arm of the canary.
func crashed(p Plan, stage int, control, treatment int64) (Rollout, Evidence) {
	r := Rollout{Plan: p.Filled(), Metrics: declared}
	r.ID, r.Stage, r.Status = "production/gate/1", stage, Running
	return r, Evidence{Metrics: []Measured{{Metric: "crashes", Strata: []stats.Stratum{{Epoch: 1, Stage: "canary",
		Control: stats.Proportion(1000, control), Treatment: stats.Proportion(1000, treatment)}}}}}
}

// asked returns the checks about crashes of one look, from evidence as it was
// recorded, and whose verdict is the same again.
func asked(t *testing.T, r Rollout, e Evidence) (checks []Check) {
	t.Helper()
	doc, err := json.Marshal(Input{Rules: Rules, Plan: r.Plan, State: r.Standing, Evidence: Read(r, e), Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	v, err := Recompute(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Checks {
		if c.Metric == "crashes" {
			checks = append(checks, c)
		}
	}
	return checks
}

// Nobody of control crashed, ever: eight treated units of a canary are enough to
// go back, at the first look that sees them.
func TestAFailureThatNeverExistedRollsBack(t *testing.T) {
	h := newHouse(t)
	h.begin(crashPlan(0, nil))
	tr := newTraffic(map[string][2]float64{"day_1_retention": {0.4, 0.4}})
	h.send(tr, 60)
	h.step()
	r := h.rollout()
	for i, unit := range []string{"u-2", "u-4", "u-6", "u-8", "u-10", "u-12", "u-14", "u-16"} {
		if h.step(); h.rollout().Status != Running {
			t.Fatalf("after %d failures: %+v", i, h.last())
		}
		h.now = h.now.Add(time.Second)
		h.facts.Record(r.ID, "crashes", 1, unit, 1, h.now)
		h.facts.Record(r.ID, "crashes", 1, unit, 1, h.now) // again: a unit fails once
	}
	h.step()
	h.want(Rollback, "guardrail crashes breached")
	if text := h.last().Text; !strings.HasPrefix(text, "crashes: 8 treated and 0 control units failed, at least ") || h.forced() == nil {
		t.Errorf("it says %q, forced %v", text, h.forced())
	}
	h.verified()
}

// Nobody failing is no silence of telemetry, and what never fails stops alone.
func TestNobodyFails(t *testing.T) {
	h := newHouse(t)
	h.begin(crashPlan(0, nil))
	h.facts.Live("crashes", h.now.Add(-24*time.Hour)) // a test event, the day before
	tr := newTraffic(better)
	h.rounds(tr, 1000, 60, inStage(1))
	h.rounds(tr, 2000, 60, is(Observing))
	h.want(Ship, "every check passed")
	h.now = h.now.Add(11 * time.Minute)
	h.step()
	h.want(Pause, "telemetry missing") // exposures stopped, which is a silence
	h.verified()
}

func TestGateOfFailures(t *testing.T) {
	five := map[string]Size{"crashes": {Change: 4 * All, Factor: true}}
	for _, tt := range []struct {
		name               string
		margin             Percent
		stage              int
		control, treatment int64
		want               []string // code and text of each check
	}{
		{"none", 0, 0, 0, 0, []string{"unknown crashes: 0 treated and 0 control units failed: no harm is established",
			"open crashes: harm of 5x is not excluded yet: no control unit failed, and many times nothing is nothing"}},
		{"few", 0, 0, 3, 4, []string{"unknown crashes: 4 treated and 3 control units failed, 0.12x to 20x as often: no harm is established",
			"open crashes: 4 treated and 3 control units failed, 0.12x to 20x as often: harm of 5x is not excluded yet"}},
		{"fewer than five times", 0, 0, 20, 20, []string{"unknown crashes: 20 treated and 20 control units failed, 0.36x to 2.8x as often: no harm is established",
			"excluded crashes: harm of 5x is excluded"}},
		{"beyond the margin", 10_000, 0, 0, 14, []string{"breached crashes: 14 treated and 0 control units failed, at least 2.2x as often, beyond the margin of 10 %",
			"open crashes: harm of 5x is not excluded yet: no control unit failed, and many times nothing is nothing"}},
		{"worse", 200_000, 0, 40, 90, []string{"harmed crashes: 90 treated and 40 control units failed, 1.2x to 4.4x as often: worse, and not shown to be within the margin of 200 %",
			"excluded crashes: harm of 5x is excluded"}},
		{"tolerated", 200_000, 1, 300, 450, []string{"harmedWithinMargin crashes: 450 treated and 300 control units failed, 1.2x to 2x as often: worse, but within the margin of 200 %",
			"excluded crashes: harm beyond the margin of 200 % is excluded"}},
		{"within", 200_000, 1, 300, 300, []string{"safe crashes: 300 treated and 300 control units failed, 0.75x to 1.3x as often, within the margin of 200 %",
			"excluded crashes: harm beyond the margin of 200 % is excluded"}},
		{"better", 0, 1, 30, 0, []string{"unknown crashes: 0 treated and 30 control units failed, at most 0.19x as often: no harm is established; a margin of 0 % can only stop, so that shipping does not rest on it"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, e := crashed(crashPlan(tt.margin, five), tt.stage, tt.control, tt.treatment)
			var got []string
			for _, c := range asked(t, r, e) {
				got = append(got, c.Code+" "+c.Text)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("checks (-want +got):\n%s", diff)
			}
		})
	}
}

// Without anything counted nothing is judged, and the stage waits.
func TestFailuresWithoutData(t *testing.T) {
	r, e := crashed(crashPlan(10_000, map[string]Size{"crashes": {Change: All}}), 0, 0, 0)
	e.Metrics[0].Strata = nil
	for _, c := range asked(t, r, e) {
		if c.State != Wait || c.Code != "noData" {
			t.Errorf("%+v", c)
		}
	}
	if e := Read(r, Evidence{}); len(e.Metrics) != 0 {
		t.Errorf("nothing was measured: %+v", e.Metrics)
	}
}

// Evidence of before has no judgement of failures: it keeps the verdict that it
// had as a proportion.
func TestFailuresOfOldEvidence(t *testing.T) {
	r, e := crashed(crashPlan(10_000, map[string]Size{"crashes": {Change: All}}), 0, 30, 200)
	conversions := Rollout{Standing: r.Standing, Plan: r.Plan, Metrics: map[string]stats.Metric{"crashes": conversion("crashes", stats.Decrease)}}
	conversions.Frozen = Baselines(conversions, e)
	checks := asked(t, conversions, e)
	if len(checks) != 2 || checks[0].Code != codeBreachedOnce || checks[0].Numbers["bandLow"] == 0 || checks[1].Numbers["critical"] == 0 {
		t.Errorf("%+v", checks)
	}
}

// In a full stage nobody is control: more failures than the metric declares go
// back, as many as it declares do not.
func TestFailuresAgainstTheDeclaredRate(t *testing.T) {
	for failing, want := range map[int64]string{0: "unknown", 3: "unknown", 40: "breached"} {
		r, e := crashed(crashPlan(0, nil), 2, 5, 5)
		e.Metrics[0].Strata = append(e.Metrics[0].Strata, stats.Stratum{Epoch: 2, Stage: "full",
			Control: stats.Proportion(0, 0), Treatment: stats.Proportion(3000, failing)})
		checks := asked(t, r, e)
		if len(checks) != 2 || checks[0].Name != CheckGuardrail || checks[1].Name != CheckLimit || checks[1].Code != want ||
			checks[0].Numbers["treatment"] != 5 || want == "breached" && checks[1].Asks != Rollback {
			t.Errorf("%d of 3000: %+v", failing, checks)
		}
	}
	r, e := crashed(crashPlan(0, nil), 2, 5, 5)
	if checks := asked(t, r, e); len(checks) != 2 || checks[1].State != Wait || checks[1].Code != "noData" {
		t.Errorf("nobody yet: %+v", checks)
	}
}

// Strata of one epoch are one count, and units of the full stage are no second
// evidence.
func TestFailuresByEpoch(t *testing.T) {
	r, e := crashed(crashPlan(0, nil), 1, 1, 2)
	strata := append(e.Metrics[0].Strata,
		stats.Stratum{Epoch: 1, Stage: "experiment", Control: stats.Proportion(9, 3), Treatment: stats.Proportion(9, 4)},
		stats.Stratum{Epoch: 3, Stage: "experiment", Control: stats.Proportion(9, 5), Treatment: stats.Proportion(9, 6)},
		stats.Stratum{Epoch: 4, Stage: "full", Control: stats.Proportion(9, 5), Treatment: stats.Proportion(9, 6)},
		stats.Stratum{Epoch: 4, Stage: "forgotten", Control: stats.Proportion(9, 5), Treatment: stats.Proportion(9, 6)})
	half := [2]float64{0.5, 0.5}
	want := []stats.EventCounts{{Epoch: 1, Control: 4, Treatment: 6, Traffic: half}, {Epoch: 3, Control: 5, Treatment: 6, Traffic: half}}
	if diff := cmp.Diff(want, r.failing(strata)); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// rampPlan raises the treatment from 1 to 50 % of the units.
func rampPlan() Plan {
	p := crashPlan(0, nil)
	p.Stages = nil
	for _, share := range []Percent{1000, 5000, 10_000, 25_000, 50_000} {
		p.Stages = append(p.Stages, Stage{Name: share.String(), Treatment: share, Decide: share == 50_000})
	}
	return p
}

// Arms that are the same, a ramp from 1 to 50 %, and a look at every failure:
// the guardrail cries wolf in at most 5 % of rollouts. The arms of an early
// stage go on failing in the later ones.
func TestFailuresFalseAlarms(t *testing.T) {
	const seed, runs, visitors, chance = 51, 600, 6000, 0.004
	r := Rollout{Plan: rampPlan().Filled(), Metrics: map[string]stats.Metric{"crashes": {Aggregate: stats.Failures, Direction: stats.Decrease}}}
	alarms := 0
	for i := range uint64(runs) {
		if cries(rand.New(rand.NewPCG(seed, i)), r, visitors, chance) {
			alarms++
		}
	}
	got := float64(alarms) / runs
	t.Logf("seed %d: false alarms %.4f", seed, got)
	if most := alphaHarm + 2*math.Sqrt(alphaHarm*(1-alphaHarm)/runs); got > most {
		t.Errorf("false alarms in %v of the rollouts, want %v at most", got, most)
	}
}

// cries plays one rollout and reports whether it was stopped.
func cries(rng *rand.Rand, r Rollout, visitors int, chance float64) bool {
	var strata []stats.Stratum
	for i, s := range r.Plan.Stages[:5] {
		r.Stage = i
		strata = append(strata, stats.Stratum{Epoch: 1, Stage: s.Name, Control: stats.Proportion(0, 0), Treatment: stats.Proportion(0, 0)})
		for range int(float64(visitors) * 2 * s.Treatment.Fraction()) {
			now := &strata[i]
			if rng.IntN(2) == 0 {
				now.Control.N++
			} else {
				now.Treatment.N++
			}
			if rng.Float64() >= 2*chance {
				continue
			}
			if fails(rng, &strata[rng.IntN(i+1)]) && r.guard(Measured{Metric: "crashes", Strata: strata}, r.Plan.Metrics.Guardrails[0], stats.Frozen{}).State() == stats.Breached {
				return true
			}
		}
	}
	return false
}

// fails lets one of the units of a stage fail that has not yet, if there is one.
func fails(rng *rand.Rand, s *stats.Stratum) bool {
	control, treatment := s.Control.N-s.Control.X, s.Treatment.N-s.Treatment.X
	if control+treatment == 0 {
		return false
	}
	if rng.Int64N(control+treatment) < control {
		s.Control.X++
	} else {
		s.Treatment.X++
	}
	return true
}
