package stats

// plannedLooks is how many there are at most: more make no difference.
const plannedLooks = 1000

const (
	methodPlanned    = "power of "
	assumeExpected   = "the metric stays what it was: its level, its spread and what a covariate explains"
	assumeFewestUnit = "every treatment is compared with control at this error; the power is that of the smallest one"
	assumeHarmless   = "power to exclude the margin where the change has just the effect that is given"
	assumeAtTheEnd   = "the band is asked once, with all units; asked at every batch it mostly answers earlier, and never later"
	warnFewOutcomes  = "fewer than ten units with, or without, the outcome are expected in an arm: count failures by events"
	warnNoClusters   = "fewer than 10 clusters in an arm: they will not be compared"
)

// planned says in words how power is planned for a kind of inference, "" when
// it is not.
func (i Inference) planned() string {
	switch i {
	case FixedHorizon:
		return "one look at the end"
	case AlwaysValid:
		return "a mixture e-process, tuned for the effect"
	case GroupSequential:
		return "looks at equal steps of information with O'Brien-Fleming-type alpha spending"
	}
	return ""
}

func (d Design) doubt() Doubt {
	out := Doubt{Method: methodPlanned + d.Inference.planned(), Assumptions: []string{assumeUnits, assumeExpected}}
	if len(d.Weights) > 2 {
		out.Assumptions = append(out.Assumptions, assumeFewestUnit)
	}
	if d.Margin != 0 {
		out.Assumptions = append(out.Assumptions, assumeHarmless)
	}
	if d.Inference == AlwaysValid && d.Looks == 1 {
		out.Assumptions = append(out.Assumptions, assumeAtTheEnd)
	}
	return out
}

// thin warns of arms in which the method is coarse.
func (p *Planned) thin(d Design) {
	for i, n := range p.Units {
		level := d.Metric.Level
		if i > 0 {
			level = d.moved(d.Effect)
		}
		if d.Metric.Kind == KindProportion && float64(n)*min(level, 1-level) < 10 {
			p.warn(warnFewOutcomes)
		}
	}
	for _, n := range p.Clusters {
		switch {
		case n < MinClusters:
			p.warn(warnNoClusters)
		case n < fewClusters:
			p.warn(warnClusters)
		}
	}
}

func (d Design) defaults() Design {
	d.Alpha, d.Power = or(d.Alpha, DefaultAlpha), or(d.Power, DefaultPower)
	if d.Direction == "" {
		d.Direction = Increase
	}
	if d.Inference == "" {
		d.Inference = FixedHorizon
	}
	switch {
	case d.Side == "" && d.Margin != 0:
		d.Side = Greater
	case d.Side == "":
		d.Side = TwoSided
	}
	if d.Looks == 0 {
		d.Looks = 1
		if d.Inference == GroupSequential {
			d.Looks = looksPlanned
		}
	}
	if len(d.Weights) == 0 {
		d.Weights = []float64{1, 1}
	}
	return d
}

func (d Design) fault() *Refusal {
	return first(d.Metric.fault(), d.effectFault(), d.marginFault(), d.testFault(), d.unitsFault())
}

func (d Design) effectFault() *Refusal {
	switch {
	case !within(d.Effect, largestMean):
		return refuse(BadInput, "effect", "an effect is 0, or a number between 1e-50 and 1e50")
	case !d.Absolute && d.Metric.Level == 0:
		return refuse(Unbounded, "metric.mean", "nothing is a share of a level of 0; give the effect in the metric's unit (absolute)")
	case d.Effect == 0 && d.Margin == 0 && d.Units == 0:
		return refuse(BadInput, "effect", "the units follow from an effect, or the effect from n")
	case d.Margin == 0 && d.Effect != 0 && d.Side.along(d.Effect) < 0:
		return refuse(BadInput, "effect", "is on the side that the test does not look at")
	case d.Metric.Kind == KindProportion && !(d.moved(d.Effect) >= 0 && d.moved(d.Effect) <= 1):
		return refuse(BadInput, "effect", "takes the share of units below 0 or above 1")
	}
	return nil
}

func (d Design) marginFault() *Refusal {
	switch {
	case d.Margin == 0:
		return nil
	case !(d.Margin > 0 && within(d.Margin, largestMean)):
		return refuse(BadInput, "margin", "a margin to exclude is a number above 0")
	case d.Side == TwoSided:
		return refuse(BadInput, "side", "a margin is excluded on one side")
	case d.Direction != Increase && d.Direction != Decrease:
		return refuse(BadInput, "direction", "a direction is increase or decrease")
	case !d.Absolute && d.Direction == Increase && d.Margin >= 1:
		return refuse(BadInput, "margin", "nothing loses all of its level or more")
	case d.Units == 0 && d.Direction.harm()*d.Effect >= d.Margin:
		return refuse(BadInput, "effect", "is as bad as the margin: that is never excluded")
	}
	return nil
}

func (d Design) testFault() *Refusal {
	switch {
	case d.Inference.planned() == "":
		return refuse(BadInput, "inference", "power is planned for fixed, always-valid and group-sequential")
	case d.Side != TwoSided && d.Side != Greater && d.Side != Less:
		return refuse(BadInput, "side", "a side is two, greater or less")
	case d.Looks < 1 || d.Looks > plannedLooks:
		return refuse(BadInput, "looks", "looks are counted from 1 to 1,000")
	case d.Inference == FixedHorizon && d.Looks > 1:
		return refuse(BadInput, "looks", "a fixed test has one look; more are group-sequential or always-valid")
	}
	return sensible(d.Alpha, d.Power)
}

func (d Design) unitsFault() *Refusal {
	switch {
	case !(d.Units >= 0) || d.Units > mostPlanned:
		return refuse(BadInput, "n", "units are a number from 0 to 1e15")
	case len(d.Weights) < 2:
		return refuse(BadInput, "weights", "there are two arms or more")
	}
	for _, w := range d.Weights {
		if !(w >= 1/mostWeight && w <= mostWeight) {
			return refuse(BadInput, "weights", "the weight of an arm is a number between 1e-6 and 1e6")
		}
	}
	return nil
}
