package stats

import "math"

// course is how the score of a hypothesis is expected to go where something
// else is true. A plan is made of it: how much of its clock a test needs until
// it answers with the wanted power.
type course struct {
	drift float64 // of the score for each tick of its clock
	noise float64 // standard deviation of the score, in roots of its clock: 1 where the truth is as noisy as the hypothesis
}

// course returns that of "the effect is x" where the effect is truth, at the
// mixture of arms so far. What was counted does not move it, but for the units
// themselves: variance and control mean are those of the first look. The clock
// of proportions is that of the restricted estimates which their test will
// find, so that the plan has the two standard deviations of Farrington & Manning
// 1990 (Statistics in Medicine 9:1447, eq. 8), in place of one for both.
func (y yardstick) course(x, truth, unit float64, f Frozen) course {
	null, real := y.expected(x, truth, unit, f)
	distance := math.Abs(truth-x) * unit * y.weight
	if !(null > 0) || !(distance > 0) {
		return course{}
	}
	return course{drift: distance / null, noise: math.Sqrt(real / null)}
}

// expected returns the variance that the hypothesis is expected to give the
// score, and the one that it has.
func (y yardstick) expected(x, truth, unit float64, f Frozen) (null, real float64) {
	r := y.ratio(x)
	if y.counts == nil {
		null = y.arms.treatment.like + r*r*y.arms.control.like
		return null, null
	}
	likely := y
	likely.counts = make([]counts, len(y.counts))
	for i, c := range y.counts {
		pc, pt := f.ControlMean, f.ControlMean+truth*unit
		if c.nc == 0 { // a level, of which x and truth are values
			pc, pt = 0, truth
		}
		c = c.likely(chance(pc), chance(pt))
		likely.counts[i] = c
		real += c.real(chance(pc), chance(pt), r)
	}
	return likely.clock(x), real
}

// chance keeps what a plan expects within what a proportion can be.
func chance(p float64) float64 { return math.Max(0, math.Min(1, p)) }

// likely returns the counts that are expected at these proportions.
func (c counts) likely(pc, pt float64) counts {
	c.xc, c.xt = pc*c.nc, pt*c.nt
	c.vt = c.leftt*pt*(1-pt)/c.nt + c.addt
	if c.nc > 0 {
		c.vc = c.leftc*pc*(1-pc)/c.nc + c.addc
	}
	return c
}

// real is the part of the score's variance that the stratum has at these
// proportions.
func (c counts) real(pc, pt, r float64) float64 {
	if c.nc == 0 {
		return c.squared * pt * (1 - pt) / c.nt
	}
	return c.clock(pc, pt, r)
}

// once returns the clock at which a test of one look, whose error on the side
// that answers is alpha, has the power.
func (c course) once(alpha, power float64) float64 {
	z := (upper(alpha) + upper(1-power)*c.noise) / c.drift
	if z = z * z; z < mostInformation {
		return z
	}
	return mostInformation // also of a course that leads nowhere
}

// mixed returns the clock at which an e-process has the power, if it is asked
// then: radius is the score that it asks for. Asked at every batch it mostly
// answers earlier, and never later.
func (c course) mixed(alpha, power float64, radius func(clock float64) float64) float64 {
	low, z := c.once(alpha, power), upper(1-power)
	if low == mostInformation {
		return low
	}
	short := func(v float64) float64 { return c.drift*v - radius(v) - z*c.noise*math.Sqrt(v) }
	high := 2 * low
	for short(high) < 0 {
		if high *= 2; high > mostInformation {
			return mostInformation
		}
	}
	return root(low, high, short)
}

// oneSided returns how far above zero the score of an e-process must be, by its
// clock.
func (p process) oneSided(alpha float64) func(float64) float64 {
	return func(v float64) float64 { return p.radiusOne(v, alpha) }
}

// twoSided is the same, either way.
func (p process) twoSided(alpha float64) func(float64) float64 {
	return func(v float64) float64 { return p.radiusTwo(v, alpha) }
}
