package decisions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// metrics checks the roles: every metric is known, has one role, and says what
// its role needs.
func (c *planCheck) metrics() {
	for i, s := range c.plan.Metrics.Success {
		path := fmt.Sprintf("metrics.success[%d]", i)
		c.role(path+".metric", s.Metric, "success")
		if c.fails(s.Metric) {
			c.add(path+".metric", s.Metric, "counts failures, whose test can stop and not prove", "make it a guardrail, and a conversion of what succeeds the success metric")
		}
		if s.MDE <= 0 {
			c.add(path+".mde", nil, "is missing", "write the smallest effect worth finding, such as 2%")
		}
	}
	for i, g := range c.plan.Metrics.Guardrails {
		c.guardrail(fmt.Sprintf("metrics.guardrails[%d]", i), g)
	}
	for i, d := range c.plan.Metrics.Diagnostics {
		c.role(fmt.Sprintf("metrics.diagnostics[%d].metric", i), d.Metric, "diagnostic")
	}
	c.breakdowns()
	if len(c.plan.Metrics.Success)+len(c.plan.Metrics.Guardrails) == 0 && slices.ContainsFunc(c.plan.Stages, Stage.Compares) {
		c.add("metrics", nil, "names nothing that could stop or allow the release", "add at least one guardrail or success metric")
	}
}

// MostBreakdowns is how many attributes a readout is split by at most: each is
// a table that is read from raw events.
const MostBreakdowns = 5

func (c *planCheck) breakdowns() {
	all := c.plan.Metrics.Breakdowns
	if len(all) > MostBreakdowns {
		c.add("metrics.breakdowns", len(all), fmt.Sprintf("are more than %d attributes", MostBreakdowns), "name those that you would act on")
	}
	for i, a := range all {
		path := fmt.Sprintf("metrics.breakdowns[%d]", i)
		switch {
		case strings.TrimSpace(a) == "":
			c.add(path, nil, "is missing", "name an attribute of exposures, such as browser")
		case slices.Contains(all[:i], a):
			c.add(path, a, "stands twice", "take one of them away")
		}
	}
}

// role notes what a metric is used for. Only a guardrail has two uses: against
// control, and against a limit.
func (c *planCheck) role(path, key, role string) {
	if key == "" {
		c.add(path, nil, "is missing", "name a declared metric")
		return
	}
	for _, had := range c.roles[key] {
		switch {
		case had == role:
			c.add(path, key, "stands twice as "+role, "take one of them away")
		case had+role != "guardraillimit" && had+role != "limitguardrail":
			c.add(path, key, "has two roles: "+had+" and "+role, "give every metric one role")
		}
	}
	c.roles[key] = append(c.roles[key], role)
	c.declared(path, key)
}

// declared looks the metric up.
func (c *planCheck) declared(path, key string) {
	if _, ok := c.metric(key); !ok && c.known.Metric != nil {
		c.add(path, key, "is not a declared metric", "declare it first (kind: Metric)")
	}
}

func (c *planCheck) guardrail(path string, g Guardrail) {
	role := "guardrail"
	if g.Limit != "" && g.Margin == nil {
		role = "limit"
	}
	c.role(path+".metric", g.Metric, role)
	switch {
	case g.Margin != nil && g.Limit != "":
		c.add(path, g.Metric, "has a margin and a limit", "write two guardrails, one each")
	case g.Margin == nil && g.Limit == "":
		c.add(path+".margin", nil, "is missing", "say how much worse is tolerated, such as 5%, or give a limit")
	case c.fails(g.Metric):
		c.failures(path, g)
	case g.Margin != nil && *g.Margin == 0 && g.Detect.IsZero():
		c.add(path+".detect", nil, "is missing", "a margin of 0% needs the harm to be sharpest for, such as detect: 4%")
	case g.Limit != "":
		c.limit(path, g)
	}
	c.compared(path, g)
	c.reachable(path+".margin", g.Metric, g.Margin)
	if !g.Detect.IsZero() {
		c.reachable(path+".detect", g.Metric, &g.Detect.Change)
	}
}

// compared refuses what only a comparison with control could answer.
func (c *planCheck) compared(path string, g Guardrail) {
	if g.Limit != "" && !g.Detect.IsZero() {
		c.add(path+".detect", g.Detect, "is harm against control, which a limit does not ask about", "leave it out, or give the metric a guardrail with a margin")
	}
	switch {
	case g.Within == "":
	case strings.TrimSpace(g.Within) == "":
		c.add(path+".within", g.Within, "names no attribute", "name one of exposures, such as region")
	case g.Margin == nil:
		c.add(path+".within", g.Within, "asks for a comparison with control, which a limit is not", "write it beside a margin")
	case !slices.ContainsFunc(c.plan.Stages, Stage.Compares):
		c.add(path+".within", g.Within, "asks for a comparison with control, and no stage compares", "leave it out, or add a stage with treatment")
	}
}

// reachable refuses harm that cannot be: what should grow cannot lose more
// than all of itself.
func (c *planCheck) reachable(path, key string, change *Percent) {
	if change == nil || c.known.Metric == nil {
		return
	}
	if m, ok := c.known.Metric(key); ok && m.Direction == stats.Increase && *change >= All {
		c.add(path, *change, "cannot be reached: "+key+" is better when it grows and can lose at most 100%", "write less than 100%")
	}
}

func (c *planCheck) limit(path string, g Guardrail) {
	_, unit, err := event.ParseLevel(g.Limit)
	if err != nil {
		c.add(path+".limit", g.Limit, "is not a number with a unit", "write one such as 200ms")
		return
	}
	if c.known.Metric == nil {
		return
	}
	if m, ok := c.known.Metric(g.Metric); ok && unit != "" && unit != m.UnitOfMeasure {
		c.add(path+".limit", g.Limit, "is not in the metric's unit", "write it in "+or(m.UnitOfMeasure, "plain numbers"))
	}
}

// guarded returns the metrics that a stage compares with control.
func (p Plan) guarded() []string {
	var out []string
	for _, g := range p.Metrics.Guardrails {
		if g.Margin != nil {
			out = append(out, g.Metric)
		}
	}
	return out
}
