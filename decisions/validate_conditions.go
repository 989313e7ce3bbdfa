package decisions

import (
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// conditions checks what else must hold before a stage is left, or stops it.
func (c *planCheck) conditions(path string, s Stage) {
	for _, list := range s.conditions() {
		for i, one := range list.of {
			where := fmt.Sprintf("%s.%s[%d]", path, list.name, i)
			c.condition(where, one)
			c.answered(where, s, list.name == "advanceWhen", one)
			if slices.Contains(list.of[:i], one) {
				c.add(where, nil, "stands twice", "take one of them away")
			}
		}
	}
	for _, both := range s.RollbackWhen {
		if i := slices.Index(s.PauseWhen, both); i >= 0 {
			c.add(indexed(path+".pauseWhen[%d]", i), nil, "rolls back too", "write it into one of the two lists")
		}
	}
	for i, name := range s.Requires {
		where := indexed(path+".requires[%d]", i)
		if why := event.CheckKey(name); why != "" {
			c.add(where, name, why, "name the external check, such as load-test")
		}
		if slices.Contains(s.Requires[:i], name) {
			c.add(where, name, "stands twice", "take one of them away")
		}
	}
}

// listedConditions is one of the lists of a stage.
type listedConditions struct {
	name string
	of   []Condition
}

func (s Stage) conditions() []listedConditions {
	return []listedConditions{{"advanceWhen", s.AdvanceWhen}, {"pauseWhen", s.PauseWhen}, {"rollbackWhen", s.RollbackWhen}}
}

// condition checks one condition: it says one thing, of something there is.
func (c *planCheck) condition(path string, one Condition) {
	said := 0
	for _, text := range []string{one.Guardrail, one.Incident, one.Check, one.Manual} {
		if text != "" {
			said++
		}
	}
	if said != 1 {
		c.add(path, nil, "does not say one thing", "write one of guardrail, incident, check and manual")
		return
	}
	rail := func(g Guardrail) bool { return g.Metric == one.Guardrail }
	switch severities := []Severity{Critical, Blocking, Minor}; {
	case one.Guardrail != "" && !slices.ContainsFunc(c.plan.Metrics.Guardrails, rail):
		c.add(path+".guardrail", one.Guardrail, "is not a guardrail of the plan", "name the metric of one under metrics.guardrails")
	case one.Incident != "" && !slices.Contains(severities, Severity(one.Incident)):
		c.add(path+".incident", one.Incident, "is not a severity", "write critical, blocking or minor")
	case one.Check != "" && event.CheckKey(one.Check) != "":
		c.add(path+".check", one.Check, event.CheckKey(one.Check), "name the external check, such as load-test")
	case one.Manual != "":
		c.owner(path+".manual", one.Manual)
	}
}

// answered refuses a condition on a guardrail that the stage never judges: it
// would hold the rollout for ever, or never stop it. Where nothing is compared, a
// limit is judged, and a declared rate of failures can be breached.
func (c *planCheck) answered(path string, s Stage, advances bool, one Condition) {
	compares := s.Compares() || s.Kind() == Full && slices.ContainsFunc(c.plan.Stages, Stage.Compares)
	of := func(g Guardrail) bool { return g.Metric == one.Guardrail }
	if s.Compares() && advances && slices.ContainsFunc(c.plan.Metrics.Guardrails, func(g Guardrail) bool { return of(g) && g.Margin != nil && *g.Margin == 0 }) {
		c.add(path+".guardrail", one.Guardrail, "can never be met: a margin of 0% can only stop, and nothing proves it",
			"give the guardrail a margin above 0%, or name the harm to be excluded under exclude and leave the condition out")
		return
	}
	if compares || !slices.ContainsFunc(c.plan.Metrics.Guardrails, of) {
		return
	}
	rated := !advances && s.Kind() != Dark && (c.known.Metric == nil || c.rated(one.Guardrail))
	if rated || slices.ContainsFunc(c.plan.Metrics.Guardrails, func(g Guardrail) bool { return of(g) && g.Limit != "" }) {
		return
	}
	why := "can never be met: " + s.Name + " compares nothing"
	if advances {
		why += ", so that the rollout would wait for ever"
	}
	c.add(path+".guardrail", one.Guardrail, why, "give the metric a guardrail with a limit, or move the condition to a stage with treatment")
}
