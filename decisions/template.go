package decisions

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/stats"
)

// The templates of plans. All of them give a stage the gate that it lacks; all
// but the first bring stages along, of which a plan may write any by its name.
const (
	TemplateGates   = "gates"    // gates alone: the plan's own stages
	TemplateRelease = "release"  // developers, 1 %, 10 %, 50 %, everybody
	TemplateRings   = "rings"    // the rings internal, beta and early, then 50 %, everybody
	TemplateSteps   = "steps"    // 5 %, 10 %, 25 %, 50 %, everybody
	TemplateAgent   = "ai-agent" // drafts alone, a preview of the tools, 5 %, 50 %, everybody
)

// leastTemplated is how long a stage of a template lasts at least, and one that a
// plan writes beside a template and gives no time.
const leastTemplated = Window(24 * time.Hour)

// templates are the stages of each template.
func templates() map[string][]Stage {
	const day = leastTemplated
	compare := func(name string, share Percent) Stage { return Stage{Name: name, Treatment: share, MinWindow: day} }
	decide := Stage{Name: "experiment", Treatment: All / 2, MinWindow: 7 * day, Decide: true}
	full := Stage{Name: "full", Serve: treatmentRole, Observe: DefaultObserve}
	serve := func(name, segment string) Stage {
		return Stage{Name: name, Serve: treatmentRole, To: segment, MinWindow: day}
	}
	ring := func(name string) Stage {
		return Stage{Name: name, Serve: treatmentRole, MinWindow: day,
			When: &flags.Condition{Attribute: "ring", Op: flags.In, Values: []any{name}}}
	}
	agent := serve("tool-preview", "employees")
	agent.Approve = 1
	draft := serve("draft-only", "employees")
	draft.Arms = &Arms{Treatment: "draft"}
	risk := compare("low-risk", 5_000)
	risk.To, risk.Approve = "low-risk-cases", 1
	return map[string][]Stage{
		TemplateGates:   nil,
		TemplateRelease: {serve("developers", "developers"), compare("canary", 1_000), compare("ramp", 10_000), decide, full},
		TemplateRings:   {ring("internal"), ring("beta"), ring("early"), decide, full},
		TemplateSteps:   {compare("step-5", 5_000), compare("step-10", 10_000), compare("step-25", 25_000), decide, full},
		TemplateAgent:   {draft, agent, risk, decide, full},
	}
}

// Templates returns the names of the templates, in order.
func Templates() []string { return slices.Sorted(maps.Keys(templates())) }

// templated returns the stages of the plan: its own, or the template's, of which
// the plan's own ones take the place. Those of the template last as long as
// policies ask, if that is longer: nobody wrote their windows.
func (p Plan) templated(policy RolloutPolicy) []Stage {
	all := templates()[p.Template]
	if all == nil {
		return slices.Clone(p.Stages)
	}
	for i, s := range all {
		if at := slices.IndexFunc(p.Stages, func(own Stage) bool { return own.Name == s.Name }); at >= 0 {
			all[i] = p.Stages[at]
		} else if s.Compares() {
			all[i].MinWindow = max(s.MinWindow, Window(policy.MinWindow))
		}
	}
	return all
}

// gate adds what stages of a template lack: the harm that is to be excluded, by
// share, and the time that a stage takes.
func (p *Plan) gate(k Known, policy RolloutPolicy) {
	for i, s := range p.Stages {
		s.Exclude = maps.Clone(s.Exclude)
		if s.Kind() == Ramp {
			p.exclude(&s, k, policy)
		}
		s.MinWindow = or(s.MinWindow, p.least(s, policy))
		if s.Kind() != Full {
			s.Requires = union(s.Requires, policy.Requires)
		}
		p.Stages[i] = s
	}
}

// least is how long a stage lasts that says nothing of it.
func (p *Plan) least(s Stage, policy RolloutPolicy) (least Window) {
	if p.Origin != "" && s.Kind() != Full {
		least = leastTemplated
	}
	if s.Compares() {
		least = max(least, Window(policy.MinWindow))
	}
	return least
}

// exclude fills in which harm the stage is to exclude, for guardrails of which it
// says none: the policy's size, or the template's.
func (p *Plan) exclude(s *Stage, k Known, policy RolloutPolicy) {
	for _, g := range p.Metrics.Guardrails {
		if _, own := s.Exclude[g.Metric]; own || g.Margin == nil {
			continue
		}
		m, _ := k.metric(g.Metric)
		size := excludes(policy, g.Metric)
		if size.IsZero() && p.Origin != "" && (*g.Margin > 0 || m.Aggregate != stats.Failures) {
			size = atShare(g, m, s.Treatment)
		}
		if size.IsZero() {
			continue
		}
		if s.Exclude == nil {
			s.Exclude = map[string]Size{}
		}
		s.Exclude[g.Metric] = size
	}
}

// mostHarm is the harm that an exclusion of a template asks for at most, for what is
// better when it grows: it cannot lose more than all of itself.
const mostHarm = 90 * All / 100

// atShare returns the harm that a share of the units excludes with as much
// certainty as half of them exclude the margin: what is told of a mean goes with
// the root of the units.
func atShare(g Guardrail, m stats.Metric, share Percent) Size {
	harm := or(*g.Margin, g.Detect.Change)
	if share <= 0 || harm == 0 {
		return Size{}
	}
	percents := math.Ceil(float64(harm) * math.Sqrt(float64(All/2)/float64(share)) / 1000)
	size := Size{Change: max(Percent(percents)*1000, harm)}
	if m.Direction == stats.Increase {
		size.Change = min(size.Change, max(mostHarm, harm))
	}
	return size
}

func union(all, more []string) []string {
	for _, v := range more {
		if !slices.Contains(all, v) {
			all = append(slices.Clip(all), v)
		}
	}
	return all
}
