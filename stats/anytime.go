package stats

import "math"

// process is a mixture e-process: evidence that may be looked at after every
// unit. It lives in information time, so that neither the mix of arms nor the
// order of stages moves it: S is a score with drift zero at the null, I its
// variance [WSR, eq. 9 and 134]. R is the information of the mixing normal: the
// smaller, the larger the effects that the process is sharpest for.
type process struct {
	R float64
}

// tuned returns the process that is sharpest when the information is at, for a
// two-sided test at alpha [WSR, eq. 161]. A one-sided test tunes at 2 alpha.
func tuned(at, alpha float64) process {
	l := -2 * math.Log(alpha)
	return process{R: at / (l + math.Log1p(l))}
}

// needed returns the information at which a one-sided test at alpha sees an
// effect of that size with the given power: ((z_{1−a} + z_{power})/size)².
func needed(size, alpha, power float64) float64 {
	z := (upper(alpha) + upper(1-power)) / size
	return math.Min(z*z, mostInformation)
}

// mostInformation is more than there ever is, and small enough that its square
// is a number: a size of 1e-320 is legal.
const mostInformation = 1e150

// logTwo returns the log e-value against a drift of zero.
func (p process) logTwo(s, i float64) float64 {
	return 0.5*math.Log(p.R/(p.R+i)) + s*s/(2*(p.R+i))
}

// logOne returns the log e-value against a drift of at most zero: the mixture
// is the positive half of the normal, so that no evidence comes from below.
func (p process) logOne(s, i float64) float64 {
	return math.Ln2 + p.logTwo(s, i) + logNormal(s/math.Sqrt(p.R+i))
}

// radiusTwo returns how far the score must be from zero, either way, for an
// e-value of 1/alpha.
func (p process) radiusTwo(i, alpha float64) float64 {
	return math.Sqrt((i + p.R) * math.Log((i+p.R)/(p.R*alpha*alpha)))
}

// radiusOne returns how far above zero the score must be for a one-sided
// e-value of 1/alpha. The log e-value grows and is convex in the score, so that
// Newton's steps down from the closed form [WSR, eq. 134], which is too far,
// arrive.
func (p process) radiusOne(i, alpha float64) float64 {
	sd := math.Sqrt(p.R + i)
	x := math.Sqrt(2 * math.Log1p(sd/math.Sqrt(p.R)/(2*alpha)))
	for range 50 {
		slope := x + math.Exp(-x*x/2-logNormal(x))/math.Sqrt(2*math.Pi)
		next := x - (p.logOne(x*sd, i)+math.Log(alpha))/slope
		if !(next < x) {
			break
		}
		x = next
	}
	return x * sd
}

// root returns where f, which is negative at low and not at high, turns: by the
// Illinois variant of false position, which takes some ten steps where
// bisection takes fifty.
func root(low, high float64, f func(float64) float64) float64 {
	below, above, last := f(low), f(high), low
	for range 100 {
		x := high - above*(high-low)/(above-below)
		if !(x > low && x < high) {
			break
		}
		y, rising := f(x), x > last
		if math.Abs(x-last) <= 1e-15*high {
			return x // the other end has not moved for some steps, and is none
		}
		last = x
		// Two steps that fall on one side leave the other where it is, unless
		// its value is taken for half as large.
		switch {
		case y >= 0 && rising:
			high, above = x, y
		case y >= 0:
			high, above, below = x, y, below/2
		case rising:
			low, below, above = x, y, above/2
		default:
			low, below = x, y
		}
	}
	if -below < above {
		return low
	}
	return high
}

// bisect returns where below turns from true to false between low and high, to
// the last bits of a float.
func bisect(low, high float64, below func(float64) bool) float64 {
	for range 200 {
		mid := low + (high-low)/2
		if mid == low || mid == high {
			break
		}
		if below(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low + (high-low)/2
}
