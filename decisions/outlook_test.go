package decisions

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluice-hq/sluice/stats"
)

const dayWindow = Window(24 * time.Hour)

// plannedOutlook is a rollout of a guardrail and a success metric whose units need a
// day to show what they do.
func plannedOutlook(stages ...Stage) Rollout {
	margin := Percent(2000) // 2 %
	m := func(key string) stats.Metric {
		return stats.Metric{Key: key, Event: key, Aggregate: stats.Conversion, Direction: stats.Increase, GateWindow: 24 * time.Hour}
	}
	p := Plan{Unit: "user", Arms: Arms{Control: "off", Treatment: "on"}, Stages: stages, Metrics: Metrics{
		Guardrails: []Guardrail{{Metric: "kept", Margin: &margin}},
		Success:    []Success{{Metric: "bought", MDE: 5000}},
	}}
	return Rollout{Plan: p.Filled(), Metrics: map[string]stats.Metric{"kept": m("kept"), "bought": m("bought")}}
}

// pastOutlook is 20,000 new units on every day, half of whom are kept and a
// tenth of whom buy.
func pastOutlook() Past {
	return Past{Flag: "checkout", Units: 140_000, Traffic: stats.Daily(20_000), Metrics: map[string]stats.Sample{
		"kept": stats.Proportion(100_000, 50_000), "bought": stats.Proportion(100_000, 10_000),
	}}
}

// By hand. The plan has two exclusion tests, each of which is to pass with a
// power of 0.9375 (z = 1.5341) at an error of 0.05 (1.6449), in twenty looks that
// cost 5.4 % more. Of units half of which are kept a fall by a tenth is excluded
// with (3.1790/(0.1 · 0.5))² · 0.25 · (1 + 0.9²) · 1.054 = 1,928 in each arm. One
// in a hundred units makes 200 a day: 9.64 days, and one until they are old.
func TestOutlookByHand(t *testing.T) {
	r := plannedOutlook(
		Stage{Name: "canary", Treatment: 1000, MinWindow: dayWindow, Exclude: map[string]Size{"kept": {Change: 10_000}}},
		Stage{Name: "experiment", Treatment: 50_000, Decide: true, MinWindow: dayWindow},
	)
	o := r.Foresee(pastOutlook())
	if len(o.Stages) != 3 || len(o.Warnings) != 0 {
		t.Fatalf("%+v", o)
	}
	canary := o.Stages[0]
	if ask := canary.Asks[0]; math.Abs(float64(ask.Units)-1928) > 8 || math.Abs(*ask.Days-10.64) > 0.05 || ask.Power != 0.9375 {
		t.Errorf("canary asks %+v", ask)
	}
	if canary.Waits != "exclude kept" || *canary.Begins != 0 || *canary.Days != *canary.Asks[0].Days || canary.Late {
		t.Errorf("canary: %+v", canary)
	}
	// What it waited for is about what it sees: the power of 0.9375 is more than 0.8.
	if see := canary.Sees[0]; !(see.Excludes > 0.07 && see.Excludes < 0.1) || !(see.Detects > 0.1 && see.Detects < 0.15) {
		t.Errorf("canary sees %+v", see)
	}
	decide := o.Stages[1]
	if *decide.Begins != *canary.Days || len(decide.Asks) != 2 || decide.Waits != "success" {
		t.Errorf("experiment: %+v", decide)
	}
	if end := *decide.Begins + *decide.Days; end != *o.Stages[2].Begins || *o.Days != end {
		t.Errorf("the full stage begins on day %v, want %v", *o.Stages[2].Begins, end)
	}
}

// Units that came before a share was raised and come again count from then on.
func TestOutlookRaisesShares(t *testing.T) {
	past := pastOutlook()
	past.Traffic = stats.Traffic{Reach: []float64{1000, 1200, 1300, 1350, 1400, 1450, 1500}}
	f := &foresight{past: past}
	f.enrol(Stage{Treatment: 10_000})
	f.now = 2
	f.enrol(Stage{Treatment: 50_000})
	// Day 4: a tenth of the 1,350 of four days, and four tenths of the 1,200 of two.
	if got, want := f.units(4, 0), 135+480.; math.Abs(got-want) > 1e-9 {
		t.Errorf("%v units in each arm, want %v", got, want)
	}
	if got, want := f.units(4, 1), 130+400.; math.Abs(got-want) > 1e-9 {
		t.Errorf("%v units that are a day old, want %v", got, want)
	}
}

func TestOutlookOfALayer(t *testing.T) {
	r := plannedOutlook(Stage{Name: "experiment", Treatment: 50_000, Decide: true, MinUnits: 50_000, MinWindow: dayWindow})
	r.Plan.Layer = &LayerPlan{Name: "checkout", Share: 50_000}
	if o := r.Foresee(pastOutlook()); *o.Stages[0].Days < 10 || o.Stages[0].Units < 50_000 {
		t.Errorf("half of a half of 20,000 a day are 50,000 after ten days: %+v", o.Stages[0])
	}
}

// A stage that cannot answer in time is said to be late, and what comes behind
// it has no day.
func TestOutlookThatIsLate(t *testing.T) {
	stage := Stage{Name: "experiment", Treatment: 10, Decide: true, MinWindow: dayWindow, MaxWindow: 7 * dayWindow}
	o := plannedOutlook(stage).Foresee(pastOutlook())
	if s := o.Stages[0]; !s.Late || *s.Days != 7 || s.Waits != "success" || o.Days != nil || o.Stages[1].Begins != nil {
		t.Errorf("%+v", o)
	}
}

func TestOutlookWithoutAPast(t *testing.T) {
	r := plannedOutlook(Stage{Name: "canary", Treatment: 1000, Exclude: map[string]Size{"kept": {Change: 10_000}}})
	o := r.Foresee(Past{})
	want := StageOutlook{Stage: "canary", Kind: Ramp, Treatment: 1000, Waits: "exclude kept",
		Asks: []Asked{{Metric: "kept", Asks: "exclude", Size: 0.1, Power: 0.875, Refused: "no unit of the past is old enough for it"}}}
	if diff := cmp.Diff(want, o.Stages[0], cmpopts.IgnoreFields(StageOutlook{}, "Begins")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{warnNobody}, o.Warnings); diff != "" {
		t.Error(diff)
	}
	past := pastOutlook()
	past.Metrics["kept"] = stats.Proportion(1000, 0)
	if ask := r.Foresee(past).Stages[0].Asks[0]; ask.Days != nil || ask.Refused == "" {
		t.Errorf("nobody of the past was kept: %+v", ask)
	}
}

func TestOutlookWarns(t *testing.T) {
	r := plannedOutlook(Stage{Name: "staff", Serve: "treatment", To: "staff", MinWindow: dayWindow}, Stage{Name: "canary", Treatment: 1000})
	r.Plan.Eligible = "paying"
	r.Plan.Metrics.Guardrails = append(r.Plan.Metrics.Guardrails, Guardrail{Metric: "kept", Limit: "40%"})
	past := pastOutlook()
	past.Flag = ""
	o := r.Foresee(past)
	if diff := cmp.Diff([]string{warnOtherFlag, warnEligible, warnLimits, warnServing}, o.Warnings); diff != "" {
		t.Error(diff)
	}
	if s := o.Stages[0]; *s.Days != 1 || s.Waits != "window" || s.Units != 0 {
		t.Errorf("staff: %+v", s)
	}
}

// TestOutlookPower: what the tests show gets smaller as units come, and on the
// day that a stage ends it is what the stage says that it sees.
func TestOutlookPower(t *testing.T) {
	r := plannedOutlook(Stage{Name: "experiment", Treatment: 50_000, Decide: true, MinWindow: 14 * dayWindow, MaxWindow: 14 * dayWindow})
	o := r.Foresee(pastOutlook())
	if len(o.Power) != 2 || o.Power[0].Role != "success" || o.Power[1].Role != "guardrail" {
		t.Fatalf("%+v", o.Power)
	}
	for _, c := range o.Power {
		for i, p := range c.Points[1:] {
			if !(p.Effect < c.Points[i].Effect) {
				t.Errorf("%s: %+v after %+v", c.Metric, p, c.Points[i])
			}
		}
	}
	// The gate of a success metric has two sides: the curve comes to what is worth finding when the stage does.
	for _, p := range o.Power[0].Points {
		if ask := o.Stages[0].Asks[1]; ask.Asks != asksSuccess || (p.Effect <= 0.05) != (p.Day >= *ask.Days) {
			t.Errorf("%+v, and %+v", p, ask)
		}
	}
	kept := o.Power[1].Points
	last, sees := kept[len(kept)-1], o.Stages[0].Sees[0]
	if last.Day != *o.Stages[0].Days || math.Abs(last.Effect-sees.Detects) > 1e-9 {
		t.Errorf("the curve ends with %+v, and the stage sees %+v after %v days", last, sees, *o.Stages[0].Days)
	}
	if nobody := r.Foresee(Past{}); len(nobody.Power) != 0 {
		t.Errorf("a curve of nobody: %+v", nobody.Power)
	}
}
