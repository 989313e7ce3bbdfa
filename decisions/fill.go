package decisions

import (
	"slices"
	"time"
)

// The defaults of a plan.
const (
	DefaultSRMAlpha  = 0.001
	DefaultMaxLag    = Window(10 * time.Minute)
	DefaultTwoArms   = Percent(1000) // 1%
	DefaultMaxWindow = Window(28 * 24 * time.Hour)
	DefaultObserve   = Window(72 * time.Hour)
	DefaultUnsafe    = Percent(100) // 0.1%
	DefaultProve     = Window(5 * time.Minute)
)

// Filled returns the plan with every default written out, as it is recorded: a
// later change of a default never changes a rollout. A template and ramps become
// stages, and a plan that decides and names no full stage gets one. What
// policies add is not in it; State.Filled knows them.
func (p Plan) Filled() Plan { return p.FilledIn(Known{}) }

// Filled returns the plan as it would be recorded now, with what policies add.
func (s *State) Filled(p Plan) Plan { return p.FilledIn(s.known) }

// FilledIn returns the plan as it would be recorded where this is known.
func (p Plan) FilledIn(k Known) Plan {
	filled, _ := p.filled(k)
	return filled
}

// filled returns the whole plan, and for each of its stages the path in the
// document that it comes from.
func (p Plan) filled(k Known) (Plan, []string) {
	p.Metrics.Success = slices.Clone(p.Metrics.Success) // the caller's plan stays as it is
	p.Metrics.Guardrails = slices.Clone(p.Metrics.Guardrails)
	policy := k.policy(p)
	p.govern(policy)
	p.Health = p.Health.filled()
	p.Incidents = Incidents{
		Critical: or(p.Incidents.Critical, Rollback),
		Blocking: or(p.Incidents.Blocking, Pause),
		Minor:    or(p.Incidents.Minor, Hold),
	}
	for i := range p.Metrics.Success {
		s := &p.Metrics.Success[i]
		s.OnLoss, s.OnInconclusive = or(s.OnLoss, Review), or(s.OnInconclusive, Review)
	}
	for i := range p.Metrics.Guardrails {
		p.Metrics.Guardrails[i] = p.Metrics.Guardrails[i].filled()
	}
	p.Rollback = p.Rollback.filled(p.Owner)
	places := p.expand(policy)
	p.gate(k, policy)
	for i := range p.Stages {
		p.Stages[i] = p.Stages[i].filled() // the longest window follows from the shortest
	}
	return p, places
}

// treatmentRole is what a stage serves: the treatment arm, by its role.
const treatmentRole = "treatment"

func (h Health) filled() Health {
	h.SRM.Alpha, h.SRM.OnFail = or(h.SRM.Alpha, DefaultSRMAlpha), or(h.SRM.OnFail, Pause)
	h.Telemetry.MaxLag, h.Telemetry.OnMissing = or(h.Telemetry.MaxLag, DefaultMaxLag), or(h.Telemetry.OnMissing, Pause)
	h.MultiExposure.Max, h.MultiExposure.OnFail = or(h.MultiExposure.Max, DefaultTwoArms), or(h.MultiExposure.OnFail, Pause)
	return h
}

// filled reads {metric: errors, detect: 2x} as no harm at all being tolerated,
// with a test that is sharpest for that much.
func (g Guardrail) filled() Guardrail {
	g.OnBreach = or(g.OnBreach, Rollback)
	if g.Margin == nil && g.Limit == "" && !g.Detect.IsZero() {
		g.Margin = new(Percent)
	}
	if g.Detect.IsZero() && g.Margin != nil {
		g.Detect = Size{Change: *g.Margin}
	}
	return g
}

func (r RollbackPlan) filled(owner string) RollbackPlan {
	lock := r.lockUntilExplained()
	r.To, r.LockUntilExplained = or(r.To, toSafe), &lock
	proof := Proof{UnsafeExposures: DefaultUnsafe}
	if r.Prove != nil {
		proof = *r.Prove
	}
	proof.Within = or(proof.Within, DefaultProve)
	r.Prove = &proof
	if len(r.Owners) == 0 && owner != "" {
		r.Owners = []string{owner}
	}
	return r
}

func (s Stage) filled() Stage {
	switch s.Kind() {
	case Decide:
		s.MaxWindow = or(s.MaxWindow, max(DefaultMaxWindow, s.MinWindow))
	case Full:
		s.Observe = or(s.Observe, DefaultObserve)
	}
	return s
}

// free returns a stage name that the plan does not use yet.
func (p Plan) free(name string) string {
	for slices.ContainsFunc(p.Stages, func(s Stage) bool { return s.Name == name }) {
		name += "-2"
	}
	return name
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
