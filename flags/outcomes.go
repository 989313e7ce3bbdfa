package flags

import "slices"

// fixed makes the answer for everybody, nil when there is no such answer.
func (k compiler) fixed(e Environment) *outcome {
	switch {
	case k.flag.Archived:
		return k.outcome(k.flag.Answer, Static, AtArchived)
	case !e.Enabled:
		return k.outcome(k.flag.Safe, Disabled, AtDisabled)
	case e.Forced != nil:
		return k.outcome(k.flag.Safe, Disabled, AtForced)
	}
	return nil
}

// outcome makes an answer that is the same for everybody who gets it.
func (k compiler) outcome(variant string, reason Reason, step Step) *outcome {
	return k.counted(k.result(variant, reason, step))
}

func (k compiler) result(variant string, reason Reason, step Step) Result {
	return Result{
		Key: k.flag.Key, Value: k.flag.Variants[variant], Variant: variant, Type: k.flag.Type,
		Reason: reason, Step: step, Revision: k.flag.Revision, Unit: k.flag.unit(), Metadata: k.flag.Metadata,
	}
}

func (k compiler) counted(r Result) *outcome {
	return &outcome{result: r, tally: k.tallies.of(r.Variant, r.Reason)}
}

// unmet is the answer where a prerequisite is not met.
func (k compiler) unmet(e Environment) *outcome {
	if len(e.Prerequisites) == 0 {
		return nil
	}
	return k.outcome(k.flag.Safe, DefaultReason, AtPrerequisite)
}

// noUnit is the answer to who has nothing that could be hashed.
func (k compiler) noUnit(a *Allocation, rules []rule) *outcome {
	if a == nil && !slices.ContainsFunc(rules, func(r rule) bool { return r.split != nil }) {
		return nil
	}
	return k.outside(a, NoUnit)
}

func (k compiler) fallback(e Environment, inherited []InheritedRule) *outcome {
	reason := DefaultReason
	if len(e.Prerequisites)+len(e.Targets)+len(e.Rules)+len(inherited)+len(e.Served)+len(e.Targeting) == 0 && e.Allocation == nil {
		reason = Static
	}
	return k.byDefault(reason)
}

func (k compiler) targets(list []Target) map[string]*outcome {
	var out map[string]*outcome
	for _, target := range list {
		if out == nil {
			out = map[string]*outcome{}
		}
		o := k.outcome(target.Variant, TargetingMatch, AtTarget)
		for _, id := range target.Units {
			out[id] = o
		}
	}
	return out
}

func (k compiler) ruled(variant string, reason Reason, name string) *outcome {
	r := k.result(variant, reason, AtRule)
	r.Rule = name
	return k.counted(r)
}

func (k compiler) enrolled(a *Allocation, variant string) *outcome {
	r := k.result(variant, Split, AtAllocation)
	if !a.Ramp { // whose units are no experiment's, so that their exposures name none
		r.Rollout, r.Stage, r.Epoch, r.Enrolled, r.Shadow = a.Rollout, a.Stage, a.Epoch, true, a.Shadow
	}
	return k.counted(r)
}

// outside makes the default as it is given to a unit that an allocation or a
// split left out.
func (k compiler) outside(a *Allocation, why Unenrolled) *outcome {
	r := k.result(k.flag.Default, DefaultReason, AtDefault)
	r.Unenrolled = why
	if a != nil && !a.Ramp {
		r.Rollout, r.Stage, r.Epoch = a.Rollout, a.Stage, a.Epoch
	}
	return k.counted(r)
}
