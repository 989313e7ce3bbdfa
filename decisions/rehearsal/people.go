package rehearsal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/flags"
)

// people are whoever a plan asks beside the data: those who approve, the owners
// of manual conditions, and the systems whose checks it waits for. All of them
// agree, after a delay; or nobody says anything.
type people struct {
	*house
	plan   decisions.Plan
	delay  time.Duration // from when something is asked
	silent bool
	since  map[string]time.Time // what was asked -> when it was asked first
	agreed int                  // approvals so far: each is another person's
}

// question is the open item of a gate that somebody has to answer; ok is false
// for any other item.
func question(c decisions.Check) (key string, ok bool) {
	switch {
	case c.State != decisions.Wait:
	case c.Name == decisions.CheckApproval:
		ok = c.Code == "missing"
	case c.Name == decisions.CheckRequires || strings.HasPrefix(c.Of, aCheck):
		ok = true // it has not been reported, or too long ago
	case strings.HasPrefix(c.Of, anOwner):
		ok = true
	}
	return string(c.Name) + " " + c.Of, ok
}

// What the items of conditions are about begins with these.
const (
	aCheck  = "check "
	anOwner = "manual "
)

// answer says what this look asks, once its time has come. The time of each
// question runs from when a stage asks it first: whoever has it on his desk goes
// on with it while something else is open, and a system that has reported once
// does so again as soon as that has expired.
func (p *people) answer(now time.Time) error {
	if p.silent || !p.looked.At.Equal(now) || p.rollout(p.plan).Status == decisions.Paused {
		return nil
	}
	if p.since == nil {
		p.since = map[string]time.Time{}
	}
	for _, c := range p.looked.Verdict.Checks {
		key, ok := question(c)
		if !ok {
			continue
		}
		key = p.looked.Stage + " " + key
		p.since[key] = or(p.since[key], now)
		if now.Sub(p.since[key]) < p.delay {
			continue
		}
		if err := p.say(c, now); err != nil {
			return fmt.Errorf("answering %s: %w", key, err)
		}
	}
	return nil
}

// say answers one item.
func (p *people) say(c decisions.Check, now time.Time) error {
	if c.Name == decisions.CheckApproval {
		return p.approve(c, now)
	}
	if owner, ok := strings.CutPrefix(c.Of, anOwner); ok {
		confirm := decisions.Confirming{When: c.Name, Owner: owner}
		return p.person(p.plan, decisions.Command{Op: decisions.OpConfirm, Confirm: &confirm, Comment: "rehearsed"}, "person:"+owner, now)
	}
	report := decisions.Reporting{Check: strings.TrimPrefix(c.Of, aCheck), State: decisions.Pass}
	return p.person(p.plan, decisions.Command{Op: decisions.OpReport, Report: &report}, "token:"+report.Check, now)
}

// approve gives the approvals that are missing. Whoever does has every role that
// is asked for.
func (p *people) approve(c decisions.Check, now time.Time) error {
	var roles []string
	for _, n := range c.Needs {
		roles = append(roles, n.Role, decisions.TeamRole(n.Role))
	}
	for range int(c.Numbers["need"] - c.Numbers["have"]) {
		p.agreed++
		c := decisions.Command{Op: decisions.OpApprove, Roles: roles, Comment: "rehearsed"}
		if err := p.person(p.plan, c, fmt.Sprintf("person:approver-%d", p.agreed), now); err != nil {
			return err
		}
	}
	return nil
}

// waitedFor reports whether a look waits for nothing but answers that nobody
// gives, or for hours in which there will be none either.
func (p *people) waitedFor(l decisions.Look) bool {
	waits := false
	for _, c := range l.Verdict.Checks {
		_, asked := question(c)
		switch {
		case c.State == decisions.Pass || c.State == decisions.NotApplicable || c.Name == decisions.CheckHours:
		case asked || c.Name == decisions.CheckApproval: // that is asked for when everything else passes
			waits = true
		default:
			return false
		}
	}
	return waits && p.silent
}

// asks reports whether the plan asks anybody or anything beside the data.
func (r Rehearsal) asks() bool {
	if r.Policy.Approvals != (flags.Approvals{}) {
		return true
	}
	return slices.ContainsFunc(r.Plan.Stages, func(s decisions.Stage) bool {
		said := func(c decisions.Condition) bool { return c.Check != "" }
		owned := func(c decisions.Condition) bool { return c.Manual != "" }
		all := slices.Concat(s.AdvanceWhen, s.PauseWhen, s.RollbackWhen)
		return s.Approve > 0 || len(s.Requires) > 0 || slices.ContainsFunc(all, said) || slices.ContainsFunc(s.AdvanceWhen, owned)
	})
}
