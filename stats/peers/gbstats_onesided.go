package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// gbstats has no e-value for one side. Its p-value is the error at which the
// interval's end is 0, looked for by halving the errors between two bounds until
// the end is within a millionth of 0, in whatever unit that is.
const (
	leastP     = 1e-5
	mostP      = 0.4999
	nearlyZero = 1e-6
	halvings   = 100

	warnGBUnfound = "gbstats gives no one-sided always-valid p-value (NUMERICAL_PVALUE_NOT_CONVERGED): 1 stands for it"
)

// oneSided adds the one-sided answer of every look.
func (s sequence) oneSided(c *stats.Comparison, q question) {
	c.Band = around(c.Estimate, s.radius(q.Alpha, q.Side)*c.SE, q.Side)
	var found bool
	if c.BandP, found = s.halved(c, q.Side); !found {
		c.Warnings = append(c.Warnings, warnGBUnfound)
	}
}

// halved is compute_p_value of SequentialOneSidedTreatmentLesserTTest.
func (s sequence) halved(c *stats.Comparison, side stats.Side) (p float64, found bool) {
	effect := c.Estimate
	if side == stats.Less {
		effect = -effect
	}
	end := func(alpha float64) float64 { return effect - s.radius(alpha, side)*c.SE }
	switch {
	case end(leastP) > 0:
		return leastP, true
	case end(mostP) < 0:
		return mostP, true
	}
	low, high := leastP, mostP
	for range halvings {
		p = 0.5 * (low + high)
		at := end(p)
		if at < 0 {
			low = p
		} else {
			high = p
		}
		if math.Abs(at) < nearlyZero {
			return 0.5 * (low + high), true
		}
	}
	return 1, false
}
