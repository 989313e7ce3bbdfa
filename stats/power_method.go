package stats

import (
	"math"

	"github.com/sluice-hq/sluice/stats/groupseq"
)

// looking is how a design draws its answer. It knows no units: what it needs is
// a shift of the test statistic, in standard errors.
type looking struct {
	inference Inference
	alpha     float64 // of the side that is looked for
	power     float64
	two       bool // sides
	looks     int
	bounded   groupseq.Boundary // of GroupSequential, over information up to 1
}

// test returns how the design draws its answer.
func (d Design) test() looking {
	l := looking{inference: d.Inference, alpha: d.Alpha, power: d.Power, two: d.Side == TwoSided, looks: d.Looks}
	if l.two {
		l.alpha /= 2
	}
	if l.inference == GroupSequential {
		l.bounded = l.spending()
	}
	return l
}

// spending is the bounds of looks that spend the error as O'Brien and Fleming's
// do [LD].
func (l looking) spending() groupseq.Boundary {
	b, err := groupseq.Design{Alpha: l.alpha, Information: groupseq.Equal(l.looks)}.Boundary()
	if err != nil {
		panic(err) // unreachable unless fault has let a design pass that has no looks or no error
	}
	return b
}

// power returns that with n units of control.
func (s signal) power(l looking, n float64) float64 {
	switch {
	case s.distance <= 0:
		return 0
	case l.inference == FixedHorizon:
		return s.fixed(l, n)
	}
	// A sequential test is compared with the fixed one of the same noise: what
	// that takes the null's noise for costs both the same share of units.
	za, zb := upper(l.alpha), upper(1-l.power)
	return l.crossing(s.shift(n) * (za + zb) / (za*s.null/s.truth + zb))
}

// fixed is the power of one look, of both tails where the test has two.
func (s signal) fixed(l looking, n float64) float64 {
	shift, df := s.shift(n), s.df(n)
	if df < 0 {
		return 0
	}
	critical := quantiles{alpha: l.alpha, df: df, side: Greater}.critical() * s.null / s.truth
	power := exceeding(critical, shift, df)
	if l.two {
		power += exceeding(critical, -shift, df)
	}
	return math.Min(1, power) // both parts are integrals, good to some 1e-10
}

// exceeding returns P(T > critical) of a noncentral t, by its definition as a
// normal over the root of a chi-square; of a normal where df is 0.
func exceeding(critical, shift, df float64) float64 {
	if df == 0 {
		return normal(shift - critical)
	}
	const steps = 400 // Simpson's rule is good to 1e-9 with them, for 3 degrees of freedom and more
	low, high := math.Max(0, 1-10/math.Sqrt(df)), 1+10/math.Sqrt(df)
	h := (high - low) / steps
	scale := math.Ln2 + df/2*math.Log(df/2) - logGamma(df/2)
	sum := 0.0
	for i := range steps + 1 {
		s := low + float64(i)*h
		f := math.Exp(scale+(df-1)*math.Log(s)-df*s*s/2) * normal(shift-critical*s)
		switch {
		case i == 0 && s == 0 && df > 1:
		case i == 0 && s == 0: // the density of the root of a chi-square with one degree of freedom does not vanish at 0
			sum += math.Exp(scale) * normal(shift)
		case i == 0 || i == steps:
			sum += f
		case i%2 == 1:
			sum += 4 * f
		default:
			sum += 2 * f
		}
	}
	return math.Min(1, sum*h/3)
}

// crossing returns the power of a test that looks more than once, or at any
// time, when the statistic is shifted so far at the end.
func (l looking) crossing(shift float64) float64 {
	switch {
	case l.inference == AlwaysValid && l.looks == 1:
		return l.once(shift)
	case l.inference == AlwaysValid:
		return l.reached(shift)
	}
	return l.bounded.Power(shift)
}

// process is tuned for the effect of the design: with information in units of
// 1/effect², which makes the shift the root of the information.
func (l looking) process() process {
	if l.two {
		return tuned(needed(1, 2*l.alpha, l.power), 2*l.alpha)
	}
	return tuned(needed(1, l.alpha, l.power), 2*l.alpha)
}

func (l looking) radius(information float64) float64 {
	if l.two {
		return l.process().radiusTwo(information, 2*l.alpha) / math.Sqrt(information)
	}
	return l.process().radiusOne(information, l.alpha) / math.Sqrt(information)
}

// once is the power of the band at the last look alone: of both sides.
func (l looking) once(shift float64) float64 {
	r := l.radius(shift * shift)
	if l.two {
		return normal(shift-r) + normal(-shift-r)
	}
	return normal(shift - r)
}

// reached is the power of the band over all of its looks.
func (l looking) reached(shift float64) float64 {
	at := groupseq.Equal(l.looks)
	z := make([]float64, len(at))
	for k := range z {
		z[k] = l.radius(shift * shift * at[k])
	}
	b, err := groupseq.Given(at, z, 1)
	if err != nil { // bounds so far out that nothing crosses them
		return 0
	}
	return b.Power(shift)
}

// inflation returns how much more information the test needs than one look.
func (l looking) inflation() float64 {
	if l.inference == FixedHorizon {
		return 1
	}
	one := upper(l.alpha) + upper(1-l.power)
	shift := root(one/2, 5*one, func(x float64) float64 { return l.crossing(x) - l.power })
	return shift * shift / (one * one)
}
