package decisions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/flags"
)

// RolloutPolicy is what the policies of the house ask of a rollout.
type RolloutPolicy = flags.Releases

// Policy returns what policies ask now of the rollouts of a plan's flag in its
// environment. Guardrails, checks and windows are in a plan since it was
// written; hours, freezes and approvals are asked as they are now.
func (s *State) Policy(p Plan) RolloutPolicy { return s.known.policy(p) }

func (k Known) policy(p Plan) RolloutPolicy {
	f, ok := k.flag(p.Flag)
	if k.Policy == nil || !ok {
		return RolloutPolicy{}
	}
	return k.Policy(p.Environment, &f.Flag)
}

// govern adds the guardrails of policies on metrics that the plan gives no role,
// and the limits that it does not set itself.
func (p *Plan) govern(policy RolloutPolicy) {
	for _, d := range policy.Guardrails {
		g := guardrailOf(d)
		if !p.watches(g) {
			p.Metrics.Guardrails = append(p.Metrics.Guardrails, g)
		}
	}
}

// watches reports whether the plan asks of a metric itself what a guardrail
// would.
func (p Plan) watches(g Guardrail) bool {
	success := slices.ContainsFunc(p.Metrics.Success, func(s Success) bool { return s.Metric == g.Metric })
	shown := slices.ContainsFunc(p.Metrics.Diagnostics, func(d Diagnostic) bool { return d.Metric == g.Metric })
	return success || shown || slices.ContainsFunc(p.Metrics.Guardrails, func(own Guardrail) bool {
		return own.Metric == g.Metric && (own.Limit == "") == (g.Limit == "")
	})
}

func guardrailOf(d flags.ReleaseGuardrail) Guardrail {
	return Guardrail{Metric: d.Metric, Margin: d.Margin, Detect: d.Detect, Limit: d.Limit, OnBreach: Action(d.OnBreach)}
}

// excludes returns the harm that policies want excluded in a ramp, zero for none.
func excludes(policy RolloutPolicy, metric string) Size {
	for _, g := range policy.Guardrails {
		if g.Metric == metric && !g.Exclude.IsZero() {
			return g.Exclude
		}
	}
	return Size{}
}

// policy refuses what policies ask and the plan does not keep. What a plan
// lacks it got from them when it was filled.
func (c *planCheck) policy() {
	asked := c.known.policy(c.plan)
	for i, d := range c.plan.Metrics.Diagnostics {
		if slices.ContainsFunc(asked.Guardrails, func(g flags.ReleaseGuardrail) bool { return g.Metric == d.Metric }) {
			c.add(indexed("metrics.diagnostics[%d].metric", i), d.Metric, "is a guardrail by policy, and would only be shown", "leave it out here, or make it a guardrail")
		}
	}
	for i, s := range c.plan.Stages {
		if least := Window(asked.MinWindow); s.Compares() && s.MinWindow < least {
			c.add(c.places[i]+".minWindow", s.MinWindow, "is shorter than policies ask", "write "+least.String()+" or more")
		}
	}
	if slices.Contains(asked.Require, flags.RequireTicket) && (c.plan.Cleanup == nil || c.plan.Cleanup.Ticket == "") {
		c.add("cleanup.ticket", nil, "is missing", "a policy asks where the cleanup is followed: write the ticket's address")
	}
	if slices.Contains(asked.Require, flags.RequireHypothesis) {
		c.missing("a policy asks what the release is meant to show", "hypothesis", c.plan.Hypothesis)
	}
}

// ungoverned refuses to start a plan that policies, as they are now, would write
// otherwise.
func (s *State) ungoverned(r Rollout) error {
	if now := s.Filled(r.Plan); !equal(now, r.Plan) {
		return fmt.Errorf("%w: policies have changed since the plan was written (%s); apply it again",
			ErrRefused, strings.Join(DiffPlans(r.Plan, now), "; "))
	}
	return nil
}
