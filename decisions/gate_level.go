package decisions

import (
	"fmt"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Level is where a few treated units stand: fewer than a test of their mean
// needs, such as three regions.
type Level struct {
	Units int64   `json:"units"`
	At    float64 `json:"at"` // in the metric's unit
}

// level asks whether the treated units keep their level, in every kind of stage.
// Few units of an audience, or of a full stage, are no sample of others: their
// level itself decides. A stage that compares waits until it has more.
func (g *gate) level(stage Stage, c Check, m Measured, rail Guardrail) {
	c.Name = CheckLimit
	switch why := missing(m.Limit); {
	case why == "":
		c = g.held(stage, c, m, rail)
	case m.Level != nil && !stage.Compares():
		c = g.few(c, m, rail)
	default:
		c.State, c.Code, c.Text = Wait, "noData", c.Metric+" cannot be held against its limit yet: "+why
	}
	g.add(c)
}

// few fills in the check of a limit for units that are too few for a test. A
// second look counts when newer events were in it.
func (g *gate) few(c Check, m Measured, rail Guardrail) Check {
	limit, _, _ := event.ParseLevel(rail.Limit) // a recorded plan has been validated
	l := *m.Level
	c.Numbers = map[string]float64{"level": l.At, "units": float64(l.Units), "limit": limit}
	text := fmt.Sprintf("%s is at %s for the %s", m.Metric, quantity(l.At, m.Unit), howMany(l.Units, "treated unit"))
	beyond := l.At > limit
	if m.Direction == stats.Increase {
		beyond = l.At < limit
	}
	if beyond {
		c = g.confirm(c, rail.OnBreach, float64(m.Newest.UnixMilli()))
		c.Text = fmt.Sprintf("%s, beyond the limit of %s%s", text, rail.Limit, once(c))
		return c
	}
	c.State, c.Code = Pass, codeSafe
	c.Text = fmt.Sprintf("%s, within the limit of %s; so few are no sample of others, and what is asked is their own level", text, rail.Limit)
	return c
}

// howMany writes a number of things.
func howMany(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}
