package decisions

import "github.com/sluice-hq/sluice/flags"

// audience returns who a stage is for, nil when it names nobody: the members of
// a segment, whom its condition matches, or the units that it lists.
func (s Stage) audience(unit string) *flags.Condition {
	switch {
	case s.To != "":
		return &flags.Condition{Op: flags.InSegment, Value: s.To}
	case s.When != nil:
		return s.When
	case len(s.Units) > 0:
		return listed(unit, s.Units)
	}
	return nil
}

// listed matches units by their id, as an allocation finds it: by the attribute
// that is called like the unit, and a user without one by the targeting key.
func listed(unit string, units []string) *flags.Condition {
	values := make([]any, len(units))
	for i, u := range units {
		values[i] = u
	}
	named := flags.Condition{Attribute: unit, Op: flags.In, Values: values}
	if unit != flags.DefaultUnit {
		return &named
	}
	return &flags.Condition{Any: []flags.Condition{named, {All: []flags.Condition{
		{Attribute: unit, Op: flags.IsNotSet}, {Attribute: flags.TargetingKey, Op: flags.In, Values: values},
	}}}}
}

// eligible returns who the whole plan is for, nil for everybody.
func (p Plan) eligible() *flags.Condition {
	if p.Eligible == "" {
		return nil
	}
	return &flags.Condition{Op: flags.InSegment, Value: p.Eligible}
}

// audience returns who a stage is for, among those who are eligible; nil for
// everybody.
func (p Plan) audience(s Stage) *flags.Condition {
	eligible, own := p.eligible(), s.audience(p.Unit)
	switch {
	case own == nil:
		return eligible
	case eligible == nil:
		return own
	}
	return &flags.Condition{All: []flags.Condition{*eligible, *own}}
}

// arms returns the variants of a stage.
func (p Plan) arms(s Stage) Arms {
	if s.Arms == nil {
		return p.Arms
	}
	return Arms{Control: or(s.Arms.Control, p.Arms.Control), Treatment: or(s.Arms.Treatment, p.Arms.Treatment)}
}

// ArmsIn returns the variants that a stage compares.
func (p Plan) ArmsIn(stage string) Arms {
	s, _ := p.stage(stage)
	return p.arms(s)
}

// Arms returns the variants that the gate of the present stage is about. In the
// dark everybody answers control, and those whose shadow runs are watched in the
// place of the treatment, so that limits and declared rates are asked of them.
func (r Rollout) Arms() Arms {
	s, ok := r.Now()
	if !ok {
		return r.Plan.Arms
	}
	a := r.Plan.arms(s)
	if s.Kind() == Dark {
		return Arms{Control: a.Treatment, Treatment: a.Control}
	}
	return a
}
