package groupseq

import "math"

// Beyond returns the probability, under a drift, of data at least as much in
// favour of a positive one as having Z = z at a look, counted from 0, and no
// crossing before. In the stage-wise order an earlier crossing says more than
// any later one [JT, section 8.4].
func (b Boundary) Beyond(look int, z, drift float64) float64 {
	upper, _ := b.Exits(drift)
	at := look
	for at > 0 && b.steps[at].at == 0 { // the same look again: its step is that of the first
		at--
	}
	sum := b.steps[at].Above(z, drift)
	for _, u := range upper[:at] {
		sum += u
	}
	return math.Min(sum, 1)
}

// P returns the p-value of having stopped at a look with Z = z, of as many
// sides as the test has.
func (b Boundary) P(look int, z float64) float64 {
	p := b.Beyond(look, z, 0)
	if b.Sides == 2 {
		p = 2 * math.Min(p, 1-p)
	}
	return p
}

// Estimate returns the drift that is as often too large as it is too small,
// given that the test stopped at a look with Z = z. Z/√t is too large on
// average, because the test stopped at it [JT, section 8.3].
func (b Boundary) Estimate(look int, z float64) float64 { return b.drift(look, z, 0.5) }

// Interval returns the drifts that are not excluded at the error alpha, of both
// ends together, given that the test stopped at a look with Z = z.
func (b Boundary) Interval(look int, z, alpha float64) (low, high float64) {
	return b.drift(look, z, alpha/2), b.drift(look, z, 1-alpha/2)
}

// drift returns the drift under which data beyond these have probability p.
func (b Boundary) drift(look int, z, p float64) float64 {
	far := (math.Abs(z) + 2*NoBound) / math.Sqrt(b.Information[0])
	return falling(-far, far, func(d float64) float64 { return p - b.Beyond(look, z, d) })
}
