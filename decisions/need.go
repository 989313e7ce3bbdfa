package decisions

import (
	"fmt"
	"slices"
	"strings"
)

// Need is a number of people who must approve before a stage is left, and who
// they may be.
type Need struct {
	Count int    `json:"count"`
	Role  string `json:"role,omitempty"` // of each: approver, admin, or the key of a team; empty: whoever may decide
}

// TeamRole is how a team stands among the roles that a person had when he
// approved, so that a team called admin makes nobody one.
func TeamRole(key string) string { return "team:" + key }

// needs returns what leaving a stage takes: what the plan asks for, and what
// policies do. Policies ask before exposure grows; behind a full stage it
// cannot.
func needs(s Stage, policies []Need) []Need {
	var all []Need
	if s.Approve > 0 {
		all = append(all, Need{Count: s.Approve, Role: s.ApproveBy})
	}
	if s.Kind() == Full {
		return all
	}
	for _, n := range policies {
		if n.Count > 0 && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

// policyNeeds are the approvals that policies ask for.
func policyNeeds(p RolloutPolicy) []Need {
	if p.Approvals.Count == 0 {
		return nil
	}
	return []Need{{Count: p.Approvals.Count, Role: p.Approvals.Role}}
}

// takes reports whether somebody with these roles is one of those whom the need
// is about. Approvals that were recorded before roles were carry none, and were
// given by people who may decide.
func (n Need) takes(roles []string) bool {
	switch n.Role {
	case "":
		return true
	case "approver":
		return len(roles) == 0 || slices.Contains(roles, n.Role)
	case "viewer", "editor", "admin":
		return slices.Contains(roles, n.Role)
	}
	return slices.Contains(roles, TeamRole(n.Role))
}

// have counts the approvals that meet the need. Nobody is among them twice.
func (n Need) have(given []Approval) (have int) {
	for _, a := range given {
		if n.takes(a.Roles) {
			have++
		}
	}
	return have
}

// unmet returns the needs that the approvals do not meet.
func unmet(all []Need, given []Approval) []Need {
	return slices.DeleteFunc(slices.Clone(all), func(n Need) bool { return n.have(given) >= n.Count })
}

// binding returns the approvals that were given to just this: the version of
// the plan and the revision of the flag. Those that were recorded before either
// was noted count for as long as the decision that asked for them is the last.
func binding(all []Approval, version int, revision uint64) []Approval {
	return slices.DeleteFunc(slices.Clone(all), func(a Approval) bool {
		return a.Version != 0 && a.Version != version || a.Revision != 0 && a.Revision != revision
	})
}

// lasting returns the approvals that a newer decision leaves in force: it asks
// for the same, for the same reason, of the same plan and flag. Anything else is
// other evidence, or another change, than was agreed to.
func (r Rollout) lasting(next made) []Approval {
	last, ok := r.Last()
	if !ok || last.Verdict.Action != next.Verdict.Action || last.Verdict.Reason != next.Verdict.Reason {
		return nil
	}
	var kept []Approval
	for _, a := range r.Approvals {
		if a.Version != 0 && a.Version == r.Version && a.Revision == next.Revision {
			kept = append(kept, a)
		}
	}
	return kept
}

// approve adds an approval. A person's second one takes the place of the first,
// which something has made void meanwhile.
func (r *Rollout) approve(a Approval) {
	others := slices.DeleteFunc(slices.Clone(r.Approvals), func(old Approval) bool { return old.By == a.By })
	r.Approvals = append(others, a)
}

// asks says what is asked for and what is there: "1 of 2 (approver), and 0 of 1
// (payments-team)".
func asks(all []Need, given []Approval) string {
	parts := make([]string, len(all))
	for i, n := range all {
		parts[i] = fmt.Sprintf("%d of %d", n.have(given), n.Count)
		if n.Role != "" {
			parts[i] += " (" + n.Role + ")"
		}
	}
	return strings.Join(parts, ", and ")
}

// approval asks people, last: when everything else passes.
func (g *gate) approval(stage Stage) {
	all := needs(stage, g.Evidence.Needs)
	if len(all) == 0 {
		return
	}
	given := binding(g.State.Approvals, g.State.Version, g.Evidence.FlagRevision)
	most := slices.MaxFunc(all, func(a, b Need) int { return a.Count - b.Count }).Count
	c := Check{Name: CheckApproval, State: Pass, Text: asks(all, given) + " approvals"}
	c.Numbers = map[string]float64{"have": float64(len(given)), "need": float64(most)}
	if slices.ContainsFunc(all, func(n Need) bool { return n.Role != "" }) {
		c.Needs = all
	}
	switch lacks := unmet(all, given); {
	case g.anyOpen():
		c.State, c.Code, c.Text = Wait, "later", "Approval is asked for when everything else passes"
	case len(lacks) > 0:
		c.State, c.Code, c.Text = Wait, "missing", "Waits for approval: "+asks(all, given)
	}
	if void := len(g.State.Approvals) - len(given); void > 0 {
		c.Text += fmt.Sprintf("; before the flag or the plan changed there were %d more", void)
	}
	g.add(c)
}
