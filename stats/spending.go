package stats

import "math"

// looksPlanned is how many looks a plan has: one whenever the clock crosses the
// next twentieth of its information. The times of looks must not depend on the
// estimate; crossing a fixed fraction does not.
const looksPlanned = 20

// inflation is how much more information twenty looks with O'Brien-Fleming-type
// spending need than one, for the same power. It is between 1.03 and 1.06 for
// errors of 1 to 5 % and powers of 80 to 99 % (see TestInflation).
const inflation = 1.06

// spent returns the error that may be used up at a fraction of the information:
// the O'Brien-Fleming-type spending function of [LD].
func spent(alpha, fraction float64) float64 {
	return 2 * survival(upper(alpha/2)/math.Sqrt(min(fraction, 1)))
}

// negligible is an error not worth a bound: nothing is spent at that look, and
// what was due stays due.
const (
	negligible = 1e-15
	noBound    = 8.0
)

// path is the density of Z at a look, over the data that crossed no bound so
// far, by the recursion of Armitage, McPherson & Rowe (1969) on the grid of
// [JT, section 19.2]. The zero path has had no look.
type path struct {
	z, mass []float64 // nodes of Z, and density times Simpson weight
	clock   float64
	spent   float64 // probability, without an effect, of having crossed a bound
}

// crossing returns the probability of crossing the bound at the next look.
func (p path) crossing(clock, bound float64) float64 {
	if p.z == nil {
		return survival(bound)
	}
	step, sum := math.Sqrt(clock-p.clock), 0.0
	for i, z := range p.z {
		sum += p.mass[i] * survival((bound*math.Sqrt(clock)-z*math.Sqrt(p.clock))/step)
	}
	return sum
}

// next returns the path after a look at the clock with that bound. A look that
// spends nothing leaves the path as it was.
func (p path) next(clock, bound float64) path {
	if bound >= noBound {
		return p
	}
	z, weight := grid(bound)
	n := path{z: z, mass: make([]float64, len(z)), clock: clock, spent: p.spent + p.crossing(clock, bound)}
	for i := range z {
		n.mass[i] = weight[i] * p.density(clock, z[i])
	}
	return n
}

// density returns the density of Z = z at the next look.
func (p path) density(clock, z float64) float64 {
	if p.z == nil {
		return density(z)
	}
	step, sum := math.Sqrt(clock-p.clock), 0.0
	here, scale := z*math.Sqrt(clock)/step, math.Sqrt(p.clock)/step
	for i, u := range p.z {
		if x := here - u*scale; math.Abs(x) < noBound {
			sum += p.mass[i] * math.Exp(-x*x/2)
		}
	}
	return sum * math.Sqrt(clock) / step / math.Sqrt(2*math.Pi)
}

// bound returns the bound at the next look that spends up to the given error in
// all.
func (p path) bound(clock, upTo float64) float64 {
	due := upTo - p.spent
	if due < negligible {
		return noBound
	}
	return bisect(-noBound, noBound, func(c float64) bool { return p.crossing(clock, c) > due })
}

// kept returns the probability of having crossed no bound when Z drifts at the
// given rate per root of information: the likelihood ratio of a path depends
// on its end alone.
func (p path) kept(drift float64) float64 {
	sum := 0.0
	for i, z := range p.z {
		sum += p.mass[i] * math.Exp(drift*math.Sqrt(p.clock)*z-drift*drift*p.clock/2)
	}
	return sum
}

// fineness of the grid: r of [JT, section 19.2].
const fineness = 18

// grid returns the nodes of Z below the bound and their Simpson weights: dense
// where the density is, sparse in logarithmic steps in its tails.
func grid(bound float64) (z, weight []float64) {
	var x []float64
	for i := 1; i < 6*fineness; i++ {
		if v := node(float64(i)); v < bound {
			x = append(x, v)
		}
	}
	x = append(x, bound)
	for i, v := range x[:len(x)-1] {
		z = append(z, v, (v+x[i+1])/2)
	}
	z = append(z, bound)
	weight = make([]float64, len(z))
	for i := 0; i+2 < len(z); i += 2 {
		h := (z[i+2] - z[i]) / 6
		weight[i] += h
		weight[i+1] += 4 * h
		weight[i+2] += h
	}
	return z, weight
}

func node(i float64) float64 {
	const r = fineness
	switch {
	case i < r:
		return -3 - 4*math.Log(r/i)
	case i > 5*r:
		return 3 + 4*math.Log(r/(6*r-i))
	}
	return -3 + 3*(i-r)/(2*r)
}

const methodSpending = "non-inferiority with O'Brien-Fleming-type alpha spending at twentieths of the planned information"

// Look says whether the data exclude the size, given the looks taken so far. A
// look is taken when the clock has crossed the next twentieth of the planned
// information since the last; the caller must record Taken and give it back
// with the others at the next call, or the error is spent twice. A call
// between looks costs nothing and answers what the last look did.
func (n NonInferiority) Look(strata []Stratum, f Frozen, past []Look) Exclusion {
	n = n.defaults()
	e, t, ok := n.start(methodSpending, strata, f)
	if !ok {
		return e
	}
	plan := e.Needed
	last := 0.0
	for _, l := range past {
		e.Excluded = e.Excluded || l.Excluded
		e.Critical, last = l.Bound, l.Clock
	}
	if e.Ended = e.Excluded || last >= plan; e.Ended {
		return e
	}
	e.Next = (math.Floor(looksPlanned*last/plan) + 1) / looksPlanned * plan
	if t.V < e.Next {
		return e
	}
	return e.take(n.Alpha, past, t.V, plan)
}

// take carries out a look that is due.
func (e Exclusion) take(alpha float64, past []Look, clock, plan float64) Exclusion {
	var p path
	for _, l := range past {
		p = p.next(l.Clock, l.Bound)
	}
	e.Critical = p.bound(clock, spent(alpha, clock/plan))
	e.Excluded = e.Z >= e.Critical
	e.Taken = &Look{Clock: clock, Bound: e.Critical, Z: e.Z, Excluded: e.Excluded}
	e.Ended = e.Excluded || clock >= plan
	e.Next = 0
	if !e.Ended {
		e.Next = (math.Floor(looksPlanned*clock/plan) + 1) / looksPlanned * plan
	}
	return e
}
