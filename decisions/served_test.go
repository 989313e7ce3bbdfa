package decisions

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// levelPlan serves an audience first, whose latency has a limit and whose crashes
// have a declared rate.
func levelPlan() Plan {
	p := catsPlan()
	p.Metrics.Guardrails = append(p.Metrics.Guardrails, Guardrail{Metric: "latency", Limit: "200ms"})
	guardFailures(&p, Guardrail{Metric: "crashes", Margin: new(Percent)})
	p.Stages = append([]Stage{{Name: "staff", Serve: "treatment", When: staff(), MinWindow: Window(time.Hour)}}, p.Stages...)
	return p
}

// serve lets n units of the audience come, each with a latency; some crash.
func (h *house) serve(n int, latency func(i int) float64, crash int) {
	r := h.rollout()
	stage, _ := r.Now()
	h.now = h.now.Add(time.Minute)
	at := h.now.Add(-2 * time.Second)
	h.facts.Live("crashes", at)
	for i := range n {
		unit := fmt.Sprintf("s-%d", i)
		h.facts.Expose(r.ID, stage.Name, 0, "gate_40", unit, at)
		h.facts.Record(r.ID, "latency", 0, unit, latency(i), at)
		if i < crash {
			h.facts.Record(r.ID, "crashes", 0, unit, 1, at)
		}
	}
}

func around(base float64) func(int) float64 {
	return func(i int) float64 { return base + float64(i%5) }
}

// A few units of an audience are no sample of others: their own level decides,
// and a rollback waits for newer events.
func TestLevelOfAFewUnits(t *testing.T) {
	h := newHouse(t)
	h.begin(levelPlan())
	h.serve(3, around(150), 0)
	h.step()
	h.want(Hold, "window open")
	c := itemOf(t, h.last(), "limit latency")
	if want := "latency is at 151 ms for the 3 treated units, within the limit of 200ms; so few are no sample of others, and what is asked is their own level"; c.Text != want || c.State != Pass {
		t.Errorf("%s: %s", c.State, c.Text)
	}
	h.serve(3, around(600), 0)
	h.step()
	once := func() {
		t.Helper()
		if c := itemOf(t, h.last(), "limit latency"); c.Code != codeBreachedOnce || h.rollout().Status != Running {
			t.Errorf("%s with %+v", h.rollout().Status, c)
		}
	}
	once()
	h.now = h.now.Add(time.Minute)
	h.step()
	once() // the same events once more
	h.serve(3, around(600), 0)
	h.step()
	h.want(Rollback, "limit latency breached")
	h.verified()
}

// Many units are a sample: the limit has to be shown to be kept, and where it is
// shown to be passed the release goes back.
func TestLevelOfAnAudience(t *testing.T) {
	h := newHouse(t)
	h.begin(levelPlan())
	h.serve(400, around(150), 0)
	h.step()
	if c := itemOf(t, h.last(), "limit latency"); c.State != Pass || c.Code != codeSafe || c.Numbers["needed"] == 0 {
		t.Errorf("%+v", c)
	}
	h.now = h.now.Add(time.Hour)
	h.serve(400, func(int) float64 { return 0 }, 0) // the hour has passed, and events are fresh
	h.step()
	h.want(Expand, "every check passed")
	h.verified()

	h = newHouse(t)
	h.begin(levelPlan())
	h.serve(400, around(250), 0)
	h.step()
	if c := itemOf(t, h.last(), "limit latency"); c.Code != codeBreachedOnce {
		t.Errorf("%+v", c)
	}
	h.serve(900, around(250), 0)
	h.step()
	h.want(Rollback, "limit latency breached")
	h.verified()
}

// More of an audience fail than the metric declares.
func TestFailuresOfAnAudience(t *testing.T) {
	h := newHouse(t)
	h.begin(levelPlan())
	h.serve(300, around(150), 0)
	h.step()
	if c := itemOf(t, h.last(), "limit crashes"); c.State != Pass || !strings.Contains(c.Text, "0 of 300 treated units failed") {
		t.Errorf("%+v", c)
	}
	h.serve(300, around(1), 12)
	h.step()
	h.want(Rollback, "limit crashes breached")
}

// An audience that has no data is not let on, and nobody is woken for one that
// sleeps; facts that are not counted are another thing.
func TestSilentAudience(t *testing.T) {
	h := newHouse(t)
	h.begin(levelPlan())
	h.now = h.now.Add(2 * time.Hour)
	h.step()
	h.want(Hold, "telemetry missing")
	h.serve(3, around(150), 0)
	h.step()
	h.want(Expand, "every check passed")

	for _, c := range []struct {
		name   string
		change func(*Input)
		want   string
	}{
		{"no exposures", func(in *Input) { in.Evidence.Newest = time.Time{} }, "telemetry missing"},
		{"no latencies", func(in *Input) { in.Evidence.Metrics[0].Newest = time.Time{} }, "telemetry missing latency"},
		{"old latencies", func(in *Input) { in.Evidence.Metrics[0].Newest = noon.Add(-time.Hour) }, "telemetry missing latency"},
		{"no level", func(in *Input) { in.Evidence.Metrics[0].Level = nil }, "limit latency noData"},
		{"nothing measured", func(in *Input) { in.Evidence.Metrics = nil }, "telemetry missing day_7_retention"},
	} {
		in := audience()
		c.change(&in)
		if v := evaluate(t, in); v.Action != Hold || v.Reason != c.want {
			t.Errorf("%s: %s (%s), want hold (%s)", c.name, v.Action, v.Reason, c.want)
		}
	}
	if v := evaluate(t, audience()); v.Action != Expand {
		t.Errorf("ready: %s (%s)", v.Action, v.Reason)
	}
	in := audience()
	in.Rules, in.Evidence.Metrics = 1, nil
	if v := evaluate(t, in); v.Action != Expand {
		t.Errorf("by the first rules, which asked nothing of it: %s (%s)", v.Action, v.Reason)
	}
}

// audience is an input whose gate is passed, of a stage that serves one.
func audience() Input {
	p := catsPlan()
	p.Metrics.Guardrails = append(p.Metrics.Guardrails, Guardrail{Metric: "latency", Limit: "200ms"})
	p.Stages = append([]Stage{{Name: "staff", Serve: "treatment", When: staff()}}, p.Stages...)
	in := ready(0)
	in.Plan, in.State.Approvals = p.Filled(), nil
	in.Evidence.Units, in.Evidence.SampleRatio = nil, nil
	in.Evidence.Metrics = []Measured{{Metric: "latency", Unit: "ms", Direction: "decrease", Newest: noon, Level: &Level{Units: 3, At: 150}},
		{Metric: "day_7_retention"}}
	return in
}

// Nobody has ever sent a crash: that there is none says nothing. One that was
// sent as a test, or the declared sign of life, says that they would come.
func TestSignOfLife(t *testing.T) {
	h := newHouse(t)
	h.begin(crashPlan(0, nil))
	tr := newTraffic(map[string][2]float64{"day_1_retention": {0.4, 0.4}})
	h.send(tr, 60)
	h.step()
	if c := itemOf(t, h.last(), "telemetry"); c.State != Wait || c.Code != "starting" || !strings.HasPrefix(c.Text, "No crashes event has come from anybody in 30d") {
		t.Errorf("%+v", c)
	}
	h.now = h.now.Add(time.Hour)
	h.send(tr, 60)
	h.step()
	h.want(Pause, "telemetry missing crashes")
	h.do(Command{Op: OpResume, Comment: "we know"})
	h.facts.Live("crashes", h.now)
	h.send(tr, 60)
	h.step()
	if c := itemOf(t, h.last(), "telemetry"); c.State != Pass {
		t.Errorf("%+v", c)
	}
	h.verified()
}

func TestDeclaredSignOfLife(t *testing.T) {
	m := Measured{Metric: "crashes", Sign: "app_started", Alive: noon.Add(-11 * time.Minute)}
	g := gate{Input: Input{Rules: Rules, Now: noon}}
	if text := g.mute(m, 10*time.Minute); text != "The newest app_started event, the sign of life of crashes, is from 2026-11-02 11:49:00 UTC, older than 10m" {
		t.Errorf("%s", text)
	}
	m.Alive = noon.Add(-9 * time.Minute)
	if text := g.mute(m, 10*time.Minute); text != "" {
		t.Errorf("%s", text)
	}
	g.Rules = 1
	if text := g.mute(Measured{}, 0); text != "" {
		t.Errorf("by the first rules: %s", text)
	}
}
