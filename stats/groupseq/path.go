package groupseq

import (
	"math"
	"sort"
)

// Path is the looks so far: how Z is distributed over the data that crossed no
// bound, without an effect, by the recursion of [AMR]. The zero Path has had no
// look.
type Path struct {
	last         *Step // nil without a look
	lower, upper float64
	above, below float64
}

// Crossed returns the probability of having crossed an upper and a lower
// bound, without an effect.
func (p Path) Crossed() (above, below float64) { return p.above, p.below }

// Step is the next look, before its bounds are chosen.
type Step struct {
	path    Path
	at      float64   // fraction of the information
	z, mass []float64 // nodes at the look before, and their probability; nil at the first look
}

// To returns the step to a look at that fraction of the information, which is
// more than at the looks so far.
func (p Path) To(at float64) Step {
	s := Step{path: p, at: at}
	if p.last == nil {
		return s
	}
	from := p.last.at
	width := math.Min(at-from, from-p.last.from()) / from
	z, weight := grid(p.lower, p.upper, fine(math.Sqrt(width)))
	for i := range z {
		weight[i] *= p.last.density(z[i])
	}
	s.z, s.mass = z, weight
	return s
}

// Stop returns the path on which data end beyond these bounds. A lower bound of
// −∞ makes a one-sided test.
func (s Step) Stop(lower, upper float64) Path {
	return Path{last: &s, lower: lower, upper: upper,
		above: s.path.above + s.Above(upper, 0), below: s.path.below + s.Below(lower, 0)}
}

// Upper returns the bound that data without an effect exceed at this look with
// a probability: NoBound when that is none to speak of.
func (s Step) Upper(due float64) float64 {
	if due < least {
		return NoBound
	}
	return falling(-NoBound, NoBound, func(c float64) float64 { return s.Above(c, 0) - due })
}

// Above returns the probability of exceeding the bound at this look, and none
// before, under a drift. The likelihood ratio of a path depends on its end
// alone, so that every drift is answered by the grid of none.
func (s Step) Above(bound, drift float64) float64 {
	if s.path.last == nil {
		return survival(bound - drift*math.Sqrt(s.at))
	}
	before, here, move := math.Sqrt(s.from()), math.Sqrt(s.at), math.Sqrt(s.at-s.from())
	sum := 0.0
	for i, z := range s.z {
		sum += s.mass[i] * ratio(drift*before, z) * survival((bound*here-z*before)/move-drift*move)
	}
	return sum
}

// Below is Above, of the other side.
func (s Step) Below(bound, drift float64) float64 {
	if math.IsInf(bound, -1) {
		return 0
	}
	if s.path.last == nil {
		return survival(drift*math.Sqrt(s.at) - bound)
	}
	before, here, move := math.Sqrt(s.from()), math.Sqrt(s.at), math.Sqrt(s.at-s.from())
	sum := 0.0
	for i, z := range s.z {
		sum += s.mass[i] * ratio(drift*before, z) * survival((z*before-bound*here)/move+drift*move)
	}
	return sum
}

// ratio is the likelihood of Z = z when its mean is m, over that of mean 0.
func ratio(m, z float64) float64 {
	if m == 0 {
		return 1
	}
	return math.Exp(m*z - m*m/2)
}

// from returns the fraction at the look before, 0 when there was none.
func (s Step) from() float64 {
	if s.path.last == nil {
		return 0
	}
	return s.path.last.at
}

// wide is how many standard deviations of a step are looked at.
const wide = 8

// density returns the density of Z = z at this look, without an effect, over
// the data that crossed no bound before.
func (s Step) density(z float64) float64 {
	if s.path.last == nil {
		return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
	}
	move := math.Sqrt(s.at - s.from())
	here, before := z*math.Sqrt(s.at)/move, math.Sqrt(s.from())/move
	sum := 0.0
	for i := sort.SearchFloat64s(s.z, (here-wide)/before); i < len(s.z); i++ {
		x := here - s.z[i]*before
		if x < -wide {
			break
		}
		sum += s.mass[i] * math.Exp(-x*x/2)
	}
	return sum * math.Sqrt(s.at) / move / math.Sqrt(2*math.Pi)
}
