package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Student's t is taken from expansions around the normal from these degrees of
// freedom on. They are right to ten digits there, where the incomplete beta
// function loses its digits in differences of large logarithms, and its inverse
// its way: at 100,000 degrees and a tail of 1e-10 it answers 82 instead of 6.4.
// And they take a hundredth of the time.
const (
	fewDegrees  = 30   // below, the inverse of the incomplete beta function
	manyDegrees = 1000 // from here on expansions alone
)

// studentAbove returns P(T > t) of Student's T with nu degrees of freedom, to
// full precision in the upper tail.
func studentAbove(t, nu float64) float64 {
	if nu >= manyDegrees {
		return survival(deviate(t, nu))
	}
	tail := 0.5 * mathext.RegIncBeta(nu/2, 0.5, nu/(nu+t*t))
	if t < 0 {
		return 1 - tail
	}
	return tail
}

// deviate returns the standard normal deviate with the tail of t (Hill 1970,
// Algorithm 395, Communications of the ACM 13:617).
func deviate(t, nu float64) float64 {
	a := nu - 0.5
	b := 48 * a * a
	y := a * math.Log1p(t*t/nu)
	u := ((((-0.4*y-3.3)*y-24)*y-85.5)/(0.8*y*y+100+b)+y+3)/b + 1
	return math.Copysign(u*math.Sqrt(y), t)
}

// studentUpper returns t with P(T > t) = tail, for tails below a half.
func studentUpper(tail, nu float64) float64 {
	if nu < fewDegrees {
		return -distuv.StudentsT{Mu: 0, Sigma: 1, Nu: nu}.Quantile(tail)
	}
	t := expanded(upper(tail), nu)
	if nu < manyDegrees {
		for range 2 { // Newton's steps, of which the first leaves an error of its square
			t += (studentAbove(t, nu) - tail) / distuv.StudentsT{Mu: 0, Sigma: 1, Nu: nu}.Prob(t)
		}
	}
	return t
}

// expanded returns the t whose tail is that of the normal deviate z
// (Abramowitz & Stegun 1964, 26.7.5).
func expanded(z, nu float64) float64 {
	y := z * z
	g1 := z * (y + 1) / 4
	g2 := z * (3 + y*(16+y*5)) / 96
	g3 := z * (-15 + y*(17+y*(19+y*3))) / 384
	g4 := z * (-945 + y*(-1920+y*(1482+y*(776+y*79)))) / 92160
	return z + (g1+(g2+(g3+g4/nu)/nu)/nu)/nu
}
