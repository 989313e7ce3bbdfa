package stats

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// regression is the moments of a sample's value together with its covariates.
type regression struct {
	free float64   // n−1
	yy   float64   // variance of the value
	yx   []float64 // its covariances with the covariates
	xx   []float64 // those of the covariates, packed as in Joint
	x    []float64 // their means
}

// regression returns the moments of a sample that has covariates. Of a ratio
// both values are linearised.
func (s Sample) regression() regression {
	k, j := s.regressors(), s.Joint
	r := regression{free: float64(s.N - 1), yy: s.Variance()}
	if s.quotient() {
		before, now := RatioSample(j.before()), s.ratio()
		p, past := [2]float64{1 / j.Means[1], -now / j.Means[1]}, before.ratio()
		q := [2]float64{1 / j.Means[3], -past / j.Means[3]}
		var across float64
		for a := range 2 {
			for b := range 2 {
				across += p[a] * q[b] * j.Of(a, 2+b)
			}
		}
		r.yx, r.xx, r.x = []float64{across / r.free}, []float64{before.Variance()}, []float64{past}
		return r
	}
	r.x = j.Means[1:]
	both := make([]float64, 0, k+len(j.M))
	r.yx, r.xx = both[:0:k], both[k:k]
	for a := 1; a <= k; a++ {
		r.yx = append(r.yx, j.Of(0, a)/r.free)
		for b := a; b <= k; b++ {
			r.xx = append(r.xx, j.Of(a, b)/r.free)
		}
	}
	return r
}

// before returns the joint moments of numerator and denominator before first
// exposure.
func (j Joint) before() Joint {
	return Joint{N: j.N, Means: j.Means[2:4], M: []float64{j.Of(2, 2), j.Of(2, 3), j.Of(3, 3)}}
}

// together returns the moments of both arms as one, for the slope that both
// share. Ratios are linearised within each arm, and the arms count alike.
func (s Stratum) together() regression {
	if !s.Control.quotient() {
		both := s.Control.Joint.Merge(*s.Treatment.Joint)
		return Mean(both.Moments(0)).With(both).regression()
	}
	c, t := s.Control.regression(), s.Treatment.regression()
	c.free += t.free
	c.yx[0], c.xx[0] = (c.yx[0]+t.yx[0])/2, (c.xx[0]+t.xx[0])/2
	return c
}

// inflate makes up for the degrees of freedom that the slopes have used.
func (r *regression) inflate(free float64, spent int) {
	by := free / (free - float64(spent))
	r.yy *= by
	for i := range r.yx {
		r.yx[i] *= by
	}
	for i := range r.xx {
		r.xx[i] *= by
	}
}

// along returns the covariance of the value with a'x.
func (r regression) along(a []float64) float64 {
	var sum float64
	for i, slope := range a {
		sum += slope * r.yx[i]
	}
	return sum
}

// moved returns the covariance of a'x and b'x.
func (r regression) moved(a, b []float64) float64 {
	var sum float64
	for i, slope := range a {
		for j, other := range b {
			sum += slope * other * r.xx[packed(i, j, len(a))]
		}
	}
	return sum
}

// left returns the variance of y − a'x. What is left of parts that cancel is
// rounding.
func (r regression) left(a []float64) float64 {
	v := r.yy - 2*r.along(a) + r.moved(a, a)
	if v <= 1e-13*r.yy {
		return 0
	}
	return v
}

// normalEquations are those of one arm's slopes, summed over strata.
type normalEquations struct {
	free   float64
	yx, xx []float64
	large  []float64 // squared means, in whose light a variance may be rounding
}

func newNormal(k int) *normalEquations {
	return &normalEquations{yx: make([]float64, k), xx: make([]float64, k*(k+1)/2), large: make([]float64, k)}
}

func (e *normalEquations) add(r regression) {
	e.free += r.free
	for i := range e.yx {
		e.yx[i] += r.free * r.yx[i]
		e.large[i] += r.free * r.x[i] * r.x[i]
	}
	for i := range e.xx {
		e.xx[i] += r.free * r.xx[i]
	}
}

// worstCondition is how near to each other two covariates may be: beyond, the
// later one tells nothing of its own and its slope would be rounding.
const worstCondition = 1e8

// solve returns the slopes and how many are not 0 by construction. A covariate
// that does not vary has none.
func (e *normalEquations) solve() (slopes []float64, spent int) {
	k := len(e.yx)
	slopes = make([]float64, k)
	var kept []int
	for i := range k {
		if v := e.xx[packed(i, i, k)]; v > 1e-20*e.large[i] && v > 0 {
			kept = append(kept, i)
		}
	}
	for ; len(kept) > 0; kept = kept[:len(kept)-1] {
		if e.cholesky(kept, slopes) {
			return slopes, len(kept)
		}
	}
	return slopes, 0
}

// cholesky solves for the slopes of some covariates, in units of their standard
// deviations, so that the condition does not depend on what they are measured
// in.
func (e *normalEquations) cholesky(kept []int, slopes []float64) bool {
	k, m := len(e.yx), len(kept)
	sd := func(i int) float64 { return math.Sqrt(e.xx[packed(kept[i], kept[i], k)]) }
	switch m {
	case 1:
		slopes[kept[0]] = e.yx[kept[0]] / sd(0) / sd(0)
		return true
	case 2: // a value and whether there is none: what nearly every metric has
		r := e.xx[packed(kept[0], kept[1], k)] / sd(0) / sd(1)
		if 1+math.Abs(r) > worstCondition*(1-math.Abs(r)) {
			return false
		}
		a, b, det := e.yx[kept[0]]/sd(0), e.yx[kept[1]]/sd(1), (1-r)*(1+r)
		slopes[kept[0]], slopes[kept[1]] = (a-r*b)/det/sd(0), (b-r*a)/det/sd(1)
		return true
	}
	correlations, against := mat.NewSymDense(m, nil), mat.NewVecDense(m, nil)
	for i := range m {
		against.SetVec(i, e.yx[kept[i]]/sd(i))
		for j := i; j < m; j++ {
			correlations.SetSym(i, j, e.xx[packed(kept[i], kept[j], k)]/sd(i)/sd(j))
		}
	}
	var c mat.Cholesky
	if !c.Factorize(correlations) || c.Cond() > worstCondition {
		return false
	}
	var solved mat.VecDense
	if err := c.SolveVecTo(&solved, against); err != nil {
		return false
	}
	for i, at := range kept {
		slopes[at] = solved.AtVec(i) / sd(i)
	}
	return true
}
