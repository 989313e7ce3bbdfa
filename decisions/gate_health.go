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
			end := g.State.Since.Add(time.Duration(need))
			c.State, c.Code = Wait, "open"
			c.Text = fmt.Sprintf("Waits until %s: %s asks for at least %s", clock(end), stage.Name, need)
			if g.since(2) {
				c.Next = end
			}
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
