package stats

import "math"

// yardstick is a tally, and what the sizes of effects are measured in. A
// relative size is a share of the control mean as all data know it, so that
// "worse by x" is the hypothesis ȳ_t = (1+x) ȳ_c, whose score ȳ_t − (1+x) ȳ_c
// has no drift and whose variance holds the doubt about ȳ_c (Sasabuchi 1988;
// Hauschke et al. 1999). Were the size a share of the control mean of the first
// look, kept, then its error would be that of a guess (see TestMarginAtItsEdge).
type yardstick struct {
	tally
	sign float64 // of the frozen control mean, which relative sizes are shares of; 0: sizes are in the metric's unit
}

// measured returns the yardstick for sizes that are absolute, or relative to a
// control mean of that sign. A control mean of 0 has none yet: margins are then
// of what it grows to.
func measured(t tally, absolute bool, f Frozen) yardstick {
	y := yardstick{tally: t}
	switch {
	case absolute:
	case f.ControlMean < 0:
		y.sign = -1
	default:
		y.sign = 1
	}
	return y
}

// shown returns the yardstick that effects are told in: the metric's unit as
// long as control has no mean to take a share of.
func (y yardstick) shown(f Frozen) yardstick {
	if f.ControlMean == 0 || y.sign*y.control <= 0 {
		y.sign = 0
	}
	return y
}

// unit is what an effect of 1 is, in the score.
func (y yardstick) unit() float64 {
	if y.sign == 0 {
		return y.weight
	}
	return y.sign * y.control
}

// ratio is what control is multiplied by when an effect is compared with x.
func (y yardstick) ratio(x float64) float64 { return 1 + y.sign*x }

// against returns the score of "the effect is x".
func (y yardstick) against(x float64) score {
	return y.arms.freedom(score{S: y.effect - x*y.unit(), V: y.clock(x)}, y.ratio(x))
}

// clock returns the variance of the score of "the effect is x": of proportions
// what it is if that is so, of other values as the sample has it.
func (y yardstick) clock(x float64) float64 {
	if y.counts == nil {
		return contrastVariance(y.treatment, y.noise, y.shared, y.ratio(x))
	}
	var v float64
	for _, c := range y.counts {
		switch {
		case c.nc == 0:
			v += c.alone(x)
		case y.sign == 0:
			v += c.difference(x)
		default:
			v += c.ratio(y.ratio(x))
		}
	}
	return v
}

// beyond returns the score of harm in excess of size, for a bad change of that
// sign.
func (y yardstick) beyond(size, harm float64) score {
	t := y.against(harm * size)
	t.S *= harm
	return t
}

// spread is how much more information an effect of x needs in the clock of its
// own contrast than in that of no effect. With equal arms of equal noise the
// clock runs faster by (1+r²)/2, and so much less does each tick tell.
func (y yardstick) spread(x float64) float64 {
	r := y.ratio(x)
	return math.Min((1+r*r)/2*(1+r*r)/2, mostInformation)
}

// estimate returns the effect whose score is zero.
func (y yardstick) estimate() float64 { return y.effect / y.unit() }

// error returns the standard error of the estimate, which is not 0 because none
// of the treated units has an outcome.
func (y yardstick) error() float64 {
	v := y.clock(y.estimate())
	if v == 0 {
		for _, c := range y.counts {
			v += c.least()
		}
	}
	return math.Sqrt(v) / math.Abs(y.unit())
}

// rejects says by how much a score so far above zero exceeds what excludes its
// hypothesis; from 0 on it does.
type rejects func(t score) float64

// interval returns the effects that are not excluded: those around the estimate
// up to the first that is. A side is open where none is, as it happens when
// control's mean can hardly be told from zero.
func (y yardstick) interval(no rejects) Interval {
	return Interval{Low: y.side(-1, no), High: y.side(1, no)}
}

// farthest is how often the search for a bound doubles its step, which begins
// at the standard error.
const farthest = 60

func (y yardstick) side(way float64, no rejects) float64 {
	from, step := y.estimate(), y.error()
	excess := func(distance float64) float64 {
		t := y.against(from + way*distance)
		t.S *= -way
		return no(t)
	}
	for range farthest {
		if excess(step) >= 0 {
			return from + way*root(0, step, excess)
		}
		step *= 2
	}
	return math.Inf(int(way))
}
