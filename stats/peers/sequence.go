package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// sequence is the confidence sequence of GrowthBook, PostHog and Eppo. It counts
// time in units of both arms, not in information, and is sharpest at a number
// of units that is a constant of the program [WSR, eq. 9, 134 and 155].
type sequence struct {
	n   float64 // units of both arms
	rho float64 // squared
}

// sequenceOf returns the sequence that is sharpest at a number of units [WSR,
// eq. 161]; a one-sided one is tuned with twice the error.
func sequenceOf(n, tuning float64, q question) sequence {
	alpha := q.Alpha
	if q.Side != stats.TwoSided {
		alpha *= 2
	}
	l := -2 * math.Log(alpha)
	return sequence{n: n, rho: (l + math.Log1p(l)) / tuning}
}

// radius returns how many standard errors the sequence reaches.
func (s sequence) radius(alpha float64, side stats.Side) float64 {
	k := s.n*s.rho + 1
	l := math.Log(math.Sqrt(k) / alpha)
	if side != stats.TwoSided {
		l = math.Log1p(math.Sqrt(k) / (2 * alpha))
	}
	return math.Sqrt(2 * k * l / (s.n * s.rho))
}

// logE returns the log e-value of a statistic in standard errors.
func (s sequence) logE(z float64) float64 {
	k := s.n*s.rho + 1
	return s.n*s.rho*z*z/(2*k) - 0.5*math.Log(k)
}

// band adds the two-sided answer of every look.
func (s sequence) band(c *stats.Comparison, q question) {
	c.LogE = s.logE(c.Statistic)
	c.BandP = math.Min(1, math.Exp(-c.LogE))
	c.Band = around(c.Estimate, s.radius(q.Alpha, q.Side)*c.SE, q.Side)
}
