package rehearsal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Kind names what happens in a scenario.
type Kind string

// The kinds of scenarios.
const (
	Healthy    Kind = "healthy"    // the change has no effect at all
	Better     Kind = "better"     // the success metrics improve by what is worth finding
	Breach     Kind = "breach"     // a guardrail gets worse, all at once
	Slow       Kind = "slow"       // it gets worse bit by bit
	Missing    Kind = "missing"    // events stop: of one metric, or exposures and all
	SRM        Kind = "srm"        // exposures of treated units are lost
	Duplicates Kind = "duplicates" // everything is sent several times
	Outage     Kind = "outage"     // the warehouse does not answer
	Late       Kind = "late"       // events of some units come long after they happened

	Unconfirmed Kind = "unconfirmed" // nobody approves, confirms or reports anything
)

// Kinds returns all kinds, in the order in which they are reported.
func Kinds() []Kind {
	return []Kind{Healthy, Better, Breach, Slow, Missing, SRM, Duplicates, Outage, Late, Unconfirmed}
}

// Scenario is what happens to a release. Zero fields have the defaults of the
// kind.
type Scenario struct {
	Name   string            `json:"name,omitempty" yaml:"name,omitempty"`     // in the report; default: the kind and its size
	Kind   Kind              `json:"kind" yaml:"kind"`                         //
	Metric string            `json:"metric,omitempty" yaml:"metric,omitempty"` // of a breach: the guardrail, default the first; of missing: whose events stop, default exposures and all
	By     decisions.Size    `json:"by,omitzero" yaml:"by,omitempty"`          // harm of a breach, slow or not, which any other kind may have too: "20%", "5x"
	After  event.Duration    `json:"after,omitempty" yaml:"after,omitempty"`   // from the start until it begins
	Stage  string            `json:"stage,omitempty" yaml:"stage,omitempty"`   // it begins with this stage; After is counted from there
	Grows  event.Duration    `json:"grows,omitempty" yaml:"grows,omitempty"`   // of slow: how long until the whole harm is there
	Lasts  event.Duration    `json:"lasts,omitempty" yaml:"lasts,omitempty"`   // of missing and outage; zero: to the end
	Share  decisions.Percent `json:"share,omitempty" yaml:"share,omitempty"`   // of srm: treated units that are lost; of late: units whose events are late
	Delay  event.Duration    `json:"delay,omitempty" yaml:"delay,omitempty"`   // of late: by how much
}

// fill completes a scenario of a plan.
func (s Scenario) fill(r Rehearsal) Scenario {
	switch s.Kind {
	case Breach, Slow:
		s.Metric = or(s.Metric, r.firstGuardrail())
		s.By = or(s.By, r.harm(s.Metric))
	case Missing:
		s.After = or(s.After, event.Duration(6*time.Hour))
	case Outage:
		s.After, s.Lasts = or(s.After, event.Duration(6*time.Hour)), or(s.Lasts, event.Duration(12*time.Hour))
	case SRM:
		s.Share = or(s.Share, 10_000)
	case Late:
		s.Share, s.Delay = or(s.Share, 30_000), or(s.Delay, event.Duration(36*time.Hour))
	case Healthy, Better, Duplicates, Unconfirmed:
	}
	if s.Kind == Slow {
		s.Grows = or(s.Grows, event.Duration(5*24*time.Hour))
	}
	if s.By != (decisions.Size{}) {
		s.Metric = or(s.Metric, r.firstGuardrail())
	}
	s.Name = or(s.Name, s.title())
	return s
}

func (s Scenario) title() string {
	if s.By.IsZero() {
		return string(s.Kind)
	}
	return fmt.Sprintf("%s %s of %s", s.Kind, s.By, s.Metric)
}

// firstGuardrail is the guardrail with a margin that a breach is rehearsed on.
func (r Rehearsal) firstGuardrail() string {
	for _, g := range r.Plan.Metrics.Guardrails {
		if g.Margin != nil {
			return g.Metric
		}
	}
	return ""
}

// harm is a breach of a guardrail that nobody would argue about: twice its
// margin, or twice what it is sharpest for; of failures five times as many.
func (r Rehearsal) harm(metric string) decisions.Size {
	for _, g := range r.Plan.Metrics.Guardrails {
		switch {
		case g.Metric != metric || g.Margin == nil:
		case r.Metrics[metric].Aggregate == stats.Failures:
			return decisions.Size{Change: max(4*decisions.All, 2**g.Margin), Factor: true}
		case *g.Margin > 0:
			return decisions.Size{Change: r.reachable(metric, 2**g.Margin)}
		default:
			return decisions.Size{Change: r.reachable(metric, 2*g.Detect.Change)}
		}
	}
	return decisions.Size{}
}

// reachable keeps what should grow from losing more than nearly all of itself.
func (r Rehearsal) reachable(metric string, change decisions.Percent) decisions.Percent {
	if r.Metrics[metric].Direction == stats.Increase {
		return min(change, 9*decisions.All/10)
	}
	return change
}

// check says what of a scenario makes no sense for the plan.
func (s Scenario) check(r Rehearsal, path string, faults *event.Invalids) {
	if !slices.Contains(Kinds(), s.Kind) {
		faults.Add(path+".kind", s.Kind, "is not a kind of scenario", "write one of "+list(Kinds()))
		return
	}
	if _, known := r.Metrics[s.Metric]; s.Metric != "" && !known || s.Metric != "" && !slices.Contains(r.Plan.Measured(), s.Metric) {
		faults.Add(path+".metric", s.Metric, "is not a metric of the plan", "write one of "+strings.Join(r.Plan.Measured(), ", "))
	}
	if (s.Kind == Breach || s.Kind == Slow) && s.fill(r).By.IsZero() {
		faults.Add(path+".metric", s.Metric, "has no margin that could be breached", "name a guardrail with a margin, and by how much it gets worse")
	}
	if m := r.Metrics[s.Metric]; m.Direction == stats.Increase && s.By.Change > decisions.All {
		faults.Add(path+".by", s.By, "is more than all of the metric", "what should grow can lose at most 100%")
	}
	if s.Share < 0 || s.Share > decisions.All {
		faults.Add(path+".share", s.Share, "is not a share", "write a percentage up to 100%")
	}
	known := slices.ContainsFunc(r.Plan.Stages, func(t decisions.Stage) bool { return t.Name == s.Stage })
	if s.Stage != "" && !known {
		faults.Add(path+".stage", s.Stage, "is not a stage of the plan", "")
	}
}

func list(kinds []Kind) string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	return strings.Join(words, ", ")
}

// Scenarios returns the scenarios that a plan is rehearsed in unless somebody
// says others: each kind once, as far as the plan has anything that it could
// happen to.
func (r Rehearsal) Scenarios() []Scenario {
	var out []Scenario
	r = r.whole()
	for _, k := range Kinds() {
		switch {
		case k == Better && len(r.Plan.Metrics.Success) == 0:
		case (k == Breach || k == Slow) && r.firstGuardrail() == "":
		case k == Unconfirmed && !r.asks():
		default:
			out = append(out, Scenario{Kind: k}.fill(r))
		}
	}
	return out
}

// Check says all that is wrong with scenarios of the plan.
func (r Rehearsal) Check(all []Scenario) error {
	var faults event.Invalids
	r = r.whole()
	for i, s := range all {
		s.check(r, fmt.Sprintf("scenarios[%d]", i), &faults)
	}
	return faults.Err()
}
