package groupseq

import "math"

// Boundary is the bounds of a test. Use Design or Classical to make one.
type Boundary struct {
	Alpha       float64 // error that it was made for, of all sides together
	Sides       int
	Information []float64 // at the looks, as fractions of what is planned
	Z           []float64 // that Z must exceed; with two sides −Z too, below
	Spent       []float64 // error used up by then, of all sides together

	steps []Step // nil z and no path: the same look again
}

// Given returns the test of bounds that were chosen otherwise.
func Given(information, z []float64, sides int) (Boundary, error) {
	if err := growing(information); err != nil {
		return Boundary{}, err
	}
	if len(z) != len(information) {
		return Boundary{}, &Fault{"z", "each look has one bound"}
	}
	b := Boundary{Sides: sides}
	var p Path
	for i, t := range information {
		if !(math.Abs(z[i]) <= mostZ) {
			return Boundary{}, &Fault{"z", "a bound is a number between -40 and 40"}
		}
		if !b.again(t) {
			p = b.add(p.To(t), z[i])
		}
	}
	b.Alpha = b.Spent[len(b.Spent)-1]
	return b, levels(b.Alpha, sides)
}

// mostZ is farther out than the probabilities of bounds can be told from 0.
const mostZ = 40

// add takes a look with that bound.
func (b *Boundary) add(s Step, z float64) Path {
	lower := math.Inf(-1)
	if b.Sides == 2 {
		lower = -z
	}
	p := s.Stop(lower, z)
	b.Information, b.Z = append(b.Information, s.at), append(b.Z, z)
	b.Spent = append(b.Spent, p.above+p.below)
	b.steps = append(b.steps, s)
	return p
}

// again takes a look whose information is that of the one before, and reports
// whether it is one.
func (b *Boundary) again(at float64) bool {
	last := len(b.Z) - 1
	if last < 0 || at-b.Information[last] >= Same*at {
		return false
	}
	b.Information, b.Z = append(b.Information, at), append(b.Z, b.Z[last])
	b.Spent = append(b.Spent, b.Spent[last])
	b.steps = append(b.steps, Step{})
	return true
}

// Exits returns the probabilities of crossing the upper and the lower bound at
// each look, and none before, under a drift.
func (b Boundary) Exits(drift float64) (upper, lower []float64) {
	upper, lower = make([]float64, len(b.Z)), make([]float64, len(b.Z))
	for i, s := range b.steps {
		if s.at == 0 {
			continue
		}
		upper[i] = s.Above(b.Z[i], drift)
		if b.Sides == 2 {
			lower[i] = s.Below(-b.Z[i], drift)
		}
	}
	return upper, lower
}

// Power returns the probability of crossing the upper bound under a drift
// above 0. Crossing the lower one would see the wrong effect.
func (b Boundary) Power(drift float64) float64 {
	upper, _ := b.Exits(drift)
	sum := 0.0
	for _, u := range upper {
		sum += u
	}
	return math.Min(sum, 1)
}

// Expected returns the fraction of the planned information at which the test
// ends, on average, under a drift.
func (b Boundary) Expected(drift float64) float64 {
	upper, lower := b.Exits(drift)
	last := len(upper) - 1
	sum, left := 0.0, 1.0
	for i := range last {
		stop := upper[i] + lower[i]
		sum += stop * b.Information[i]
		left -= stop
	}
	return sum + left*b.Information[last]
}

// Drift returns the drift that is seen with a probability of 1−beta.
func (b Boundary) Drift(beta float64) float64 {
	high := 1.0
	for high < strongest && b.Power(high) < 1-beta {
		high *= 2
	}
	return falling(0, high, func(d float64) float64 { return 1 - beta - b.Power(d) })
}

// strongest is a drift beyond all that a plan is made for.
const strongest = 1 << 20

// Inflation returns how many times the information of a test with one look the
// plan needs for the power 1−beta.
func (b Boundary) Inflation(beta float64) float64 {
	d := b.Drift(beta) / (upper(b.Alpha/float64(b.Sides)) + upper(beta))
	return d * d
}
