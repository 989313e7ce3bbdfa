package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// gbCuped returns the difference of means that are adjusted by what was known
// before, with one slope for both arms [Deng, Xu, Kohavi & Walker 2013, section
// 3.2].
func (q question) gbCuped(control, treatment stats.Sample) (difference, []string, *stats.Refusal) {
	theta := slope(control, treatment)
	if theta == 0 {
		d, r := q.gbArms(plainly(control), plainly(treatment))
		return d, nil, r
	}
	c, t := adjusted(control, theta), adjusted(treatment, theta)
	if r := gbRefuses(c, t); r != nil {
		return difference{}, nil, r
	}
	d := absolute(c, t)
	d.cuped = d.explained(stats.Pooled, theta, theta*pastOf(control, treatment), [2]arm{plainly(control), plainly(treatment)})
	if !q.Relative {
		return d, nil, nil
	}
	d.estimate /= math.Abs(c.plain)
	d.se = math.Sqrt(gbCupedVariance(control, treatment, theta))
	return d, []string{warnGBSlope}, nil
}

// slope returns the slope of the value on the one before, of both arms as one.
// It is 0 where there is nothing to explain or nothing that explains.
func slope(control, treatment stats.Sample) float64 {
	both := control.Joint.Merge(*treatment.Joint)
	if both.Of(0, 0) <= 0 || both.Of(1, 1) <= 0 {
		return 0
	}
	return both.Of(0, 1) / both.Of(1, 1)
}

// adjusted returns the arm whose values lose what the past explains.
func adjusted(s stats.Sample, theta float64) arm {
	a, v := plainly(s), varianceOf(s)
	a.mean -= theta * s.Joint.Means[1]
	a.variance += theta*theta*v(1, 1) - 2*theta*v(0, 1)
	return a
}

// varianceOf returns the covariances of the values of one unit.
func varianceOf(s stats.Sample) func(a, b int) float64 {
	return func(a, b int) float64 { return s.Joint.Of(a, b) / divisor(s) }
}

// gbCupedVariance is frequentist_variance_relative_cuped of models/tests.py.
// Its gradient in the control mean is that of the plain ratio, −ȳt/ȳc², where
// that of the adjusted estimate is −1/ȳc−d/ȳc².
func gbCupedVariance(control, treatment stats.Sample, theta float64) float64 {
	c, t := varianceOf(control), varianceOf(treatment)
	yc, yt := control.Joint.Means[0], treatment.Joint.Means[0]
	g := -yt / yc
	vt := t(0, 0) + theta*theta*t(1, 1) - 2*theta*t(0, 1)
	vc := c(0, 0)*g*g + 2*theta*c(0, 1)*g + theta*theta*c(1, 1)
	return (vt/float64(treatment.N) + vc/float64(control.N)) / (yc * yc)
}

// gbCupedRatio returns the difference of ratios, each less theta times the ratio
// before [Deng et al. 2013, appendix B].
func (q question) gbCupedRatio(control, treatment stats.Sample) (difference, *stats.Refusal) {
	theta := ratioSlope(control, treatment)
	if math.Abs(theta) < 1e-8 {
		return q.gbArms(plainly(control), plainly(treatment))
	}
	c, t := adjustedRatio(control, theta), adjustedRatio(treatment, theta)
	if r := gbRefuses(c, t); r != nil {
		return difference{}, r
	}
	d := absolute(c, t)
	d.cuped = d.explained(stats.Pooled, theta, theta*pastOf(control, treatment), [2]arm{plainly(control), plainly(treatment)})
	if q.Relative {
		d.se = math.Sqrt(relativeRatioVariance(control, treatment, theta, d.estimate))
		d.estimate /= math.Abs(c.plain)
	}
	return d, nil
}

// gradient is what a ratio that loses theta times the ratio before changes by,
// for numerator, denominator, and both before.
func gradient(j *stats.Joint, theta float64) [4]float64 {
	m, d, m0, d0 := j.Means[0], j.Means[1], j.Means[2], j.Means[3]
	if d == 0 || d0 == 0 {
		return [4]float64{}
	}
	return [4]float64{1 / d, -m / (d * d), -theta / d0, theta * m0 / (d0 * d0)}
}

// form returns x'Λy over some of the four values, Λ being their covariances.
func form(j *stats.Joint, x, y [4]float64) float64 {
	sum := 0.0
	for a := range x {
		for b := range y {
			sum += x[a] * j.Of(a, b) * y[b]
		}
	}
	return sum / float64(j.N-1)
}

// ratioSlope returns the slope of the ratio on the ratio before, covariances and
// variances of both arms added without weights, as gbstats does.
func ratioSlope(control, treatment stats.Sample) float64 {
	explained, variance := 0.0, 0.0
	for _, s := range []stats.Sample{control, treatment} {
		g := gradient(s.Joint, 1)
		now, before := [4]float64{g[0], g[1]}, [4]float64{2: g[2], 3: g[3]}
		explained += form(s.Joint, before, now)
		variance += form(s.Joint, before, before)
	}
	if !(variance > 0) {
		return 0
	}
	return -explained / variance
}

func adjustedRatio(s stats.Sample, theta float64) arm {
	a := plainly(s)
	g := gradient(s.Joint, theta)
	a.variance = form(s.Joint, g, g)
	if d0 := s.Joint.Means[3]; d0 != 0 {
		a.mean -= theta * s.Joint.Means[2] / d0
	}
	return a
}

// relativeRatioVariance is frequentist_variance_relative_cuped_ratio of
// models/tests.py: what the control ratio changes is both the difference and
// what it is divided by.
func relativeRatioVariance(control, treatment stats.Sample, theta, diff float64) float64 {
	c := plainly(control).plain
	g, h := gradient(control.Joint, theta), gradient(treatment.Joint, theta)
	size := math.Abs(c)
	for i := range 2 {
		g[i] *= 1 + diff*math.Copysign(1, c)/size
	}
	vc := form(control.Joint, g, g) / float64(control.N)
	vt := form(treatment.Joint, h, h) / float64(treatment.N)
	return (vc + vt) / (c * c)
}
