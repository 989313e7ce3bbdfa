package peers

import "github.com/sluice-hq/sluice/stats"

// regression is the least squares of the values of a unit on its arm and its
// past, one slope for both arms, as CreateStrataResultRegressionAdjusted of
// models/tests.py: one past of a mean, two of a ratio. It is written in
// deviations from the arms' means, which gives the same numbers without
// inverting sums of raw squares.
type regression struct {
	values  int
	s       stats.Stratum
	inverse [][]float64 // of the pasts' co-moments within arms
	slopes  [][]float64 // of each value on each past
}

func regressed(s stats.Stratum, values int) (effect, bool) {
	r := regression{values: values, s: s}
	var ok bool
	if r.inverse, ok = inverted(r.within(values, values)); !ok {
		return effect{}, false
	}
	r.slopes = product(r.within(0, values), r.inverse)
	return r.effect(), true
}

// within returns the co-moments within arms of as many values, from one on, with
// as many from another on.
func (r regression) within(from, to int) [][]float64 {
	m := square(r.values)
	for i := range m {
		for j := range m {
			m[i][j] = r.s.Control.Joint.Of(from+i, to+j) + r.s.Treatment.Joint.Of(from+i, to+j)
		}
	}
	return m
}

// effect returns the control means at the mean past of all units, the
// differences, and their covariances, all values of a kind varying alike in both
// arms (Σ ⊗ (X'X)⁻¹).
func (r regression) effect() effect {
	e := newEffect(r.values)
	c, t := r.s.Control.Joint, r.s.Treatment.Joint
	both := c.Merge(*t)
	far, apart := make([]float64, r.values), make([]float64, r.values)
	for k := range far {
		far[k] = both.Means[r.values+k] - c.Means[r.values+k]
		apart[k] = t.Means[r.values+k] - c.Means[r.values+k]
	}
	for i := range r.values {
		e.mean[2*i] = c.Means[i] + dot(r.slopes[i], far)
		e.mean[2*i+1] = t.Means[i] - c.Means[i] - dot(r.slopes[i], apart)
		for j := range r.values {
			r.vary(&e, i, j, [2][]float64{far, apart}, both)
		}
	}
	return e
}

// vary sets the covariances of two values. The mean past of all units varies
// too, and with it the control means.
func (r regression) vary(e *effect, i, j int, at [2][]float64, both stats.Joint) {
	nc, nt := float64(r.s.Control.N), float64(r.s.Treatment.N)
	far, apart := at[0], at[1]
	sigma := r.sigma(i, j, nc+nt)
	past := square(r.values)
	for k := range past {
		for l := range past {
			past[k][l] = both.Of(r.values+k, r.values+l) / (nc + nt - 1) / (nc + nt)
		}
	}
	control := sigma*(1/nc+between(far, r.inverse, far)+trace(r.inverse, past)) + between(r.slopes[i], past, r.slopes[j])
	e.set(i, j, control, -sigma*(1/nc+between(far, r.inverse, apart)), sigma*(1/nt+1/nc+between(apart, r.inverse, apart)))
}

// sigma returns the covariance of the residuals of two values. gbstats divides
// by n−3 for a mean and n−6 for a ratio.
func (r regression) sigma(i, j int, n float64) float64 {
	left := r.within(0, 0)[i][j] - between(r.slopes[i], r.within(r.values, r.values), r.slopes[j])
	return left / (n - 3*float64(r.values))
}

func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

// inverted returns the inverse of a symmetric matrix of one or two rows, unless
// it is as good as singular.
func inverted(m [][]float64) ([][]float64, bool) {
	if len(m) == 1 {
		return [][]float64{{1 / m[0][0]}}, m[0][0] > 0
	}
	det := m[0][0]*m[1][1] - m[0][1]*m[1][0]
	if !(det > 1e-12*m[0][0]*m[1][1]) {
		return nil, false
	}
	return [][]float64{{m[1][1] / det, -m[0][1] / det}, {-m[1][0] / det, m[0][0] / det}}, true
}

func product(a, b [][]float64) [][]float64 {
	m := square(len(a))
	for i := range m {
		for j := range m {
			for k := range m {
				m[i][j] += a[i][k] * b[k][j]
			}
		}
	}
	return m
}

func dot(x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += x[i] * y[i]
	}
	return sum
}

// between returns x'My.
func between(x []float64, m [][]float64, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += x[i] * dot(m[i], y)
	}
	return sum
}

func trace(a, b [][]float64) float64 {
	sum := 0.0
	for i := range a {
		sum += dot(a[i], b[i])
	}
	return sum
}
