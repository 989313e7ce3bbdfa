package dashboards

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
)

// What fills an empty board, in that order.
const (
	ApplyCommand = "sluice apply flag.yaml metric.yaml rollout.yaml"
	StartCommand = "sluice rollout start production/my-flag/1"
)

// mostCards is how many rollouts a lane shows unless it is asked for all.
const mostCards = 20

// NewHome makes the board of the newest rollout of each flag and environment.
// The frame's Query keeps those whose flag, environment or owner holds it; its
// address says which lane is shown whole.
func NewHome(f Frame, all []Seen, asOf AsOf, now time.Time) Home {
	h := Home{Frame: f, AsOf: asOf, CSV: f.with("/rollouts/export", "form", "csv"), Lanes: []Lane{
		{ID: "needs-you", Name: "Needs you", Hint: "Nothing waits for a person."},
		{ID: "running", Name: "Running", Hint: "No rollout is under way."},
		{ID: "holding", Name: "Holding", Hint: "Nothing is held up."},
		{ID: "decided", Name: "Decided, cleaning up", Hint: "Nothing is decided yet."},
	}}
	shown := slices.DeleteFunc(newest(all), func(s Seen) bool { return !s.matches(f.Query) })
	for _, s := range shown {
		c := newCard(s, now)
		l := &h.Lanes[lane(c)]
		l.Cards = append(l.Cards, c)
	}
	for i := range h.Lanes {
		h.Lanes[i].order(f)
	}
	if len(shown) == 0 {
		h.Empty = []string{ApplyCommand, StartCommand}
	}
	return h
}

// order puts those first that will need a person next, and keeps as many as a
// lane has room for.
func (l *Lane) order(f Frame) {
	slices.SortStableFunc(l.Cards, func(a, b Card) int {
		return cmp.Or(a.Turn.Compare(b.Turn), cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Flag, b.Flag))
	})
	l.Tally = len(l.Cards)
	if whole := f.asks("lane"); l.Tally > mostCards && whole != string(l.ID) && whole != "all" {
		l.Cards, l.More = l.Cards[:mostCards], f.with("/", "lane", string(l.ID))+"#"+string(l.ID)
	}
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
	c := Card{
		Flag: r.Plan.Flag, Environment: r.Plan.Environment, N: r.Number, Owner: r.Plan.Owner, Unit: r.Plan.Unit, Link: link(r),
		Status: status(s), Need: need(s, now), Stages: stages(r), Reach: reach(r),
		Gate: gateLine(s), Age: age(r, now),
	}
	c.Lights, c.Unlit = lights(s)
	if s.Ask != nil {
		c.Asked = strings.Join(s.Ask.Of, ", ")
	}
	c.Turn = next(s, c, now)
	return c
}

// gateLine says why a rollout is where it is: the verdict, how many units there
// are of those that are needed, and how long that takes.
func gateLine(s Seen) string {
	v, _ := s.verdict()
	text := sentence(v.Text)
	for _, c := range v.Checks {
		if c.Name == decisions.CheckUnits && stands(c) && s.Rollout.Open() && !strings.Contains(v.Text, c.Text) {
			text += " " + sentence(c.Text)
		}
	}
	if took := left(s); took != "" {
		text += " " + upper(took) + " left."
	}
	return strings.TrimSpace(text)
}

// next is when a rollout needs a person next, as far as that can be told. Those
// that wait for one are in the order in which they began to.
func next(s Seen, c Card, now time.Time) time.Time {
	r := s.Rollout
	switch {
	case c.Need != "" && s.Ask != nil && !s.Ask.Since.IsZero():
		return s.Ask.Since
	case c.Need != "" || c.Status == Holding:
		return since(r)
	case c.Status == Running:
		v, _ := s.verdict()
		if s.Evidence != nil {
			if d, ok := r.TimeLeft(v, *s.Evidence); ok {
				return now.Add(d)
			}
		}
	case !due(r).IsZero():
		return due(r)
	}
	return now.AddDate(100, 0, 0)
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

// mostLights is how many guardrails a card names.
const mostLights = 4

// lights returns the guardrails of a rollout in words, the worst of them first,
// and how many more there are.
func lights(s Seen) (all []Light, more int) {
	for _, r := range measure(s).Rows {
		if r.Role == Guardrail {
			all = append(all, Light{Metric: r.Metric, Mark: r.Verdict})
		}
	}
	slices.SortStableFunc(all, func(a, b Light) int { return cmp.Compare(a.worry(), b.worry()) })
	more = max(0, len(all)-mostLights)
	return all[:len(all)-more], more
}

// worry orders guardrails: harm, then what nobody knows, then the rest.
func (l Light) worry() int {
	switch l.Mark {
	case Worse:
		return 0
	case NoData:
		return 1
	case Inconclusive:
		return 2
	}
	return 3
}
