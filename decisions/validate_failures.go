package decisions

import (
	"slices"

	"github.com/sluice-hq/sluice/stats"
)

// fails reports whether a metric counts failures.
func (c *planCheck) fails(key string) bool {
	m, _ := c.metric(key)
	return m.Aggregate == stats.Failures
}

func (c *planCheck) metric(key string) (stats.Metric, bool) {
	if c.known.Metric == nil {
		return stats.Metric{}, false
	}
	return c.known.Metric(key)
}

// failures checks a guardrail on failures: they are compared as a ratio of their
// rates, which a level is not, and more of them is never better.
func (c *planCheck) failures(path string, g Guardrail) {
	m, _ := c.metric(g.Metric)
	if g.Limit != "" {
		c.add(path+".limit", g.Limit, "does not go with failures, which may come at a declared rate", "declare the metric's rate, and give a margin")
	}
	if m.Direction == stats.Increase {
		c.add(path+".metric", g.Metric, "is better when it grows, and counts failures", "declare the metric with direction: decrease")
	}
	if g.Margin != nil && m.Rate*(1+g.Margin.Fraction()) >= 1 {
		c.add(path+".margin", *g.Margin, "tolerates that every unit fails: it is a share of the metric's declared rate", "write a smaller margin")
	}
}

// onlyStops reports whether a guardrail can stop and is not asked to prove:
// what never fails without the change excludes no ratio, so that a guardrail on
// failures with a margin of 0 may do without an exclusion.
func (c *planCheck) onlyStops(key string) bool {
	return c.fails(key) && slices.ContainsFunc(c.plan.Metrics.Guardrails, func(g Guardrail) bool {
		return g.Metric == key && g.Margin != nil && *g.Margin == 0
	})
}

// rated reports whether a metric counts failures that come at a declared rate.
func (c *planCheck) rated(key string) bool {
	m, _ := c.metric(key)
	return m.Aggregate == stats.Failures && m.Rate > 0
}
