package dashboards

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// cats are the published counts of an experiment with 90,189 players: how many
// came back after one and after seven days.
func cats() (day1, day7 []stats.Stratum) {
	stratum := func(c, t int64) []stats.Stratum {
		return []stats.Stratum{{Epoch: 1, Stage: "experiment", Control: stats.Proportion(44700, c), Treatment: stats.Proportion(45489, t)}}
	}
	return stratum(20034, 20119), stratum(8502, 8279)
}

func percentOf(v decisions.Percent) *decisions.Percent { return &v }

// catRollout is a rollout of that experiment in its last stage.
func catRollout() decisions.Rollout {
	retention := func(key string) stats.Metric {
		return stats.Metric{Key: key, Event: key, Aggregate: stats.Conversion, Direction: stats.Increase}
	}
	return decisions.Rollout{
		Standing: decisions.Standing{ID: "production/game.gate/1", Version: 1, Status: decisions.Running, Stage: 1,
			Started: at.Add(-time.Hour), Since: at.Add(-time.Minute), Frozen: map[string]stats.Frozen{}},
		Number: 1,
		Plan: decisions.Plan{Flag: "game.gate", Environment: "production", Owner: "progression", Unit: "player",
			Arms: decisions.Arms{Control: "gate_30", Treatment: "gate_40"},
			Metrics: decisions.Metrics{
				Success:     []decisions.Success{{Metric: "day_1", MDE: 2000}},
				Guardrails:  []decisions.Guardrail{{Metric: "day_7", Margin: percentOf(0), Detect: decisions.Size{Change: 4000}}, {Metric: "day_7", Limit: "10%"}},
				Diagnostics: []decisions.Diagnostic{{Metric: "rounds"}},
			},
			Stages:  []decisions.Stage{{Name: "canary", Treatment: 5000}, {Name: "experiment", Treatment: 50000, Decide: true}, {Name: "full", Serve: "treatment"}},
			Cleanup: &decisions.CleanupPlan{Due: decisions.Window(30 * 24 * time.Hour), EndState: "remove"},
		},
		Metrics:   map[string]stats.Metric{"day_1": retention("day_1"), "day_7": retention("day_7"), "rounds": {Key: "rounds", Direction: stats.Increase}},
		PlannedAt: at.Add(-2 * time.Hour),
	}
}

// catSeen is that rollout with evidence as the real tests judge it.
func catSeen() Seen {
	r := catRollout()
	day1, day7 := cats()
	for key, s := range map[string][]stats.Stratum{"day_1": day1, "day_7": day7} {
		r.Frozen[key] = stats.Frozen{Variance: s[0].Control.Variance(), ControlMean: s[0].Control.Center(), Units: s[0].Control.N}
	}
	outcome := stats.Success{MDE: 0.02}.Judge(day1, r.Frozen["day_1"])
	judged := stats.Guardrail{Detect: 0.04}.Judge(day7, r.Frozen["day_7"])
	ratio := stats.SampleRatio([]stats.Counts{{Epoch: 1, Observed: []int64{44700, 45489}, Weights: []float64{1, 1}}}, 0, 0)
	e := decisions.Evidence{At: at, Exposures: 90189, TwoArms: 2, SampleRatio: &ratio,
		Watermark: map[string]decisions.Place{"1": {Seq: 412, Newest: at.Add(-2 * time.Second)}},
		Units:     []decisions.Count{{Epoch: 1, Stage: "experiment", Arm: "gate_30", N: 44700}, {Epoch: 1, Stage: "experiment", Arm: "gate_40", N: 45489}},
		Metrics:   []decisions.Measured{{Metric: "day_1", Strata: day1, Outcome: &outcome}, {Metric: "day_7", Strata: day7, Judgement: &judged}},
		Queries:   []decisions.Query{{SQL: "SELECT 1", Hash: event.Sum([]byte("SELECT 1"))}}}
	v := decisions.Verdict{Action: decisions.Rollback, Reason: "guardrail day_7 breached", Text: "day_7 is breached.", Checks: []decisions.Check{
		{Name: decisions.CheckWindow, State: decisions.Pass, Text: "1 m of 10 s"},
		{Name: decisions.CheckGuardrail, Metric: "day_7", State: decisions.Fail, Code: "breached", Text: "day_7 is 4.3 % worse (90 % interval −7.9 % to −0.5 %, valid at every look), beyond the margin of 0 %"}}}
	return Seen{Rollout: r, Evidence: &e, Verdict: &v, Rollback: "sluice rollback production/game.gate/1"}
}

func TestMeasure(t *testing.T) {
	out := measure(catSeen())
	if len(out.Rows) != 3 {
		t.Fatalf("%d rows: a metric with a margin and a limit is one", len(out.Rows))
	}
	day1, day7, rounds := out.Rows[0], out.Rows[1], out.Rows[2]
	if day1.Verdict != Inconclusive || day1.Role != Success || !day1.Share {
		t.Errorf("day_1 is %+v", day1)
	}
	if day7.Verdict != Worse || *day7.Margin != 0 || !strings.HasPrefix(day7.Note, "breached: at least ") {
		t.Errorf("day_7 is %+v", day7)
	}
	if plain(day7.value(day7.Control.Value)) != "19.0 %" || plain(day7.value(day7.Treatment.Value)) != "18.2 %" ||
		plain(change(day7.Lift.Relative)) != "-4.31 %" || plain(day7.difference(day7.Lift.Absolute)) != "-0.820 pp" {
		t.Errorf("day_7 is %s against %s, %s, %s", day7.value(day7.Treatment.Value), day7.value(day7.Control.Value), change(day7.Lift.Relative), day7.difference(day7.Lift.Absolute))
	}
	if day7.Lift.Bounds.Hi >= 0 {
		t.Errorf("breached, yet the bound of the test is %v", day7.Lift.Bounds)
	}
	if l := day7.Lift; l.Always.Lo >= l.Fixed.Lo || l.Always.Hi <= l.Fixed.Hi {
		t.Errorf("the interval for one look %v is not inside the one for every look %v", l.Fixed, l.Always)
	}
	if rounds.Verdict != NoData || rounds.Lift != nil {
		t.Errorf("rounds, which nobody measured, is %+v", rounds)
	}
}

// TestMeasure_failures: a failure that never existed before is told in units
// that failed, and is no lift.
func TestMeasure_failures(t *testing.T) {
	for _, tt := range []struct {
		control, treatment int64
		margin             float64
		verdict            Mark
		note               string
	}{
		{0, 14, 1.1, Worse, "breached: 14 treated and 0 control units failed, at least 2.7x as often"},
		{40, 90, 3, Worse, "harmed: 90 treated and 40 control units failed, 1.3x to 4.2x as often, the margin is not excluded"},
		{300, 300, 2, Within, "300 treated and 300 control units failed, 0.76x to 1.3x as often"},
		{0, 1, 1, Inconclusive, "1 treated and 0 control units failed"},
	} {
		s := catSeen()
		j := stats.Events{Margin: tt.margin}.Judge([]stats.EventCounts{{Control: tt.control, Treatment: tt.treatment, Traffic: [2]float64{0.5, 0.5}}})
		s.Evidence.Metrics[1] = decisions.Measured{Metric: "day_7", Failures: &j}
		row := measure(s).Rows[1]
		if row.Lift != nil || row.Verdict != tt.verdict || !strings.HasPrefix(row.Note, tt.note) {
			t.Errorf("%d and %d became %+v", tt.control, tt.treatment, row)
		}
		if said := row.conclusion(0.95); !strings.Contains(said, tt.note) || strings.Contains(said, "Nothing can be compared") {
			t.Errorf("%d and %d: %q", tt.control, tt.treatment, said)
		}
	}
	s := catSeen()
	j := stats.EventRate{Rate: 0.001}.Judge(40, 3000)
	s.Evidence.Metrics[1] = decisions.Measured{Metric: "day_7", FailureRate: &j}
	if row := measure(s).Rows[1]; row.Verdict != Worse || row.Note != "more units fail than was declared" {
		t.Errorf("beyond the declared rate: %+v", row)
	}
}

// TestMeasure_cap: at what values are cut, and whether that stays.
func TestMeasure_cap(t *testing.T) {
	s := catSeen()
	s.Evidence.Metrics[0].Cap, s.Evidence.Metrics[1].Cap = &decisions.Cap{Value: decisions.Bound{At: 12.5}}, &decisions.Cap{Value: decisions.Bound{At: 3}}
	s.Rollout.Caps = map[string]decisions.Cap{"day_1": {Value: decisions.Bound{At: 12.5}}}
	var got []*Cap
	for _, r := range measure(s).Rows {
		got = append(got, r.Cap)
	}
	if diff := cmp.Diff([]*Cap{{At: 12.5, Kept: true}, {At: 3}, nil}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMeasure_refused: too few units are said, never drawn.
func TestMeasure_refused(t *testing.T) {
	s := catSeen()
	j := stats.Guardrail{Detect: 0.04}.Judge(s.Evidence.Metrics[1].Strata, stats.Frozen{})
	s.Evidence.Metrics[1].Judgement = &j
	row := measure(s).Rows[1]
	if row.Lift != nil || row.Verdict != Inconclusive || row.Note == "" || row.Control.Units == 0 {
		t.Errorf("a refused test became %+v", row)
	}
}

func TestMeasure_nothingRead(t *testing.T) {
	s := catSeen()
	s.Evidence = nil
	for _, r := range measure(s).Rows {
		if r.Verdict != NoData || r.Lift != nil || r.Control.Units != 0 {
			t.Errorf("without evidence %s is %+v", r.Metric, r)
		}
	}
}

// TestMeasure_diagnostic: a metric that no gate asks for is compared for the
// page alone, and less may be better.
func TestMeasure_diagnostic(t *testing.T) {
	s := catSeen()
	_, day7 := cats()
	s.Evidence.Metrics = append(s.Evidence.Metrics, decisions.Measured{Metric: "rounds", Strata: day7})
	if got := measure(s).Rows[2]; got.Verdict != Worse && got.Verdict != Inconclusive || got.Lift == nil {
		t.Errorf("rounds is %+v", got)
	}
	huge := []stats.Stratum{{Control: stats.Proportion(10000, 5000), Treatment: stats.Proportion(10000, 1000)}}
	s.Evidence.Metrics[2].Strata = huge
	if got := measure(s).Rows[2].Verdict; got != Worse {
		t.Errorf("a fall of what should rise is %s", got)
	}
	s.Rollout.Metrics["rounds"] = stats.Metric{Key: "rounds", Direction: stats.Decrease}
	if got := measure(s).Rows[2].Verdict; got != Better {
		t.Errorf("a fall of what should fall is %s", got)
	}
}

// TestMeasure_zeroControl: without a control mean there is no relative lift,
// and the page says so instead of dividing by it.
func TestMeasure_zeroControl(t *testing.T) {
	s := catSeen()
	strata := []stats.Stratum{{Control: stats.Proportion(1000, 0), Treatment: stats.Proportion(1000, 40)}}
	j := stats.Guardrail{Margin: 0.1, Absolute: true, Direction: stats.Decrease}.Judge(strata, stats.Frozen{Variance: 0.02, Units: 1000})
	s.Evidence.Metrics[1] = decisions.Measured{Metric: "day_7", Strata: strata, Judgement: &j}
	row := measure(s).Rows[1]
	if row.Lift == nil || !math.IsNaN(row.Lift.Relative) {
		t.Fatalf("the row is %+v", row)
	}
	if got := row.conclusion(0.95); !strings.Contains(got, "no relative lift") {
		t.Errorf("the chart says %q", got)
	}
}

// TestLevels: two stages of unlike mixtures, each with a gain, never show a
// loss (Simpson's paradox).
func TestLevels(t *testing.T) {
	c, tr := levels([]stats.Stratum{
		{Stage: "canary", Control: stats.Proportion(9000, 900), Treatment: stats.Proportion(1000, 110)},
		{Stage: "ramp", Control: stats.Proportion(1000, 500), Treatment: stats.Proportion(1000, 550)},
	})
	if tr.Value <= c.Value || c.Units != 10000 || tr.Units != 2000 {
		t.Errorf("control %+v, treatment %+v", c, tr)
	}
	if c, tr := levels([]stats.Stratum{{Control: stats.Proportion(10, 1)}}); c != (Level{}) || tr != (Level{}) {
		t.Errorf("one arm alone gives %+v and %+v", c, tr)
	}
}

func TestConclude(t *testing.T) {
	got := plain(Conclude("gate_40", measure(catSeen())))
	if !strings.HasPrefix(got, "gate_40 lowers day_7 by 4.31 % (always-valid 95 % interval -") {
		t.Errorf("the sentence is %q", got)
	}
	if got := Conclude("x", Readout{Rows: []Row{{Metric: "m", Verdict: NoData}}}); got != "Nothing can be compared yet." {
		t.Errorf("without data: %q", got)
	}
}

func TestExposures(t *testing.T) {
	got := exposures(catSeen())
	want := Exposures{Arms: []Arm{{"treatment (gate_40)", 45489, 0.5}, {"control (gate_30)", 44700, 0.5}}, Ratio: Passed, P: got.P, TwoArms: 2, Total: 90189}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s := catSeen()
	s.Evidence.Units = append(s.Evidence.Units, decisions.Count{Stage: "full", Arm: "gate_40", N: 90189})
	s.Rollout.Plan.Stages[2].Holdback = 0
	s.Evidence.Strays = []decisions.Stray{{Kind: "account", Exposures: 12}}
	if got := exposures(s).Astray; len(got) != 1 || !strings.HasPrefix(got[0], "12 exposures are of units of the kind account ") {
		t.Errorf("astray: %v", got)
	}
	if got := exposures(s).Arms[0].Expected; got != 0.75 {
		t.Errorf("half of one half and all of the other is %v", got)
	}
}

// TestConclude_harmWithoutALift: a guardrail that failures or a limit have breached
// is what the sentence is about, though no lift shows it.
func TestConclude_harmWithoutALift(t *testing.T) {
	gain := Row{Metric: "purchases", Role: Success, Verdict: Better, Lift: &Lift{Relative: 0.05, Always: Interval{0.01, 0.09}}}
	for want, r := range map[string]Row{
		"on does harm to crashes (breached: 9 of 10 failures are in the treatment).":   {Metric: "crashes", Role: Guardrail, Verdict: Worse, Counted: true, Note: "breached: 9 of 10 failures are in the treatment"},
		"on does harm to latency (the level is beyond its limit).":                     {Metric: "latency", Role: Guardrail, Verdict: Worse, Lower: true, Note: "the level is beyond its limit", Lift: &Lift{Relative: 0.001, Always: Interval{-0.02, 0.02}}},
		"on raises latency by 5.00 % (always-valid 95 % interval +1.00 % to +9.00 %).": {Metric: "latency", Role: Guardrail, Verdict: Worse, Lower: true, Lift: &Lift{Relative: 0.05, Always: Interval{0.01, 0.09}}},
	} {
		if got := plain(Conclude("on", Readout{Level: 0.95, Rows: []Row{gain, r}})); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
