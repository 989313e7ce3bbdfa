package decisions

import (
	"fmt"
	"slices"
)

// unbuilt refuses what a document may say and this version cannot carry out.
// Ignoring any of it would release something on weaker terms than were written
// down.
func (c *planCheck) unbuilt() {
	p := c.plan
	for i, s := range p.Stages {
		c.unbuiltStage(c.places[i]+".", s)
	}
	serves := slices.ContainsFunc(p.Stages, func(s Stage) bool { return s.Kind() == Serve })
	for i, g := range p.Metrics.Guardrails {
		path := fmt.Sprintf("metrics.guardrails[%d].", i)
		c.cannot(path+"within", g.Within != "", "guardrails cannot be split by an attribute", "leave it out")
		c.cannot(path+"limit", g.Limit != "" && serves, "levels cannot be measured in a stage that serves an audience",
			"leave out the limit or the audience")
	}
}

func (c *planCheck) unbuiltStage(path string, s Stage) {
	c.cannot(path+"advanceWhen", len(s.AdvanceWhen) > 0, "further conditions are not asked", "leave it out")
	c.cannot(path+"pauseWhen", len(s.PauseWhen) > 0, "further conditions are not asked", "leave it out")
	c.cannot(path+"rollbackWhen", len(s.RollbackWhen) > 0, "further conditions are not asked", "leave it out")
	c.cannot(path+"requires", len(s.Requires) > 0, "external checks are not received", "leave it out")
}

// cannot adds a fault when a field is used that has no machinery behind it.
func (c *planCheck) cannot(path string, used bool, why, fix string) {
	if used {
		c.add(path, nil, "cannot be carried out by this version: "+why, fix)
	}
}
