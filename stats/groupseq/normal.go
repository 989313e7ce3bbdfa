package groupseq

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// survival returns P(Z > x) of a standard normal Z, by the complementary error
// function: 1−Erf loses every digit by x = 9.
func survival(x float64) float64 { return 0.5 * math.Erfc(x/math.Sqrt2) }

// upper returns z with P(Z > z) = p.
func upper(p float64) float64 { return -distuv.UnitNormal.Quantile(p) }

// falling returns where f, which falls, passes from above zero to below it
// between low and high, by the method of Ridders (1979). It returns an end
// when f has one sign on both.
func falling(low, high float64, f func(float64) float64) float64 {
	at, end := f(low), f(high)
	switch {
	case at <= 0:
		return low
	case end >= 0:
		return high
	}
	for range 100 {
		mid := low + (high-low)/2
		y := f(mid)
		x := mid + (mid-low)*y/math.Sqrt(y*y-at*end)
		fx := f(x)
		switch {
		case fx == 0 || high-low < precision*(1+math.Abs(x)):
			return x
		case y > 0 && fx < 0:
			low, at, high, end = mid, y, x, fx
		case y < 0 && fx > 0:
			low, at, high, end = x, fx, mid, y
		case fx > 0:
			low, at = x, fx
		default:
			high, end = x, fx
		}
	}
	return low + (high-low)/2
}

const precision = 1e-11
