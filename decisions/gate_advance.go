package decisions

import (
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/stats"
)

// units asks for the minimum of units in each arm.
func (g *gate) units(stage Stage) {
	if !stage.Compares() {
		return
	}
	arms := g.arms()
	control, treatment := g.Evidence.UnitsOf("", arms.Control), g.Evidence.UnitsOf("", arms.Treatment)
	have := min(control, treatment)
	c := Check{Name: CheckUnits, State: Pass, Text: fmt.Sprintf("%s units in the smaller arm", count(have))}
	c.Numbers = map[string]float64{"have": float64(have), "need": float64(stage.MinUnits), "control": float64(control), "treatment": float64(treatment)}
	if stage.MinUnits > 0 {
		c.Text = fmt.Sprintf("%s of %s units in the smaller arm", count(have), count(stage.MinUnits))
	}
	if have < stage.MinUnits {
		c.State, c.Code = Wait, "open"
	}
	g.add(c)
}

// exclusions asks the advance tests: is harm of the stage's own size excluded,
// and, where it decides, harm beyond each margin?
func (g *gate) exclusions(stage Stage) {
	for _, rail := range g.Plan.Metrics.Guardrails {
		m, _ := g.Evidence.Metric(rail.Metric)
		if size, ok := stage.Exclude[rail.Metric]; ok && rail.Margin != nil {
			c, what := Check{Name: CheckExclusion, Metric: rail.Metric}, "harm of "+sizeText(size)
			if m.Failures != nil {
				g.add(fewer(c, m, m.FailuresExcluded, what))
				continue
			}
			g.add(excluded(c, m.Exclusion, what))
		}
	}
	if stage.Kind() != Decide {
		return
	}
	for _, rail := range g.Plan.Metrics.Guardrails {
		m, _ := g.Evidence.Metric(rail.Metric)
		if rail.Margin != nil && *rail.Margin > 0 {
			c, what := Check{Name: CheckMargin, Metric: rail.Metric}, "harm beyond the margin of "+percent(rail.Margin.Fraction())
			if m.Failures != nil {
				g.add(fewer(c, m, m.FailuresAtMargin, what))
				continue
			}
			g.add(excluded(c, m.AtMargin, what))
		}
	}
}

// excluded fills in the check of one exclusion test.
func excluded(c Check, e *stats.Exclusion, what string) Check {
	if e == nil || e.Refused != nil {
		c.State, c.Code, c.Text = Wait, "noData", fmt.Sprintf("Whether %s has %s cannot be judged yet", c.Metric, what)
		return c
	}
	c.Numbers = reading(e.Reading)
	c.Numbers["size"], c.Numbers["z"], c.Numbers["critical"] = e.Size, e.Z, e.Critical
	c.Numbers["have"], c.Numbers["need"] = e.Information, e.Needed
	switch {
	case e.Excluded:
		c.State, c.Code, c.Text = Pass, "excluded", fmt.Sprintf("%s: %s is excluded", c.Metric, what)
	case e.Ended:
		c.State, c.Code, c.Asks = Fail, "notExcluded", Review
		c.Text = fmt.Sprintf("%s: %s is not excluded, and the planned information is used up", c.Metric, what)
	default:
		c.State, c.Code = Wait, "open"
		c.Text = fmt.Sprintf("%s: %s is not excluded yet, at %s of the planned information", c.Metric, what, percent(min(e.Fraction, 1))) + awaited(e)
	}
	return c
}

// awaited says when the planned information is expected.
func awaited(e *stats.Exclusion) string {
	if e.Expected == nil {
		return ""
	}
	return "; at the pace since the start, all of it is there at about " + clock(*e.Expected)
}

// deadline asks that the longest window has not passed with something open.
func (g *gate) deadline(stage Stage) {
	if stage.MaxWindow == 0 || stage.Kind() == Full {
		return
	}
	end := g.State.Since.Add(windowTime(stage.MaxWindow))
	c := Check{Name: CheckDeadline, State: Pass, Text: "The stage ends at " + clock(end) + " at the latest"}
	if g.elapsed() >= windowTime(stage.MaxWindow) && g.anyOpen() {
		c.State, c.Code, c.Asks = Fail, "passed", Review
		c.Text = fmt.Sprintf("The longest window of %s is over and the evidence is not conclusive; a person decides", stage.MaxWindow)
	}
	g.add(c)
}

func windowTime(w Window) time.Duration { return time.Duration(w) }
