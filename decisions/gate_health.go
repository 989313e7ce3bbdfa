package decisions

import (
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// start is the gate before the first stage: a person must have started it.
func (g *gate) start() {
	g.add(Check{Name: CheckStart, State: Pass, Text: "Started by " + g.State.StartedBy})
}

// window asks for the stage's minimum time; the full stage's is how long it is
// observed.
func (g *gate) window(stage Stage) {
	need := stage.MinWindow
	if stage.Kind() == Full {
		need = stage.Observe
	}
	c := Check{Name: CheckWindow, State: Pass, Text: "No minimum time is asked for"}
	if need > 0 {
		have := max(g.elapsed(), 0) // a clock that was set back waits, it does not pass
		c.Numbers = map[string]float64{"have": have.Seconds(), "need": time.Duration(need).Seconds()}
		c.Text = fmt.Sprintf("The minimum of %s has passed", need)
		if have < time.Duration(need) {
			c.State, c.Code = Wait, "open"
			c.Text = fmt.Sprintf("Waits until %s: %s asks for at least %s", clock(g.State.Since.Add(time.Duration(need))), stage.Name, need)
		}
	}
	g.add(c)
}

// flag asks that the flag answers as the rollout left it, and that it took the
// last change it was asked for.
func (g *gate) flag() {
	c := Check{Name: CheckFlag, State: Pass, Text: "The flag answers by the rollout"}
	refused := g.State.Refused
	switch {
	case g.Evidence.FlagOff != "":
		c.State, c.Code, c.Text = Fail, "off", "The flag gives everybody its safe variant: "+g.Evidence.FlagOff
	case refused != nil && refused.Revision == g.Evidence.FlagRevision:
		c.State, c.Code, c.Text = Fail, "refused", "The flag did not take the last change: "+refused.Why
	}
	g.add(c)
}

// telemetry asks that facts are fresh and complete: a missing number is never
// good news.
func (g *gate) telemetry(stage Stage) {
	c := Check{Name: CheckTelemetry, State: Pass}
	if stage.Kind() == Serve {
		c.State, c.Text = NotApplicable, "An audience that is served is outside the analysis"
		g.add(c)
		return
	}
	lag := time.Duration(g.Plan.Health.Telemetry.MaxLag)
	c.Text = "Facts are fresh and complete"
	c.Numbers = map[string]float64{"need": lag.Seconds()}
	if !g.Evidence.Newest.IsZero() {
		c.Numbers["have"] = g.Now.Sub(g.Evidence.Newest).Seconds()
	}
	c.Code, c.Text = g.silence(lag, c.Text)
	switch {
	case c.Code == "":
	case g.Evidence.behind() <= lag && g.elapsed() < lag+g.quiet():
		c.State, c.Code = Wait, "starting" // the stage has just begun: give the first facts time to come
	default:
		c.State, c.Asks = Fail, g.Plan.Health.Telemetry.OnMissing
	}
	g.add(c)
}

// silence returns a code and a sentence for the first thing that is missing,
// or the sentence it was given.
func (g *gate) silence(lag time.Duration, fine string) (code, text string) {
	e := g.Evidence
	if behind := e.behind(); behind > lag {
		return "behind", fmt.Sprintf("Facts wait %s to be counted; at most %s is allowed", event.Duration(behind.Round(time.Second)), event.Duration(lag))
	}
	if text := g.stale("exposure", e.Newest, lag); text != "" {
		return "missing", text
	}
	for _, key := range g.Plan.deciding() {
		m, _ := e.Metric(key)
		if m.Failures != nil {
			continue // that nobody fails is no silence
		}
		if text := g.stale(key+" event", m.Newest, lag+time.Duration(m.Quiet)); text != "" {
			return "missing " + key, text
		}
	}
	return "", fine
}

// stale says what is old or absent, in the singular, or "".
func (g *gate) stale(what string, newest time.Time, lag time.Duration) string {
	switch {
	case newest.IsZero():
		return fmt.Sprintf("There are no %ss yet", what)
	case g.Now.Sub(newest) > lag:
		return fmt.Sprintf("The newest %s is from %s, older than %s", what, clock(newest), event.Duration(lag))
	}
	return ""
}

// quiet is the longest time that any metric's first events may take.
func (g *gate) quiet() time.Duration {
	var q event.Duration
	for _, key := range g.Plan.deciding() {
		m, _ := g.Evidence.Metric(key)
		q = max(q, m.Quiet)
	}
	return time.Duration(q)
}

// behind is the longest that a fact has waited to be counted, of any shard.
func (e Evidence) behind() time.Duration {
	var b event.Duration
	for _, p := range e.Watermark {
		b = max(b, p.Behind)
	}
	return time.Duration(b)
}

// health asks what must hold before any effect is believed.
func (g *gate) health() {
	g.sampleRatio()
	g.twoArms()
	c := Check{Name: CheckCount, State: Pass, Text: "Every acknowledged event is counted or dead-lettered"}
	if n := g.Evidence.Unaccounted; n > 0 {
		c.State, c.Code, c.Asks = Fail, "open", Hold
		c.Numbers = map[string]float64{"have": float64(n)}
		c.Text = fmt.Sprintf("%s acknowledged events are neither counted nor dead-lettered", count(n))
	}
	g.add(c)
}

func (g *gate) sampleRatio() {
	c := Check{Name: CheckSRM, State: NotApplicable, Text: "No units are compared yet"}
	if m := g.Evidence.SampleRatio; m != nil && m.Refused == nil {
		c.State, c.Text = Pass, fmt.Sprintf("The arms hold the units they should (%s)", g.armsText())
		c.Numbers = map[string]float64{"logE": m.LogE, "p": m.P, "fixedP": m.FixedP, "leaked": float64(m.Leaked)}
		if m.Alarm {
			c.State, c.Code, c.Asks = Fail, "mismatch", g.Plan.Health.SRM.OnFail
			c.Text = fmt.Sprintf("The arms do not hold the units they should (%s): nothing else can be believed", g.armsText())
		}
	}
	g.add(c)
}

func (g *gate) armsText() string {
	arms := g.arms()
	return fmt.Sprintf("%s control, %s treatment", count(g.Evidence.UnitsOf("", arms.Control)), count(g.Evidence.UnitsOf("", arms.Treatment)))
}

func (g *gate) twoArms() {
	n, all := g.Evidence.TwoArms, g.Evidence.TwoArms
	for _, u := range g.Evidence.Units {
		all += u.N
	}
	c := Check{Name: CheckTwoArms, State: Pass, Text: "No unit saw two arms"}
	if n > 0 {
		share := float64(n) / float64(all)
		limit := g.Plan.Health.MultiExposure.Max
		c.Text = fmt.Sprintf("%s units saw two arms and are left out (%s of all, %s is allowed)", count(n), percent(share), percent(limit.Fraction()))
		c.Numbers = map[string]float64{"have": share, "need": limit.Fraction(), "units": float64(n)}
		if share > limit.Fraction() && n > stats.QuarantineFloor {
			c.State, c.Code, c.Asks = Fail, "tooMany", g.Plan.Health.MultiExposure.OnFail
		}
	}
	g.add(g.lopsided(c))
}

// lopsided fails the check where more of the units that are left out began in
// one arm than in the other, however few they are: what stays of each arm is
// then no random part of it.
func (g *gate) lopsided(c Check) Check {
	q := g.Evidence.Quarantine
	if q == nil || q.Refused != nil || c.Numbers == nil {
		return c
	}
	c.Numbers["logE"], c.Numbers["p"], c.Numbers["fixedP"] = q.LogE, q.P, q.FixedP
	if q.Lopsided && c.State == Pass {
		c.State, c.Code, c.Asks = Fail, "lopsided", g.Plan.Health.MultiExposure.OnFail
		c.Text += ", and did not begin in the arms as all units do: what is left of the arms cannot be compared"
	}
	return c
}

// incidents asks that nothing is open that the plan reacts to. Each incident is
// an item of its own, so that a person resumes over those he saw and no other.
func (g *gate) incidents() {
	by := map[Severity]Action{Critical: g.Plan.Incidents.Critical, Blocking: g.Plan.Incidents.Blocking, Minor: g.Plan.Incidents.Minor}
	for _, i := range g.Evidence.Incidents {
		g.add(Check{
			Name: CheckIncidents, State: Fail, Code: string(i.Severity) + " " + i.ID,
			Asks: or(by[i.Severity], Pause), // a severity that nobody planned for stops until a person looks
			Text: fmt.Sprintf("A %s incident is open since %s: %s", i.Severity, clock(i.Since), or(i.Text, i.ID)),
		})
	}
	if len(g.Evidence.Incidents) == 0 {
		g.add(Check{Name: CheckIncidents, State: Pass, Text: "No incident is open"})
	}
}
