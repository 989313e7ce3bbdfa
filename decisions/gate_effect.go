package decisions

import (
	"fmt"

	"github.com/sluice-hq/sluice/stats"
)

// Codes that verdicts look for.
const (
	codeBreached     = "breached"
	codeBreachedOnce = "breachedOnce"
	codeTolerated    = "harmedWithinMargin"
	codeHarmed       = "harmed"
	codeSafe         = "safe"
)

// confirming is how many looks in a row must agree before an automatic
// rollback: one bad batch is not enough.
const confirming = 2

// guardrails asks the stop tests: is harm established?
func (g *gate) guardrails(stage Stage) {
	for _, rail := range g.Plan.Metrics.Guardrails {
		m, _ := g.Evidence.Metric(rail.Metric)
		c := Check{Name: CheckGuardrail, Metric: rail.Metric}
		switch {
		case rail.Margin == nil && g.since(2):
			g.level(stage, c, m, rail)
		case rail.Margin == nil:
			g.limit(stage, c, m, rail)
		case m.Failures != nil:
			g.failures(stage, c, m, rail)
			g.failureRate(stage, m, rail)
		default:
			g.guardrail(stage, c, m, rail)
		}
		if rail.Within != "" && stage.Compares() && g.since(2) {
			g.within(stage, m, rail)
		}
	}
}

func (g *gate) guardrail(stage Stage, c Check, m Measured, rail Guardrail) {
	j := m.Judgement
	if c, ok := unjudged(c, stage, missing(j)); !ok {
		g.add(c)
		return
	}
	g.add(g.weigh(stage, c, m, rail))
}

// weigh fills in the check of a guardrail that has a judgement.
func (g *gate) weigh(stage Stage, c Check, m Measured, rail Guardrail) Check {
	j := m.Judgement
	c.Numbers = judgement(*j)
	c.Numbers["margin"] = rail.Margin.Fraction()
	text := lift(m, j.Reading, oneSided(j.Threshold))
	switch {
	case j.Breached:
		c = g.confirm(c, rail.OnBreach, j.Information)
		c.Text = fmt.Sprintf("%s, beyond the margin of %s%s", text, percent(rail.Margin.Fraction()), once(c))
	case j.Harmed && j.Safe:
		c.State, c.Code, c.Text = Pass, codeTolerated, fmt.Sprintf("%s: worse, but within the margin of %s", text, percent(rail.Margin.Fraction()))
	case j.Harmed:
		c.State, c.Code, c.Asks = Fail, codeHarmed, Pause
		c.Text = fmt.Sprintf("%s: worse, and not shown to be within the margin of %s", text, percent(rail.Margin.Fraction()))
	case j.Safe:
		c.State, c.Code, c.Text = Pass, codeSafe, fmt.Sprintf("%s, within the margin of %s", text, percent(rail.Margin.Fraction()))
	default:
		c.State, c.Code, c.Text = Pass, "unknown", text+": no harm is established"+unasked(stage, rail)
	}
	return c
}

// unasked says that shipping does not rest on a guardrail: no evidence proves
// a margin of 0.
func unasked(stage Stage, rail Guardrail) string {
	if _, asked := stage.Exclude[rail.Metric]; asked || *rail.Margin > 0 || stage.Kind() != Decide {
		return ""
	}
	return "; a margin of 0 % can only stop, so that shipping does not rest on it"
}

// limit asks whether the treated units keep their level, where they are compared
// or everybody is one.
func (g *gate) limit(stage Stage, c Check, m Measured, rail Guardrail) {
	c.Name = CheckLimit
	if c, ok := unjudged(c, stage, missing(m.Limit)); !ok {
		g.add(c)
		return
	}
	g.add(g.held(stage, c, m, rail))
}

// held fills in the check of a limit that has a judgement.
func (g *gate) held(stage Stage, c Check, m Measured, rail Guardrail) Check {
	j := m.Limit
	c.Numbers = judgement(*j)
	text := fmt.Sprintf("%s is at %s for the treated units", m.Metric, quantity(j.Estimate, m.Unit))
	switch {
	case j.Breached:
		c = g.confirm(c, rail.OnBreach, j.Information)
		c.Text = fmt.Sprintf("%s, beyond the limit of %s%s", text, rail.Limit, once(c))
	case j.Safe:
		c.State, c.Code, c.Text = Pass, codeSafe, fmt.Sprintf("%s, within the limit of %s", text, rail.Limit)
	case stage.Kind() == Decide || stage.Kind() == Serve: // nothing else proves it there
		c.State, c.Code, c.Text = Wait, "unknown", fmt.Sprintf("%s, not yet shown to be within the limit of %s", text, rail.Limit)
	default:
		c.State, c.Code, c.Text = Pass, "unknown", fmt.Sprintf("%s; that the limit of %s is passed is not established", text, rail.Limit)
	}
	return c
}

// unjudged fills in the check of a guardrail that has no judgement, for a
// reason; ok is true when it has one.
func unjudged(c Check, stage Stage, why string) (Check, bool) {
	switch {
	case stage.Kind() == Serve:
		c.State, c.Text = NotApplicable, "Nothing is compared while an audience is served"
		return c, false
	case stage.Kind() == Dark && c.Name == CheckGuardrail:
		c.State, c.Text = NotApplicable, "Nothing is compared in the dark"
		return c, false
	case why != "":
		c.State, c.Code, c.Text = Wait, "noData", c.Metric+" cannot be judged yet: "+why
		if stage.Kind() == Full {
			c.State, c.Code = NotApplicable, "" // everybody has the treatment: nothing is left to compare
		}
		return c, false
	}
	return c, true
}

// missing says why a judgement says nothing, "" when it does.
func missing(j *stats.Judgement) string {
	if j == nil {
		return "there are no data"
	}
	return refused(j.Refused)
}

func refused(r *stats.Refusal) string {
	if r == nil {
		return ""
	}
	return r.Message
}

// confirm counts a breach into its streak. A rollback waits for the second
// look in a row that has more information; a pause does not wait.
func (g *gate) confirm(c Check, asks Action, information float64) Check {
	s, had := g.State.Streaks[c.key()]
	if !had || information > s.Information {
		s = Streak{Looks: s.Looks + 1, Information: information}
	}
	if g.streaks == nil {
		g.streaks = map[string]Streak{}
	}
	g.streaks[c.key()] = s
	c.State, c.Code, c.Asks = Fail, codeBreached, asks
	if asks == Rollback && s.Looks < confirming {
		c.Code, c.Asks = codeBreachedOnce, Hold
	}
	return c
}

// once says that a breach is not confirmed yet.
func once(c Check) string {
	if c.Code == codeBreachedOnce {
		return "; a second look with more data must confirm it before it is rolled back"
	}
	return ""
}

// success asks the success rule, in the stage that decides: one metric better
// at least, and none worse.
func (g *gate) success(stage Stage) {
	if stage.Kind() != Decide {
		return
	}
	won := false
	for _, s := range g.Plan.Metrics.Success {
		m, _ := g.Evidence.Metric(s.Metric)
		won = won || m.Outcome != nil && m.Outcome.Verdict == stats.Superior
	}
	for _, s := range g.Plan.Metrics.Success {
		m, _ := g.Evidence.Metric(s.Metric)
		g.add(g.outcome(stage, s, m, won))
	}
}

func (g *gate) outcome(stage Stage, s Success, m Measured, won bool) Check {
	c := Check{Name: CheckSuccess, Metric: s.Metric}
	o := m.Outcome
	if o == nil || o.Refused != nil {
		c.State, c.Code, c.Text = Wait, "noData", s.Metric+" cannot be judged yet"
		return c
	}
	c.Numbers = reading(o.Reading)
	c.Numbers["logE"], c.Numbers["threshold"], c.Numbers["p"] = o.LogE, o.Threshold, o.P
	text := lift(m, o.Reading, twoSided(o.Threshold))
	over := stage.MaxWindow > 0 && g.elapsed() >= windowTime(stage.MaxWindow)
	switch {
	case o.Verdict == stats.Inferior:
		c = g.confirm(c, s.OnLoss, o.Information)
		c.Text = text + ": worse" + once(c)
	case o.Verdict == stats.Superior:
		c.State, c.Code, c.Text = Pass, "better", text+": better"
	case won:
		c.State, c.Code, c.Text = Pass, "inconclusive", text+": not conclusive, and another metric decides"
	case over:
		c.State, c.Code, c.Asks, c.Text = Fail, "inconclusive", s.OnInconclusive, text+": not conclusive, and the longest window of "+stage.MaxWindow.String()+" is over"
	default:
		c.State, c.Code, c.Text = Wait, "inconclusive", text+": not conclusive yet"
	}
	return c
}
