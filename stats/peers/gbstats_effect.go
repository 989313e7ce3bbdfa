package peers

import "github.com/sluice-hq/sluice/stats"

// effect is the control mean and the difference of each value of a unit, one
// after the other, and their covariances: two numbers of a mean, four of a
// ratio.
type effect struct {
	mean []float64
	cov  [][]float64
}

func newEffect(values int) effect {
	e := effect{mean: make([]float64, 2*values), cov: make([][]float64, 2*values)}
	for i := range e.cov {
		e.cov[i] = make([]float64, 2*values)
	}
	return e
}

// weighted returns the effect over all strata, each weighted by its share of the
// units: the covariance is that within strata and that of the shares.
func weighted(cells []stats.Stratum) (effect, bool) {
	values, total := 1, 0.0
	if two(cells[0].Control.Kind) {
		values = 2
	}
	for _, c := range cells {
		total += float64(c.Control.N + c.Treatment.N)
	}
	all := newEffect(values)
	var shares []float64
	var means [][]float64
	for _, c := range cells {
		e, ok := within(c, values)
		if !ok || !sound(c) {
			return effect{}, false
		}
		share := float64(c.Control.N+c.Treatment.N) / total
		all.add(e, share)
		shares, means = append(shares, share), append(means, e.mean)
	}
	all.vary(shares, means, total)
	return all, true
}

// add adds a stratum with a share of the units.
func (e *effect) add(o effect, share float64) {
	for i := range e.mean {
		e.mean[i] += share * o.mean[i]
		for j := range e.mean {
			e.cov[i][j] += share * share * o.cov[i][j]
		}
	}
}

// vary adds that shares are those of a multinomial: (diag ν − νν')/n.
func (e *effect) vary(shares []float64, means [][]float64, n float64) {
	for i := range e.mean {
		for j := range e.mean {
			for k, share := range shares {
				e.cov[i][j] += share * (means[k][i] - e.mean[i]) * (means[k][j] - e.mean[j]) / n
			}
		}
	}
}

// within returns the effect of one stratum, adjusted by the past where it has a
// past that varies.
func within(s stats.Stratum, values int) (effect, bool) {
	if covariate(s.Control, s.Treatment) && !idle(s.Control) && !idle(s.Treatment) {
		return regressed(s, values)
	}
	e := newEffect(values)
	c, t := s.Control, s.Treatment
	for i := range values {
		e.mean[2*i], e.mean[2*i+1] = value(c, i), value(t, i)-value(c, i)
		for j := range values {
			vc, vt := covarianceOf(c, i, j)/float64(c.N), covarianceOf(t, i, j)/float64(t.N)
			e.set(i, j, vc, -vc, vc+vt)
		}
	}
	return e, true
}

// set sets the covariances of two values: of both controls, of control and
// difference, of both differences.
func (e *effect) set(i, j int, control, cross, diff float64) {
	e.cov[2*i][2*j], e.cov[2*i+1][2*j+1] = control, diff
	e.cov[2*i][2*j+1], e.cov[2*i+1][2*j] = cross, cross
}

// value returns the mean of one of the values of a unit.
func value(s stats.Sample, i int) float64 {
	if two(s.Kind) {
		return s.Joint.Means[i]
	}
	return s.Center()
}

func covarianceOf(s stats.Sample, i, j int) float64 {
	if two(s.Kind) {
		return s.Joint.Of(i, j) / float64(s.N-1)
	}
	return plainly(s).variance
}

// control returns the control mean, or the ratio of both.
func (e effect) control() float64 {
	if len(e.mean) == 2 {
		return e.mean[0]
	}
	if e.mean[2] == 0 {
		return 0
	}
	return e.mean[0] / e.mean[2]
}
