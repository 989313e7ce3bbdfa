package peers

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
	"gonum.org/v1/gonum/mathext"
)

const (
	gbRatioAlpha  = 0.001 // p-value below which GrowthBook warns
	gbRatioMethod = "gbstats: chi-square"
	assumeOnce    = "the counts are looked at once"
	warnGBRatio   = "a test of one look: who looks every day has a false alarm an order of magnitude more often"
	warnGBLeak    = "units in an arm of weight 0 count among the units, and the arm among the degrees of freedom, but not in the statistic: such a leak hides"
)

// SampleRatio checks the units of the arms as check_srm of gbstats does
// (gbstats/utils.py of growthbook/growthbook 8f1db44, August 2026; later ones
// leave arms of weight 0 out); the other programs publish no formula of their own.
func SampleRatio(name Name, c stats.Counts) stats.SRM {
	m := stats.SRM{P: 1, FixedP: 1, Doubt: stats.Doubt{Method: gbRatioMethod, Assumptions: []string{assumeOnce}}}
	if name != GBStats {
		m.Refused = bad("compat", "the sample ratio is checked as gbstats does, or as stats does")
		return m
	}
	checked := stats.SampleRatio([]stats.Counts{c}, 0, 0)
	if m.Refused = checked.Refused; m.Refused != nil {
		return m
	}
	m.Warnings = []string{warnGBRatio}
	if m.Leaked = checked.Leaked; m.Leaked > 0 {
		m.Warnings = append(m.Warnings, warnGBLeak)
	}
	m.DF = len(c.Observed) - 1
	m.Statistic = chiSquare(c)
	m.FixedP = mathext.GammaIncRegComp(float64(m.DF)/2, m.Statistic/2)
	m.P = m.FixedP
	m.Alarm = m.P < gbRatioAlpha
	return m
}

// chiSquare sums over the arms with a weight, which expect their share of all
// units, 0 without units.
func chiSquare(c stats.Counts) float64 {
	var weights, units, sum float64
	for i, w := range c.Weights {
		weights, units = weights+w, units+float64(c.Observed[i])
	}
	for i, w := range c.Weights {
		if expected := w / weights * units; expected > 0 {
			sum += math.Pow(float64(c.Observed[i])-expected, 2) / expected
		}
	}
	return sum
}
