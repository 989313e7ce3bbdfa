package dashboards

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// StartCommand is what fills an empty board.
const StartCommand = "sluice apply rollout.yaml"

// NewHome makes the board of the newest rollout of each flag and environment.
// The frame's Query keeps those whose flag, environment or owner holds it.
func NewHome(f Frame, all []Seen, asOf AsOf, now time.Time) Home {
	h := Home{Frame: f, AsOf: asOf, Lanes: []Lane{
		{ID: "needs-you", Name: "Needs you", Hint: "Nothing waits for a person."},
		{ID: "running", Name: "Running", Hint: "No rollout is under way."},
		{ID: "holding", Name: "Holding", Hint: "Nothing is held up."},
		{ID: "decided", Name: "Decided, cleaning up", Hint: "Nothing is decided yet."},
	}}
	shown := newest(all)
	shown = slices.DeleteFunc(shown, func(s Seen) bool { return !s.matches(f.Query) })
	slices.SortStableFunc(shown, func(a, b Seen) int {
		return cmp.Or(since(a.Rollout).Compare(since(b.Rollout)), cmp.Compare(a.Rollout.ID, b.Rollout.ID))
	})
	for _, s := range shown {
		c := newCard(s, now)
		l := &h.Lanes[lane(c)]
		l.Cards = append(l.Cards, c)
	}
	if len(shown) == 0 {
		h.Empty = StartCommand
	}
	return h
}

// newest keeps the last rollout of each flag in each environment: what came
// before is history, reached from there.
func newest(all []Seen) []Seen {
	last := map[[2]string]int{}
	for _, s := range all {
		p := s.Rollout.Plan
		last[[2]string{p.Environment, p.Flag}] = max(last[[2]string{p.Environment, p.Flag}], s.Rollout.Number)
	}
	return slices.DeleteFunc(slices.Clone(all), func(s Seen) bool {
		p := s.Rollout.Plan
		return s.Rollout.Number < last[[2]string{p.Environment, p.Flag}]
	})
}

func (s Seen) matches(query string) bool {
	p, query := s.Rollout.Plan, strings.ToLower(strings.TrimSpace(query))
	for _, text := range []string{p.Flag, p.Environment, p.Owner} {
		if strings.Contains(strings.ToLower(text), query) {
			return true
		}
	}
	return false
}

// lane returns the place of a card by who must act next.
func lane(c Card) int {
	switch {
	case c.Need != "":
		return 0
	case c.Status == Running:
		return 1
	case c.Status == Holding:
		return 2
	}
	return 3
}

func newCard(s Seen, now time.Time) Card {
	r := s.Rollout
	v, _ := s.verdict()
	return Card{
		Flag: r.Plan.Flag, Environment: r.Plan.Environment, Owner: r.Plan.Owner, Unit: r.Plan.Unit, Link: link(r),
		Status: status(s), Need: need(s, now), Stages: stages(r), Reach: reach(r), Lights: lights(s),
		Gate: sentence(v.Text), Age: age(r, now),
	}
}

// age is how long ago the rollout started, or was planned when it has not.
func age(r decisions.Rollout, now time.Time) time.Duration {
	if r.Started.IsZero() {
		return now.Sub(r.PlannedAt)
	}
	return now.Sub(r.Started)
}

// need says what a person has to do, "" when nobody has to.
func need(s Seen, now time.Time) string {
	r := s.Rollout
	v, _ := s.verdict()
	switch {
	case r.Locked:
		return "Explain the rollback; the rollout is locked until then."
	case overdue(r, now):
		return "Clean up: due " + length(now.Sub(due(r))) + " ago."
	case r.Status == decisions.Planned:
		return "Start it."
	case r.Status == decisions.Paused:
		return "Resume or roll back: it is paused."
	case !r.Open():
		return ""
	case v.Action == decisions.Review:
		return "Decide: the evidence does not."
	case approvable(v.Checks):
		return "Approve: every other check has passed."
	}
	return ""
}

// approvable reports whether approval is all that is missing.
func approvable(checks []decisions.Check) bool {
	waits := false
	for _, c := range checks {
		if stands(c) && c.Name != decisions.CheckApproval {
			return false
		}
		waits = waits || stands(c)
	}
	return waits
}

// due is when the cleanup is, zero while nothing is decided, none was agreed, or
// it is done.
func due(r decisions.Rollout) time.Time {
	if r.Ended.IsZero() || r.Plan.Cleanup == nil || r.Closed != nil {
		return time.Time{}
	}
	return r.Ended.Add(time.Duration(r.Plan.Cleanup.Due))
}

func overdue(r decisions.Rollout, now time.Time) bool {
	d := due(r)
	return !d.IsZero() && now.After(d)
}

// lights returns the guardrails of a rollout in words.
func lights(s Seen) []Light {
	var all []Light
	for _, r := range measure(s).Rows {
		if r.Role == Guardrail {
			all = append(all, Light{Metric: r.Metric, Mark: r.Verdict})
		}
	}
	return all
}
