package dashboards

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// Awaited is what a rollout waits for people to do.
type Awaited struct {
	What  string // "Somebody has to approve."
	Of    string // who: "payments-team, approver"
	Since time.Time
	Why   string
	Next  string    // who is asked next; empty: nobody else
	At    time.Time // when that is
}

// awaits says what is asked of people, nil when nothing is.
func awaits(a *decisions.Ask) *Awaited {
	if a == nil {
		return nil
	}
	out := &Awaited{What: whatFor(a.What), Of: strings.Join(a.Of, ", "), Since: a.Since, Why: sentence(a.Why)}
	if a.Next != nil {
		out.Next, out.At = a.Next.To, a.Next.At
	}
	return out
}

func whatFor(w decisions.Wanted) string {
	switch w {
	case decisions.WantsApproval:
		return "It waits for approval."
	case decisions.WantsDecision:
		return "It waits for a decision: the evidence leaves it to people."
	case decisions.WantsResume:
		return "It is paused, and waits for somebody to resume it or to roll it back."
	case decisions.WantsExplanation:
		return "It was rolled back, and waits for an explanation."
	}
	return "It waits for people."
}

// Agreeing is who has to agree before a stage is left.
type Agreeing struct {
	Needs []Check
	Given []Given
}

// Given is one approval.
type Given struct {
	By      string
	At      time.Time
	Roles   string
	Comment string
	Void    bool // it was given to another version of the plan or of the flag
}

// State says whether the approval counts.
func (g Given) State() Mark {
	if g.Void {
		return NotApplicable
	}
	return Passed
}

// agreeing says who has to agree, nil when nobody has to.
func agreeing(a *decisions.Agreement) *Agreeing {
	if a == nil {
		return nil
	}
	out := &Agreeing{}
	for _, n := range a.Needs {
		c := Check{Mark: Waiting, Name: orText(n.Role, "whoever may decide"), Have: fmt.Sprintf("%d of %d", n.Have, n.Count)}
		if n.Have >= n.Count {
			c.Mark = Passed
		}
		out.Needs = append(out.Needs, c)
	}
	for _, g := range a.Given {
		out.Given = append(out.Given, given(g, false))
	}
	for _, g := range a.Void {
		out.Given = append(out.Given, given(g, true))
	}
	return out
}

func given(a decisions.Approval, void bool) Given {
	return Given{By: a.By, At: a.At, Roles: strings.Join(a.Roles, ", "), Comment: a.Comment, Void: void}
}
