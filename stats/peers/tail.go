package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// tail is the distribution of a test statistic: Student's t, or the normal
// where df is 0.
type tail struct{ df float64 }

// above returns P(T > t), to full precision where it is small.
func (s tail) above(t float64) float64 {
	if s.df == 0 {
		return 0.5 * math.Erfc(t/math.Sqrt2)
	}
	p := 0.5 * mathext.RegIncBeta(s.df/2, 0.5, s.df/(s.df+t*t))
	if t < 0 {
		return 1 - p
	}
	return p
}

// upper returns t with P(T > t) = p.
func (s tail) upper(p float64) float64 {
	if s.df == 0 {
		return -distuv.UnitNormal.Quantile(p)
	}
	return -distuv.StudentsT{Mu: 0, Sigma: 1, Nu: s.df}.Quantile(p)
}

// p returns the p-value of a statistic for effects on a side.
func (s tail) p(t float64, side stats.Side) float64 {
	switch side {
	case stats.Greater:
		return s.above(t)
	case stats.Less:
		return s.above(-t)
	}
	return math.Min(1, 2*s.above(math.Abs(t)))
}

// critical returns what a statistic must reach for a p-value of alpha.
func (s tail) critical(alpha float64, side stats.Side) float64 {
	if side == stats.TwoSided {
		alpha /= 2
	}
	return s.upper(alpha)
}

// around returns the effects within a radius, with the side open that is not
// asked about.
func around(center, radius float64, side stats.Side) stats.Interval {
	i := stats.Interval{Low: center - radius, High: center + radius}
	switch side {
	case stats.Greater:
		i.High = math.Inf(1)
	case stats.Less:
		i.Low = math.Inf(-1)
	}
	return i
}
