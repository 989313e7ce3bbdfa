package decisions

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Precheck is one thing that was looked at before a rollout starts.
type Precheck struct {
	Name  string        `json:"name"` // owner, safe, cleanup, ticket, unit, metric, exclude, margin or success
	State PrecheckState `json:"state"`
	Path  string        `json:"path,omitempty"` // in the plan
	Text  string        `json:"text"`
	Fix   string        `json:"fix,omitempty"`
}

// PrecheckState says whether it is as it should be.
type PrecheckState string

// The states of what is looked at.
const (
	Given   PrecheckState = "given"
	Doubted PrecheckState = "doubted" // it cannot be told, or will be for a person to say
	Lacking PrecheckState = "lacking" // the rollout would wait for what does not come
)

// Preflight is all that was looked at.
type Preflight []Precheck

func (r *Preflight) add(c Precheck) { *r = append(*r, c) }

// Faults are the reasons not to start.
func (r Preflight) Faults() (faults event.Invalids) {
	for _, c := range r {
		if c.State == Lacking {
			faults.Add(c.Path, nil, c.Text, c.Fix)
		}
	}
	return faults
}

// Doubts are the sentences of all that is not as it should be.
func (r Preflight) Doubts() (out []string) {
	for _, c := range r {
		if c.State != Given {
			out = append(out, strings.TrimSpace(c.Path+" "+c.Text))
		}
	}
	return out
}

// Preflight says whether the rollout will get what its gates wait for, if the time
// before it is a measure: units of its kind, events of its metrics, and enough of
// both for the harm that its stages are to exclude. A past in which nobody came
// is no measure, and stands in the way of nothing.
func (r Rollout) Preflight(p Past) Preflight {
	c := preflight{Rollout: r, past: p}
	c.named()
	c.unit()
	if p.Units > 0 {
		c.metrics()
		c.stages()
	}
	return c.found
}

// preflight collects what is found.
type preflight struct {
	Rollout
	past  Past
	found Preflight
}

func (c *preflight) add(r Precheck) { c.found.add(r) }

// named says who and what is there for the end of the rollout. That it is there
// was asked when the plan was written.
func (c *preflight) named() {
	p := c.Plan
	c.add(Precheck{Name: "owner", State: Given, Path: "owner", Text: p.Owner + " answers for the release, and " + strings.Join(p.Rollback.Owners, ", ") + " for going back"})
	c.add(Precheck{Name: "safe", State: Given, Path: "rollback", Text: "a rollback gives everybody the safe variant of " + p.Flag})
	if p.Cleanup == nil {
		return
	}
	c.add(Precheck{Name: "cleanup", State: Given, Path: "cleanup", Text: fmt.Sprintf("the flag is due for its end (%s) %s after the final decision", p.Cleanup.EndState, p.Cleanup.Due)})
	ticket := Precheck{Name: "ticket", State: Given, Path: "cleanup.ticket", Text: "the cleanup is followed at " + p.Cleanup.Ticket}
	if u, err := url.Parse(p.Cleanup.Ticket); p.Cleanup.Ticket == "" || err != nil || u.Host == "" {
		ticket.State, ticket.Text, ticket.Fix = Doubted, "is no address at which the cleanup is followed", "open a ticket and write its address"
	}
	c.add(ticket)
}

// unit asks that units of the plan's kind come.
func (c *preflight) unit() {
	kinds := make([]string, 0, len(c.past.Kinds))
	for _, k := range sorted(c.past.Kinds) {
		kinds = append(kinds, fmt.Sprintf("%s (%s)", k, count(c.past.Kinds[k])))
	}
	found := Precheck{Name: "unit", Path: "unit"}
	switch {
	case c.past.Units > 0:
		found.State, found.Text = Given, fmt.Sprintf("%s units of kind %s came in the past", count(c.past.Units), c.Plan.Unit)
	case len(kinds) > 0:
		found.State = Lacking
		found.Text = fmt.Sprintf("is %s, and recent exposures have other units: %s", c.Plan.Unit, strings.Join(kinds, ", "))
		found.Fix = "send the id of the " + c.Plan.Unit + " with every evaluation and exposure, or release by another unit"
	default:
		found.State, found.Text = Doubted, "cannot be checked: the environment has no recent exposures"
	}
	c.add(found)
}

// metrics asks that every metric which can stop or allow something has events.
func (c *preflight) metrics() {
	for _, key := range c.Plan.deciding() {
		s := c.past.Metrics[key]
		found := Precheck{Name: "metric", State: Given, Path: c.Plan.roleOf(key), Text: fmt.Sprintf("%s has data of %s units", key, count(s.N))}
		switch {
		case c.Metrics[key].Aggregate == stats.Failures && s.N > 0 && s.X == 0 && c.Metrics[key].SignOfLife == "":
			found.State = Doubted
			found.Text = fmt.Sprintf("%s: nobody of %s units failed: either %s at most do, or nobody reports it", key, count(s.N), percent(mostUnseen(s.N)))
			found.Fix = "name an event in the metric's signOfLife that comes as long as failures are reported"
		case c.Metrics[key].Aggregate == stats.Failures:
			found.Text += ", and may have none: it counts failures"
		case s.N == 0:
			found.State, found.Text = Doubted, key+" cannot be checked: no unit of the past is old enough for it"
		case silent(s):
			found.State = Lacking
			found.Text = fmt.Sprintf("%s has no event of any of %s units", key, count(s.N))
			found.Fix = "send its events first: a gate waits for them, and pauses without"
		}
		c.add(found)
	}
}

// silent reports whether no unit of a sample had an event with a value.
func silent(s stats.Sample) bool {
	if s.Kind == stats.KindProportion {
		return s.X == 0
	}
	level := s.Center()
	return level == 0 || math.IsNaN(level)
}

// roleOf is the path of a metric in the plan.
func (p Plan) roleOf(key string) string {
	if i := slices.IndexFunc(p.Metrics.Success, func(s Success) bool { return s.Metric == key }); i >= 0 {
		return indexed("metrics.success[%d].metric", i)
	}
	return indexed("metrics.guardrails[%d].metric", slices.IndexFunc(p.Metrics.Guardrails, func(g Guardrail) bool { return g.Metric == key }))
}

// stages asks whether each stage gets its answers within its longest window; one
// that sets none has as long as a stage that decides.
func (c *preflight) stages() {
	r := c.Rollout
	r.Plan.Stages = slices.Clone(r.Plan.Stages)
	for i, s := range r.Plan.Stages {
		r.Plan.Stages[i].MaxWindow = or(s.MaxWindow, max(DefaultMaxWindow, s.MinWindow))
	}
	for i, o := range r.foresee(c.past, true).Stages {
		for _, a := range o.Asks {
			c.asked(i, o, a, inDays(r.Plan.Stages[i].MaxWindow))
		}
	}
}

// asked judges one question of a stage. Harm that is not excluded keeps the
// rollout where it is, for ever; what is not answered at the end goes to people.
func (c *preflight) asked(i int, o StageOutlook, a Asked, longest float64) {
	found := Precheck{Name: a.Asks, State: Given, Path: fmt.Sprintf("stages[%d].%s.%s", i, a.Asks, a.Metric)}
	what := fmt.Sprintf("%s of %s in %s", a.Metric, percent(a.Size), o.Stage)
	switch {
	case a.Refused != "":
		found.State, found.Text = Doubted, fmt.Sprintf("%s cannot be foreseen: %s", what, a.Refused)
	case a.AtLeast && a.Days != nil && *a.Days <= longest:
		found.State, found.Fix = Doubted, unasking(a)
		found.Text = fmt.Sprintf("%s is answered after %.1f days at present traffic at the earliest: nobody failed in the past, and the fewer fail the longer it takes", what, *a.Days)
	case a.Days != nil && *a.Days <= longest:
		found.Text = fmt.Sprintf("%s is answered after %.1f days at present traffic", what, *a.Days)
	default:
		found.State, found.Text = Doubted, fmt.Sprintf("%s is not answered within %.0f days at present traffic; a person will decide", what, longest)
		if a.Asks == asksExclude {
			found.State = Lacking
			found.Text = fmt.Sprintf("%s is not excluded within %.0f days at present traffic", what, longest)
			found.Fix = reachable(a)
		}
	}
	c.add(found)
}

// unasking says how to do without a question that only failures of control
// answer.
func unasking(a Asked) string {
	if a.Asks == asksExclude {
		return "leave exclude out: many times nothing is nothing, and what stops needs no failures of control"
	}
	return "give it a margin of 0 %: what stops needs no failures of control, and shipping does not wait for them"
}

// reachable says which harm the stage can exclude.
func reachable(a Asked) string {
	if a.AtLeast {
		return unasking(a)
	}
	if a.Reach > a.Size {
		return fmt.Sprintf("exclude %s, which is in reach, raise the share, or give the stage a longer window", percent(math.Ceil(a.Reach*100)/100))
	}
	return "raise the share, or give the stage a longer window: no harm is excluded by so few units"
}
