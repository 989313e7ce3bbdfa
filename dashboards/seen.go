package dashboards

import (
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// Seen is a rollout with the newest look at its evidence, as the server knows
// them when it makes a page.
type Seen struct {
	Rollout  decisions.Rollout
	Evidence *decisions.Evidence // nil: nothing was read yet
	Verdict  *decisions.Verdict  // of that evidence; nil: that of the last decision
	Past     bool                // the evidence is that of a look of the past, and the rollout as it is now
	Rollback string              // the command that takes the rollout back, frozen at its start

	Ask       *decisions.Ask       // nil: it waits for nobody
	Agreement *decisions.Agreement // nil: nobody has to agree
	Can       []decisions.Op       // what whoever looks can do now
	Incidents []decisions.Reported // of the flag here
	Counted   []Counted            // units per arm at the last looks, oldest first
}

// AsDecided is a rollout as it stood when a decision was made: the plan, the
// definitions and the baselines that the decision rests on, not those of today. Its
// decisions are all there are, so that this one has its number.
func AsDecided(r decisions.Rollout, in decisions.Input) Seen {
	r.Standing, r.Plan = in.State, in.Plan
	if in.Metrics != nil { // records of before hold none
		r.Metrics = in.Metrics
	}
	return Seen{Rollout: r, Evidence: &in.Evidence}
}

// versionAt returns which version of its plan a rollout had at a moment.
func versionAt(r decisions.Rollout, at time.Time) int {
	for _, v := range r.Versions {
		if v.At.After(at) {
			return v.Version - 1
		}
	}
	return r.Version
}

// verdict returns the newest verdict there is.
func (s Seen) verdict() (decisions.Verdict, bool) {
	if s.Verdict != nil {
		return *s.Verdict, true
	}
	d, ok := s.Rollout.Last()
	return d.Verdict, ok
}

// link returns the address of a rollout's page.
func link(r decisions.Rollout) string { return "/rollouts/" + r.ID }

// recordLink returns the address of a decision's page.
func recordLink(d decisions.Decision) string { return "/decisions/" + d.ID }

func newTitle(s Seen) Title {
	r := s.Rollout
	return Title{
		Flag: r.Plan.Flag, Environment: r.Plan.Environment, N: r.Number, Link: link(r), Owner: r.Plan.Owner,
		Unit: r.Plan.Unit, Hypothesis: r.Plan.Hypothesis, Links: r.Plan.Links, Status: status(s), Since: since(r),
		Stages: stages(r), Reach: reach(r),
	}
}

// status is the state of a rollout in a word. A running one that something
// holds up, other than time and traffic, says so.
func status(s Seen) Mark {
	switch s.Rollout.Status {
	case decisions.Planned:
		return Planned
	case decisions.Paused:
		return Paused
	case decisions.Observing:
		return Shipped
	case decisions.RolledBack:
		return RolledBack
	case decisions.CleanupDue:
		if s.Rollout.Closed != nil {
			return Shipped
		}
		return CleanupDue
	case decisions.Rejected:
		return Rejected
	}
	v, _ := s.verdict()
	switch {
	case v.Action == decisions.Review:
		return Review
	case obstructed(v.Checks):
		return Holding
	}
	return Running
}

// obstructed reports whether a check is open that time and traffic alone will
// not close.
func obstructed(checks []decisions.Check) bool {
	for _, c := range checks {
		if stands(c) && !patient(c.Name) && c.Name != decisions.CheckApproval {
			return true
		}
	}
	return false
}

// stands reports whether a check is in the way of the next stage.
func stands(c decisions.Check) bool {
	return c.State == decisions.Wait || c.State == decisions.Fail
}

// patient reports whether a check closes by itself as units arrive.
func patient(name decisions.CheckName) bool {
	switch name {
	case decisions.CheckWindow, decisions.CheckGuardrail, decisions.CheckLimit, decisions.CheckUnits,
		decisions.CheckExclusion, decisions.CheckMargin, decisions.CheckSuccess, decisions.CheckDeadline,
		decisions.CheckFreeze, decisions.CheckHours:
		return true
	}
	return false
}

// since is when the rollout became what it is.
func since(r decisions.Rollout) time.Time {
	switch {
	case !r.Ended.IsZero():
		return r.Ended
	case r.Status == decisions.Planned:
		return r.PlannedAt
	case !r.Since.IsZero():
		return r.Since
	}
	return r.Started
}

func stages(r decisions.Rollout) []Stage {
	all := make([]Stage, len(r.Plan.Stages))
	for i, s := range r.Plan.Stages {
		all[i] = Stage{Name: s.Name, Step: step(r, i)}
	}
	return all
}

func step(r decisions.Rollout, i int) Step {
	switch {
	case i > r.Stage:
		return Ahead
	case i < r.Stage || r.Status == decisions.CleanupDue:
		return Done
	case r.Status == decisions.RolledBack:
		return Left
	}
	return Now
}

// stageName names a stage by its place in the plan.
func stageName(p decisions.Plan, i int) string {
	switch {
	case i < 0:
		return "start"
	case i < len(p.Stages):
		return p.Stages[i].Name
	}
	return "the end"
}

// reach says who gets the treatment now.
func reach(r decisions.Rollout) string {
	if r.Status == decisions.RolledBack || r.Status == decisions.Rejected {
		return "nobody gets " + r.Plan.Arms.Treatment
	}
	return r.Plan.Reach(r.Stage, r.Share)
}
