package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// survival returns P(Z > x) of a standard normal Z. It uses the complementary
// error function, because 1−Erf loses every digit by x = 9.
func survival(x float64) float64 { return 0.5 * math.Erfc(x/math.Sqrt2) }

// normal returns P(Z <= x).
func normal(x float64) float64 { return survival(-x) }

// density returns the standard normal density at x.
func density(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }

// upper returns z with P(Z > z) = p, for p in (0,1).
func upper(p float64) float64 { return -distuv.UnitNormal.Quantile(p) }

// logNormal returns log P(Z <= x), also where the probability underflows
// (below −37), by its asymptotic series there.
func logNormal(x float64) float64 {
	switch {
	case x > 5:
		return math.Log1p(-survival(x))
	case x > -35:
		return math.Log(normal(x))
	}
	q := 1 / (x * x)
	return -x*x/2 - math.Log(-x*math.Sqrt(2*math.Pi)) + math.Log1p(-q*(1-3*q*(1-5*q)))
}
