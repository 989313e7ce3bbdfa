package decisions

// Reach says who gets the treatment in a stage of the plan, at a share of the
// units where that is less than the stage's own.
func (p Plan) Reach(stage int, share Percent) string {
	if stage < 0 || stage >= len(p.Stages) {
		return "nobody gets " + p.Arms.Treatment
	}
	s := p.Stages[stage]
	arms := p.arms(s)
	switch share = or(share, s.Exposure()); {
	case s.Kind() == Dark:
		return "nobody gets " + arms.Treatment + "; it runs in the shadow of " + arms.Control
	case s.Kind() == Serve && s.To != "":
		return s.To + " get " + arms.Treatment
	case s.Kind() == Serve:
		return "the audience of " + s.Name + " gets " + arms.Treatment
	case share == All:
		return "everybody gets " + arms.Treatment
	}
	return percent(share.Fraction()) + " of units get " + arms.Treatment
}
