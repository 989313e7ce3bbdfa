package decisions

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// drawer draws inputs. Half of them are spoilt nowhere, so that gates are passed
// at all; in the others anything may be.
type drawer struct {
	*rapid.T
	spoils bool
}

func (d drawer) seldom(name string) bool {
	return d.spoils && rapid.IntRange(1, 10).Draw(d.T, name) == 1
}
func (d drawer) mostly(name string) bool { return !d.seldom("no " + name) }

// pick draws one of the choices, the first unless something is spoilt.
func pick[V any](d drawer, name string, choices ...V) V {
	if !d.seldom("another " + name) {
		return choices[0]
	}
	return rapid.SampledFrom(choices).Draw(d.T, name)
}

// moment draws a time: mostly fresh, else late or none.
func (d drawer) moment(name string) time.Time {
	if d.seldom(name + " missing") {
		return time.Time{}
	}
	return noon.Add(-pick(d, name, 0, time.Minute, 10*time.Minute, 10*time.Minute+1, time.Hour, 30*24*time.Hour))
}

// input draws an input of any kind of stage whose parts are there, missing,
// late, refused or inconclusive, each by itself.
func (d drawer) input() Input {
	kind := rapid.SampledFrom([]Kind{Serve, Ramp, Decide, Full}).Draw(d.T, "kind")
	in := ready(1)
	p := levelPlan()
	p.Metrics.Guardrails[0].Margin, p.Metrics.Guardrails[0].Within = new(Percent), "region"
	*p.Metrics.Guardrails[0].Margin = 5000
	in.Plan = p.Filled()
	in.State.Stage = map[Kind]int{Serve: 0, Ramp: 1, Decide: 2, Full: 3}[kind]
	stage := &in.Plan.Stages[in.State.Stage]
	stage.Requires = []string{"smoke"}
	stage.AdvanceWhen = []Condition{{Manual: "games"}, {Check: "probe"}}
	stage.Approve = rapid.IntRange(0, 1).Draw(d.T, "approve")
	in.State.Status = pick(d, "status", Running, Paused)
	in.State.Since = noon.Add(-pick(d, "elapsed", 100*time.Hour, 300*time.Hour, 2*time.Hour, time.Minute, -time.Hour))
	in.State.Approvals = in.State.Approvals[:pick(d, "approvals", 1, 0)]
	if d.mostly("smoke") {
		pick(d, "smoke's report", passed, failed, expired)("smoke")(&in)
	}
	if d.mostly("probe") {
		pick(d, "probe's report", passed, failed, expired)("probe")(&in)
	}
	if d.mostly("manual") {
		confirms("advanceWhen manual games")(&in)
	}
	e := &in.Evidence
	e.Newest, e.Metrics = d.moment("exposures"), nil
	if d.seldom("behind") {
		e.Watermark = map[string]Place{"1": {Behind: event.Duration(pick(d, "time behind", time.Hour, time.Minute))}}
	}
	e.Unaccounted = pick[int64](d, "unaccounted", 0, 1)
	e.SampleRatio.Alarm = d.seldom("sample ratio")
	if d.seldom("incident") {
		e.Incidents = []Incident{{ID: "db", Severity: pick(d, "severity", Minor, Blocking, Critical, "odd")}}
	}
	for _, key := range in.Plan.Measured() {
		if d.mostly(key) {
			e.Metrics = append(e.Metrics, d.measured(in, key))
		}
	}
	e.Units[1].N = pick[int64](d, "units", 1000, 0, 999, 2000)
	return in
}

// measured draws what was measured of a metric.
func (d drawer) measured(in Input, key string) Measured {
	m := Measured{Metric: key, Newest: d.moment(key + " events"), Direction: stats.Increase}
	judgement := func(name string) *stats.Judgement {
		if !d.mostly(name + " judged") {
			return nil
		}
		j := &stats.Judgement{Threshold: 3, Safe: d.mostly(name + " safe"), Harmed: d.seldom(name + " harmed")}
		j.Breached = d.seldom(name + " breached")
		if d.seldom(name + " refused") {
			j.Refused = &stats.Refusal{Message: "too few units"}
		}
		return j
	}
	exclusion := func(name string) *stats.Exclusion {
		if !d.mostly(name + " asked") {
			return nil
		}
		return &stats.Exclusion{Excluded: d.mostly(name), Ended: d.seldom(name + " ended")}
	}
	switch key {
	case "day_1_retention":
		if d.mostly("outcome") {
			v := pick(d, "verdict", stats.Superior, stats.Inconclusive, stats.Inferior)
			m.Outcome = &stats.Outcome{Verdict: v}
		}
	case "day_7_retention":
		m.Judgement, m.Exclusion, m.AtMargin = judgement(key), exclusion("exclude"), exclusion("margin")
		if d.mostly("parts") {
			m.Parts = []Part{{Value: "eu", Judgement: judgement("eu")}, {Value: "us"}}
		}
	case "latency":
		m.Direction, m.Limit = stats.Decrease, judgement(key)
		if m.Limit != nil {
			m.Limit.Harmed = false // a level is beyond its limit or within it
		}
		if rapid.Bool().Draw(d.T, "few") {
			m.Level = &Level{Units: 3, At: pick(d, "level", 150., 200, 201)}
		}
	case "crashes":
		m.Failures = &stats.EventJudgement{State: stats.Unknown, Threshold: 3}
		m.Alive = d.moment("sign of life")
		if stage, _ := (Rollout{Standing: in.State, Plan: in.Plan}).Now(); stage.Kind() == Serve || stage.Kind() == Full {
			m.FailureRate = &stats.RateJudgement{State: pick(d, "rate", stats.Unknown, stats.Safe, stats.Breached)}
			if d.seldom("rate refused") {
				m.FailureRate.Refused = &stats.Refusal{Message: "there are no units"}
			}
		}
	}
	return m
}

// lacking names the first thing that an input lacks to go on, or that is wrong
// with it. It is written a second time, from the plan's side and apart from the
// gate.
func lacking(in Input) string {
	stage, _ := (Rollout{Standing: in.State, Plan: in.Plan}).Now()
	window, e := time.Duration(max(stage.MinWindow, stage.Observe)), in.Evidence
	report := func(name string) bool {
		r, ok := in.State.Reported[name]
		return !ok || r.State != Pass || !in.Now.Before(r.Expires)
	}
	said := func() bool { _, ok := in.State.Confirmed["advanceWhen manual games"]; return ok }
	old := func(at time.Time) bool { return at.IsZero() || in.Now.Sub(at) > 10*time.Minute }
	serves, full, compares := stage.Kind() == Serve, stage.Kind() == Full, stage.Compares()
	for what, is := range map[string]bool{
		"time": window > 0 && in.Now.Sub(in.State.Since) < window, "a resume": in.State.Status == Paused, "smoke": report("smoke"), "probe": report("probe"),
		"a person": !said(), "exposures": old(e.Newest), "counting": e.Watermark["1"].Behind > event.Duration(10*time.Minute),
		"events": e.Unaccounted > 0, "the sample ratio": e.SampleRatio.Alarm, "the end of an incident": len(e.Incidents) > 0,
		"approval": len(in.State.Approvals) < stage.Approve,
	} {
		if is {
			return what
		}
	}
	bad := func(j *stats.Judgement) bool {
		return j != nil && j.Refused == nil && (j.Breached || j.Harmed && !j.Safe)
	}
	none := func(j *stats.Judgement) bool { return j == nil || j.Refused != nil }
	won, _ := e.Metric("day_1_retention")
	day7, _ := e.Metric("day_7_retention")
	latency, _ := e.Metric("latency")
	crashes, _ := e.Metric("crashes")
	if l := latency.Limit; old(latency.Newest) || bad(l) || none(l) && (compares || latency.Level == nil || latency.Level.At > 200) ||
		(serves || stage.Kind() == Decide) && !none(l) && !l.Safe {
		return "a level"
	}
	if crashes.Metric != "" && crashes.Alive.IsZero() || crashes.Metric == "" {
		return "a sign of life"
	}
	if r := crashes.FailureRate; r != nil && (r.Refused != nil || r.State == stats.Breached) {
		return "fewer failures"
	}
	if serves && day7.Metric != "" {
		return ""
	}
	if old(won.Newest) || old(day7.Newest) {
		return "events of a metric"
	}
	if j := day7.Judgement; bad(j) || none(j) && !full {
		return "a judgement"
	}
	if !compares {
		return ""
	}
	judged := false
	for _, p := range day7.Parts {
		judged = judged || p.Judgement != nil
		if bad(p.Judgement) {
			return "a region without harm"
		}
	}
	x := map[Kind]*stats.Exclusion{Ramp: day7.Exclusion, Decide: day7.AtMargin}[stage.Kind()]
	switch {
	case !judged:
		return "regions"
	case x == nil || !x.Excluded:
		return "an exclusion"
	case min(e.UnitsOf("", "gate_30"), e.UnitsOf("", "gate_40")) < stage.MinUnits:
		return "units"
	case stage.Kind() == Decide && (won.Outcome == nil || won.Outcome.Verdict != stats.Superior):
		return "success"
	}
	return ""
}

// Missing, late, unaccounted or inconclusive evidence never expands, never ships
// and never ends an observation, in no kind of stage and however it comes
// together; and where nothing is lacking the release does go on, or a person is
// asked for harm within the margin.
func TestNothingIsLackingWhereARolloutGoesOn(t *testing.T) {
	went := map[Kind]int{}
	rapid.Check(t, func(rt *rapid.T) {
		in := drawer{rt, rapid.Bool().Draw(rt, "spoilt")}.input()
		v, lacks := evaluate(rt, in), lacking(in)
		stage, _ := (Rollout{Standing: in.State, Plan: in.Plan}).Now()
		goes := v.Action == Expand || v.Action == Ship || v.Action == Cleanup
		if goes && lacks != "" {
			rt.Fatalf("%s of a %s stage without %s: %s", v.Action, stage.Kind(), lacks, v.Text)
		}
		tolerated := v.Action == Review && stage.Kind() == Decide
		if !goes && lacks == "" && !tolerated {
			rt.Fatalf("a %s stage does not go on: %s (%s)", stage.Kind(), v.Action, v.Reason)
		}
		if goes {
			went[stage.Kind()]++
		}
	})
	t.Logf("went on: %v", went)
}
