package decisions

import (
	"fmt"
	"slices"
)

// people holds who answers for going back, who is told of it and who is asked
// when nobody answers against the version before. Whoever was named stays, unless
// nobody can be asked under that name any more.
func (c *revising) people() {
	was, is := c.Plan, c.next
	for _, o := range was.Rollback.Owners {
		if o == was.Owner {
			o = is.Owner // a release that is handed over takes its way back along
		}
		c.lowers(!slices.Contains(is.Rollback.Owners, o) && c.known.answersTo(o), "rollback.owners", "going back by "+o, nil)
	}
	for _, to := range was.Rollback.Notify {
		c.lowers(!slices.Contains(is.Rollback.Notify, to), "rollback.notify", "telling "+to, nil)
	}
	for _, e := range was.Escalation {
		still := slices.ContainsFunc(is.Escalation, func(n Escalation) bool { return n.To == e.To && n.After <= e.After })
		c.lowers(!still && c.known.answersTo(e.To), "escalation", fmt.Sprintf("asking %s after %s", e.To, e.After), nil)
	}
}

// answersTo reports whether somebody can be asked under a name.
func (k Known) answersTo(owner string) bool { return k.Owner == nil || k.Owner(owner) == "" }
