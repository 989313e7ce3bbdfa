package decisions

import (
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// people checks who approves, and who is asked when nobody answers.
func (c *planCheck) people() {
	for i, s := range c.plan.Stages {
		c.approvers(c.places[i]+".approveBy", s)
	}
	var before Window
	for i, e := range c.plan.Escalation {
		path := indexed("escalation[%d]", i)
		c.missing("name the person or team to ask then", path+".to", e.To)
		c.owner(path+".to", e.To)
		switch {
		case e.After == 0:
			c.add(path+".after", nil, "is missing", "say how long to wait for an answer, such as 2h")
		case e.After <= before:
			c.add(path+".after", e.After, "is not after the one before", "all times count from when the rollout began to wait")
		}
		before = max(before, e.After)
	}
}

func (c *planCheck) approvers(path string, s Stage) {
	why := event.CheckKey(s.ApproveBy)
	switch {
	case s.ApproveBy == "":
	case s.Approve == 0:
		c.add(path, s.ApproveBy, "says who approves, and nobody has to", "add approve: 1")
	case slices.Contains([]string{"viewer", "editor"}, s.ApproveBy):
		c.add(path, s.ApproveBy, "is not a role that approves", "write approver, admin or the key of a team")
	case why != "":
		c.add(path, s.ApproveBy, why, "write approver, admin or the key of a team")
	case s.ApproveBy != "approver" && s.ApproveBy != "admin":
		c.owner(path, s.ApproveBy)
	}
}
