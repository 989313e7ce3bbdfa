package decisions

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// ready is an input whose gate is passed: the canary, or the experiment.
func ready(stage int) Input {
	p := catsPlan()
	p.Stages[0].MinWindow = Window(time.Hour)
	p.Stages[stage].Approve = 1
	margin := Percent(5000)
	p.Metrics.Guardrails = append(p.Metrics.Guardrails, Guardrail{Metric: "support_contacts", Margin: &margin, OnBreach: Pause})
	p.Stages[0].Exclude["support_contacts"] = Size{Change: 50_000}
	p = p.Filled()
	reading := stats.Reading{Estimate: 0.01, Relative: true, Bounds: stats.Interval{Low: -0.01, High: 0.03}, Information: 10, Needed: 9}
	excluded := &stats.Exclusion{Excluded: true, Ended: true, Fraction: 1, Reading: reading}
	guard := func(key string, margin *stats.Exclusion) Measured {
		return Measured{Metric: key, Newest: noon, Direction: stats.Increase,
			Judgement: &stats.Judgement{State: stats.Safe, Safe: true, Threshold: 3, Reading: reading}, Exclusion: excluded, AtMargin: margin}
	}
	return Input{
		Rules: Rules, Plan: p, Now: noon, Every: event.Duration(time.Minute),
		State: Standing{ID: "production/gate/1", Version: 1, Status: Running, Stage: stage, Since: noon.Add(-2 * time.Hour),
			Approvals: []Approval{{By: lee}}},
		Evidence: Evidence{
			At: noon, Newest: noon, Exposures: 4000, Watermark: map[string]Place{"0": {Seq: 9, Newest: noon}},
			Units:       []Count{{Epoch: 1, Stage: "canary", Arm: "gate_30", N: 2000}, {Epoch: 1, Stage: "canary", Arm: "gate_40", N: 2000}},
			SampleRatio: &stats.SRM{P: 1, FixedP: 1},
			Metrics: []Measured{
				{Metric: "day_1_retention", Newest: noon, Direction: stats.Increase, Outcome: &stats.Outcome{Verdict: stats.Superior, Threshold: 3, Reading: reading}},
				guard("day_7_retention", nil), guard("support_contacts", excluded),
			},
		},
	}
}

// spoilers are everything that may be missing or wrong, with what the gate
// makes of it in the canary; an empty reason: it does not matter there.
var spoilers = []struct {
	name   string
	action Action
	reason string
	spoil  func(in *Input)
}{
	{"window open", Hold, "window open", func(in *Input) { in.State.Since = noon.Add(-time.Minute) }},
	{"flag off", Hold, "flag off", func(in *Input) { in.Evidence.FlagOff = "it is disabled" }},
	{"change refused", Hold, "flag refused", func(in *Input) { in.State.Refused = &Refused{} }},
	{"no exposures", Pause, "telemetry missing", func(in *Input) { in.Evidence.Newest = time.Time{} }},
	{"old exposures", Pause, "telemetry missing", func(in *Input) { in.Evidence.Newest = noon.Add(-11 * time.Minute) }},
	{"facts behind", Pause, "telemetry behind", func(in *Input) {
		in.Evidence.Watermark = map[string]Place{"1": {Behind: event.Duration(time.Hour)}}
	}},
	{"metric without data", Pause, "telemetry missing day_7_retention", func(in *Input) { in.Evidence.Metrics[1].Newest = time.Time{} }},
	{"metric gone quiet", Pause, "telemetry missing support_contacts", func(in *Input) { in.Evidence.Metrics[2].Newest = noon.Add(-time.Hour) }},
	{"metric not asked for", Pause, "telemetry missing support_contacts", func(in *Input) { in.Evidence.Metrics = in.Evidence.Metrics[:2] }},
	{"no metrics", Pause, "telemetry missing day_1_retention", func(in *Input) { in.Evidence.Metrics = nil }},
	{"unaccounted", Hold, "unaccounted open", func(in *Input) { in.Evidence.Unaccounted = 1 }},
	{"sample ratio", Pause, "sampleRatio mismatch", func(in *Input) { in.Evidence.SampleRatio.Alarm = true }},
	{"two arms", Pause, "twoArms tooMany", func(in *Input) { in.Evidence.TwoArms = 50 }},
	{"two arms, mostly one first", Pause, "twoArms lopsided", func(in *Input) {
		in.Evidence.TwoArms, in.Evidence.Quarantine = 6, &stats.Quarantine{Units: 6, Lopsided: true}
	}},
	{"minor incident", Hold, "incidents minor db", func(in *Input) { in.Evidence.Incidents = []Incident{{ID: "db", Severity: Minor}} }},
	{"critical incident", Rollback, "incidents critical pager", func(in *Input) {
		in.Evidence.Incidents = []Incident{{ID: "db", Severity: Minor}, {ID: "pager", Severity: Critical}}
	}},
	{"incident of no known severity", Pause, "incidents odd db", func(in *Input) { in.Evidence.Incidents = []Incident{{ID: "db", Severity: "odd"}} }},
	{"breach seen once", Hold, "guardrail day_7_retention breachedOnce", func(in *Input) { judgementOf(in, 1).Breached = true }},
	{"breach confirmed", Rollback, "guardrail day_7_retention breached", func(in *Input) {
		judgementOf(in, 1).Breached = true
		in.State.Streaks = map[string]Streak{"guardrail day_7_retention": {Looks: 1, Information: 9}}
	}},
	{"breach without more information", Hold, "guardrail day_7_retention breachedOnce", func(in *Input) {
		judgementOf(in, 1).Breached = true
		in.State.Streaks = map[string]Streak{"guardrail day_7_retention": {Looks: 1, Information: 10}}
	}},
	{"breach that pauses", Pause, "guardrail support_contacts breached", func(in *Input) { judgementOf(in, 2).Breached = true }},
	{"harmed", Pause, "guardrail day_7_retention harmed", func(in *Input) {
		judgementOf(in, 1).Harmed, judgementOf(in, 1).Safe = true, false
	}},
	{"no judgement", Hold, "guardrail day_7_retention noData", func(in *Input) { in.Evidence.Metrics[1].Judgement = nil }},
	{"judgement refused", Hold, "guardrail day_7_retention noData", func(in *Input) {
		judgementOf(in, 1).Refused = &stats.Refusal{Message: "too few"}
	}},
	{"few units", Hold, "units open", func(in *Input) { in.Evidence.Units[1].N = 999 }},
	{"no exclusion", Hold, "exclusion day_7_retention noData", func(in *Input) { in.Evidence.Metrics[1].Exclusion = nil }},
	{"not excluded yet", Hold, "exclusion day_7_retention open", func(in *Input) { in.Evidence.Metrics[1].Exclusion = &stats.Exclusion{Fraction: 0.5} }},
	{"never excluded", Review, "exclusion day_7_retention notExcluded", func(in *Input) { in.Evidence.Metrics[1].Exclusion = &stats.Exclusion{Ended: true} }},
	{"no approval", Hold, "approval missing", func(in *Input) { in.State.Approvals = nil }},
	{"paused", Pause, "paused until a person resumes", func(in *Input) { in.State.Status = Paused }},
}

// judgementOf is a metric's judgement to be spoilt, whatever was spoilt before.
func judgementOf(in *Input, i int) *stats.Judgement {
	m := &in.Evidence.Metrics[i]
	if m.Judgement == nil {
		m.Judgement = &stats.Judgement{}
	}
	return m.Judgement
}

func evaluate(t interface{ Fatal(...any) }, in Input) Verdict {
	v, err := Evaluate(in)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestGate(t *testing.T) {
	if v := evaluate(t, ready(0)); v.Action != Expand || v.Stage != 1 || v.Reason != "every check passed" {
		t.Fatalf("ready: %s (%s)", v.Action, v.Text)
	}
	for _, s := range spoilers {
		in := ready(0)
		s.spoil(&in)
		v := evaluate(t, in)
		if v.Action != s.action || v.Reason != s.reason || v.Text == "" || v.Stage != 0 {
			t.Errorf("%s: %s (%s) to stage %d, want %s (%s)", s.name, v.Action, v.Reason, v.Stage, s.action, s.reason)
		}
	}
}

// A few units that saw two arms stop nothing where they began in either.
func TestTwoArmsEitherFirst(t *testing.T) {
	in := ready(0)
	in.Evidence.TwoArms, in.Evidence.Quarantine = 6, &stats.Quarantine{Units: 6, LogE: -1}
	v := evaluate(t, in)
	i := slices.IndexFunc(v.Checks, func(c Check) bool { return c.Name == CheckTwoArms })
	if v.Action != Expand || v.Checks[i].State != Pass || v.Checks[i].Numbers["logE"] != -1 {
		t.Errorf("%s: %+v", v.Action, v.Checks[i])
	}
}

// The checks come in the order of the design, approval last.
func TestGateOrder(t *testing.T) {
	var names []string
	for _, c := range evaluate(t, ready(1)).Checks {
		names = append(names, c.key())
	}
	want := "window, flag, telemetry, sampleRatio, twoArms, unaccounted, incidents, guardrail day_7_retention, " +
		"guardrail support_contacts, units, margin support_contacts, success day_1_retention, deadline, approval"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestStageThatDecides(t *testing.T) {
	outcome := func(in *Input, v stats.Verdict) { in.Evidence.Metrics[0].Outcome.Verdict = v }
	late := func(in *Input) { in.State.Since = noon.Add(-29 * 24 * time.Hour) }
	tests := []struct {
		name   string
		action Action
		reason string
		change func(in *Input)
	}{
		{"all is well", Ship, "every check passed", func(*Input) {}},
		{"inconclusive", Hold, "success day_1_retention inconclusive", func(in *Input) { outcome(in, stats.Inconclusive) }},
		{"inconclusive at the end", Review, "success day_1_retention inconclusive", func(in *Input) { outcome(in, stats.Inconclusive); late(in) }},
		{"inconclusive at the end goes back if so planned", Rollback, "success day_1_retention inconclusive", func(in *Input) {
			outcome(in, stats.Inconclusive)
			late(in)
			in.Plan.Metrics.Success[0].OnInconclusive = Rollback
		}},
		{"worse", Review, "success day_1_retention breached", func(in *Input) { outcome(in, stats.Inferior) }},
		{"no outcome", Hold, "success day_1_retention noData", func(in *Input) { in.Evidence.Metrics[0].Outcome = nil }},
		{"margin not excluded", Hold, "margin support_contacts open", func(in *Input) { in.Evidence.Metrics[2].AtMargin = &stats.Exclusion{} }},
		{"margin not asked", Hold, "margin support_contacts noData", func(in *Input) { in.Evidence.Metrics[2].AtMargin = nil }},
		{"margin open at the end", Review, "deadline passed", func(in *Input) { in.Evidence.Metrics[2].AtMargin = &stats.Exclusion{}; late(in) }},
		{"worse but within the margin", Review, "guardrail support_contacts harmedWithinMargin", func(in *Input) { judgementOf(in, 2).Harmed = true }},
	}
	for _, test := range tests {
		in := ready(1)
		test.change(&in)
		if v := evaluate(t, in); v.Action != test.action || v.Reason != test.reason {
			t.Errorf("%s: %s (%s), want %s (%s)", test.name, v.Action, v.Reason, test.action, test.reason)
		}
	}
}

// Whatever is missing or wrong, and whatever else is: it never expands and
// never ships.
func TestMissingEvidenceNeverExpands(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := ready(rapid.IntRange(0, 1).Draw(rt, "stage"))
		first := true
		for first || rapid.Bool().Draw(rt, "more") {
			s := rapid.SampledFrom(spoilers).Draw(rt, "spoiler")
			if in.State.Stage == 1 && (strings.Contains(s.reason, "exclusion") || s.name == "window open" || s.name == "few units") ||
				len(in.Evidence.Metrics) < 3 && !first {
				break // the experiment asks for no such thing; or there is no metric left to spoil
			}
			s.spoil(&in)
			first = false
		}
		if first {
			return
		}
		if v := evaluate(rt, in); v.Action == Expand || v.Action == Ship || v.Action == Cleanup {
			rt.Fatalf("%s (%s) on %+v", v.Action, v.Reason, in.Evidence)
		}
	})
}

func TestResumedOverPausesNoMore(t *testing.T) {
	in := ready(0)
	in.Evidence.SampleRatio.Alarm = true
	in.State.Acknowledged = []string{"sampleRatio mismatch"}
	if v := evaluate(t, in); v.Action != Hold {
		t.Errorf("acknowledged: %s (%s), want hold", v.Action, v.Reason)
	}
	in.Evidence.Unaccounted, in.Evidence.TwoArms = 0, 50
	if v := evaluate(t, in); v.Action != Pause || v.Reason != "twoArms tooMany" {
		t.Errorf("another reason: %s (%s), want pause", v.Action, v.Reason)
	}
}

// A person resumes over the incidents that he saw: the next one pauses again,
// and he is asked about it alone.
func TestAnotherIncidentPausesAgain(t *testing.T) {
	in := ready(0)
	in.State.Acknowledged = []string{"incidents blocking db"}
	in.Evidence.Incidents = []Incident{{ID: "db", Severity: Blocking, Since: noon, Text: "slow"}}
	if v := evaluate(t, in); v.Action != Hold || v.Reason != "incidents blocking db" {
		t.Errorf("resumed over: %s (%s), want hold", v.Action, v.Reason)
	}
	in.Evidence.Incidents = append(in.Evidence.Incidents, Incident{ID: "disk", Severity: Blocking, Since: noon, Text: "full"})
	v := evaluate(t, in)
	if v.Action != Pause || v.Reason != "incidents blocking disk" || !strings.Contains(v.Text, "full") {
		t.Errorf("another one: %s (%s: %s), want pause", v.Action, v.Reason, v.Text)
	}
	r := Rollout{Decisions: []Decision{{Verdict: v}}}
	if got := r.pausing(); len(got) != 2 {
		t.Errorf("a person resumes over %v, want both", got)
	}
}

func TestLimit(t *testing.T) {
	in := ready(0)
	in.Plan.Metrics.Guardrails = append(in.Plan.Metrics.Guardrails, Guardrail{Metric: "latency", Limit: "200ms", OnBreach: Pause})
	j := &stats.Judgement{State: stats.Breached, Breached: true, Reading: stats.Reading{Estimate: 231, Information: 3}}
	in.Evidence.Metrics = append(in.Evidence.Metrics, Measured{Metric: "latency", Unit: "ms", Newest: noon, Limit: j})
	v := evaluate(t, in)
	if v.Action != Pause || v.Text != "latency is at 231 ms for the treated units, beyond the limit of 200ms" {
		t.Errorf("%s: %s", v.Action, v.Text)
	}
}

func TestSentences(t *testing.T) {
	r := stats.Reading{Estimate: -0.0431, Relative: true, Bounds: stats.Interval{Low: -0.0694, High: -0.0168}}
	got := lift(Measured{Metric: "day_7_retention", Direction: stats.Increase}, r, 0.95)
	want := "day_7_retention is 4.3 % worse (95 % interval −6.9 % to −1.7 %, valid at every look)"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := lift(Measured{Metric: "latency", Direction: stats.Decrease}, stats.Reading{Estimate: -3, Bounds: stats.Open()}, 0.9); got !=
		"latency is 3 better (90 % interval −∞ to ∞, valid at every look)" {
		t.Errorf("got %s", got)
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 45489: "45,489", 1234567: "1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
}

func TestUnknownRulesAreAnError(t *testing.T) {
	if v, err := Evaluate(Input{Rules: Rules + 1}); err == nil {
		t.Errorf("evaluated as %+v", v)
	}
}
