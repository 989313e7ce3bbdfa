package decisions

import (
	"fmt"
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// failures asks the stop test of failures. A breach acts at once: the test
// counts distinct units, and asks for enough of them.
func (g *gate) failures(stage Stage, c Check, m Measured, rail Guardrail) {
	j := m.Failures
	if c, ok := unjudged(c, stage, refused(j.Refused)); !ok {
		g.add(c)
		return
	}
	g.add(g.failed(stage, c, m, rail))
}

// failed fills in the check of a guardrail on failures that has a judgement.
func (g *gate) failed(stage Stage, c Check, m Measured, rail Guardrail) Check {
	j := m.Failures
	c.Numbers = failing(*j)
	c.Numbers["margin"] = rail.Margin.Fraction()
	text, margin := m.Metric+": "+FailureText(*j), percent(rail.Margin.Fraction())
	switch worse := j.LogHarm >= j.Threshold; {
	case j.State == stats.Breached:
		c.State, c.Code, c.Asks = Fail, codeBreached, rail.OnBreach
		c.Text = fmt.Sprintf("%s, beyond the margin of %s", text, margin)
	case j.State == stats.Harmed:
		c.State, c.Code, c.Asks = Fail, codeHarmed, Pause
		c.Text = fmt.Sprintf("%s: worse, and not shown to be within the margin of %s", text, margin)
	case j.State == stats.Safe && worse:
		c.State, c.Code, c.Text = Pass, codeTolerated, fmt.Sprintf("%s: worse, but within the margin of %s", text, margin)
	case j.State == stats.Safe:
		c.State, c.Code, c.Text = Pass, codeSafe, fmt.Sprintf("%s, within the margin of %s", text, margin)
	case worse:
		c.State, c.Code, c.Text = Pass, "unknown", fmt.Sprintf("%s; fewer units failed than anything is done about", text)
	default:
		c.State, c.Code, c.Text = Pass, "unknown", text+": no harm is established"+unasked(stage, rail)
	}
	return c
}

// failureRate asks whether more treated units fail than was declared, where
// there is no control.
func (g *gate) failureRate(stage Stage, m Measured, rail Guardrail) {
	j := m.FailureRate
	if j == nil {
		return
	}
	c := Check{Name: CheckLimit, Metric: m.Metric}
	if j.Refused != nil {
		c.State, c.Code, c.Text = Wait, "noData", c.Metric+" cannot be held against its declared rate yet: "+j.Refused.Message
		g.add(c)
		return
	}
	c.Numbers = map[string]float64{"failing": float64(j.Failing), "units": float64(j.Units), "share": j.Estimate,
		"low": j.Bounds.Low, "high": j.Bounds.High, "logE": j.LogE, "threshold": j.Threshold}
	c.State, c.Code = Pass, "unknown"
	c.Text = fmt.Sprintf("%s: %s of %s treated units failed (%s); that more fail than was declared is not established",
		m.Metric, count(j.Failing), count(j.Units), percent(j.Estimate))
	if j.State == stats.Breached {
		c.State, c.Code, c.Asks = Fail, codeBreached, rail.OnBreach
		c.Text = fmt.Sprintf("%s: %s of %s treated units failed, %s or more, beyond the declared rate and its margin of %s",
			m.Metric, count(j.Failing), count(j.Units), percent(j.Bounds.Low), percent(rail.Margin.Fraction()))
	}
	g.add(c)
}

// fewer fills in the check of one exclusion test of failures.
func fewer(c Check, m Measured, x *FailuresExcluded, what string) Check {
	if x == nil || m.Failures.Refused != nil {
		c.State, c.Code, c.Text = Wait, "noData", fmt.Sprintf("Whether %s has %s cannot be judged yet", c.Metric, what)
		return c
	}
	c.Numbers = failing(*m.Failures)
	c.Numbers["size"], c.Numbers["logE"], c.Numbers["threshold"] = x.Size, x.LogE, x.Threshold
	switch {
	case x.Excluded:
		c.State, c.Code, c.Text = Pass, "excluded", fmt.Sprintf("%s: %s is excluded", c.Metric, what)
	case m.Failures.Control == 0:
		c.State, c.Code = Wait, "open"
		c.Text = fmt.Sprintf("%s: %s is not excluded yet: no control unit failed, and many times nothing is nothing", c.Metric, what)
	default:
		c.State, c.Code = Wait, "open"
		c.Text = fmt.Sprintf("%s: %s: %s is not excluded yet", c.Metric, FailureText(*m.Failures), what)
	}
	return c
}

// FailureText says how many units failed, and what is established of how many
// times as often as those of control: "14 treated and 0 control units failed, at
// least 4.2x as often".
func FailureText(j stats.EventJudgement) string {
	text := fmt.Sprintf("%s treated and %s control units failed", count(j.Treatment), count(j.Control))
	low, high := math.Exp(j.Bounds.Low), math.Exp(j.Bounds.High)
	switch few, many := low > 0, !math.IsInf(high, 1); {
	case few && many:
		return fmt.Sprintf("%s, %s to %s as often", text, times(low), times(high))
	case few:
		return fmt.Sprintf("%s, at least %s as often", text, times(low))
	case many:
		return fmt.Sprintf("%s, at most %s as often", text, times(high))
	}
	return text
}

// times writes a ratio of rates: "4.2x".
func times(x float64) string {
	if x >= 100 {
		return fmt.Sprintf("%sx", count(int64(math.Round(x))))
	}
	return fmt.Sprintf("%.2gx", x)
}

// failing returns the numbers of a judgement by name, leaving out what JSON
// cannot hold: an open side.
func failing(j stats.EventJudgement) map[string]float64 {
	out := map[string]float64{"treatment": float64(j.Treatment), "control": float64(j.Control), "p": j.P,
		"logBreach": j.LogE, "logHarm": j.LogHarm, "logSafe": j.LogSafe, "threshold": j.Threshold}
	if !math.IsInf(j.Bounds.Low, 0) {
		out["logRatioLow"] = j.Bounds.Low
	}
	if !math.IsInf(j.Bounds.High, 0) {
		out["logRatioHigh"] = j.Bounds.High
	}
	return out
}
