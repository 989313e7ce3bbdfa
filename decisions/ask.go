package decisions

import (
	"slices"
	"time"
)

// Escalation is who is asked next when nobody has answered.
type Escalation struct {
	To    string `json:"to" yaml:"to"`       // person or team
	After Window `json:"after" yaml:"after"` // since the rollout began to wait
}

// Ask is what a rollout waits for people to do, and whom it asks. It is a
// function of the record and the time; whoever tells people asks for it again.
type Ask struct {
	What  Wanted    `json:"what"`
	Of    []string  `json:"of"` // everybody who is asked by now, in that order: people, teams, and roles that approve
	Since time.Time `json:"since"`
	Why   string    `json:"why"`
	Next  *NextAsk  `json:"next,omitempty"` // nil: nobody else will be asked
}

// NextAsk is who will be asked too, and when.
type NextAsk struct {
	To string    `json:"to"`
	At time.Time `json:"at"`
}

// Wanted is what a rollout wants of people.
type Wanted string

// What a rollout waits for people to do.
const (
	WantsApproval    Wanted = "approve" // others have to agree
	WantsDecision    Wanted = "decide"  // the evidence leaves it to people: ship, advance, reject or roll back
	WantsResume      Wanted = "resume"  // it is paused
	WantsExplanation Wanted = "explain" // it was rolled back, and is locked
)

// Ask returns what the rollout wants of people now; ok is false when it goes on,
// or has ended, without them.
func (r Rollout) Ask(now time.Time) (a Ask, ok bool) {
	if a, ok = r.asks(); !ok {
		return Ask{}, false
	}
	for _, next := range r.Plan.Escalation {
		at := a.Since.Add(windowTime(next.After))
		if at.After(now) {
			a.Next = &NextAsk{To: next.To, At: at}
			break
		}
		if !slices.Contains(a.Of, next.To) {
			a.Of = append(slices.Clip(a.Of), next.To)
		}
	}
	return a, true
}

// asks is Ask before anybody was slow to answer.
func (r Rollout) asks() (Ask, bool) {
	d, _ := r.Last()
	owner := []string{r.Plan.Owner}
	switch {
	case r.Locked:
		return Ask{What: WantsExplanation, Of: r.Plan.Rollback.Owners, Since: or(r.Ended, r.HeldAt), Why: d.Verdict.Text}, true
	case r.Status == Paused:
		return Ask{What: WantsResume, Of: owner, Since: r.HeldAt, Why: r.Held}, true
	case !r.Open():
		return Ask{}, false
	case d.Verdict.Action == Review:
		return Ask{What: WantsDecision, Of: owner, Since: r.same(), Why: d.Verdict.Text}, true
	case d.Verdict.asksApproval():
		return Ask{What: WantsApproval, Of: r.approvers(d.Verdict), Since: r.same(), Why: d.Verdict.Text}, true
	}
	return Ask{}, false
}

// same returns since when every decision has said what the newest says.
func (r Rollout) same() (since time.Time) {
	last, _ := r.Last()
	for _, d := range slices.Backward(r.Decisions) {
		if d.Verdict.Action != last.Verdict.Action || d.Verdict.Reason != last.Verdict.Reason {
			break
		}
		since = d.At
	}
	return since
}

// approvers returns the roles and teams whose approvals are still missing.
func (r Rollout) approvers(v Verdict) []string {
	var of []string
	for _, c := range v.Checks {
		for _, n := range unmet(c.Needs, r.Approvals) {
			of = append(of, or(n.Role, "approver"))
		}
	}
	if len(of) == 0 {
		return []string{"approver"}
	}
	return of
}
