package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// student is the mixture e-process of a t statistic: what process is of a score
// whose variance is known, for few units whose variance is estimated beside it.
// It is exact at every look for values of normal noise with one variance
// [LHTB, theorem 3.2]. R is φ/(φ+z²) there, the mixing information as a share
// of what there is then; as DF grows it becomes process.
type student struct {
	R  float64
	DF float64
}

// at returns the e-process of a t statistic when there is so much information,
// in the unit of R. The information must not depend on the estimated variance.
func (p process) at(information, df float64) student {
	return student{R: p.R / (p.R + information), DF: df}
}

// logTwo returns the log e-value against an effect of zero.
func (s student) logTwo(t float64) float64 {
	return 0.5*math.Log(s.R) + 0.5*(s.DF+1)*(math.Log1p(t*t/s.DF)-math.Log1p(s.R*t*t/s.DF))
}

// logOne returns the log e-value against an effect of at most zero. The mixture
// is the positive half of that of logTwo, so that its e-value is twice that
// one times the posterior probability of the half. A worse effect lowers t at
// every look, and the e-value grows with t: below zero it is the smaller.
func (s student) logOne(t float64) float64 {
	posterior := t * math.Sqrt((1-s.R)*(s.DF+1)/(s.DF+s.R*t*t))
	return math.Ln2 + s.logTwo(t) + logStudent(posterior, s.DF+1)
}

// radiusTwo returns the t statistic, either way, of an e-value of 1/alpha:
// infinite where no statistic of so few units has that.
func (s student) radiusTwo(alpha float64) float64 {
	// The exponent is near 0 with many units, so that 1−q and q−R are taken from
	// its logarithm.
	log := math.Log(s.R*alpha*alpha) / (s.DF + 1)
	left := math.Exp(log) - s.R
	if left <= 0 {
		return math.Inf(1)
	}
	return math.Sqrt(s.DF * -math.Expm1(log) / left)
}

// radiusOne returns the t statistic of a one-sided e-value of 1/alpha.
func (s student) radiusOne(alpha float64) float64 {
	excess := func(t float64) float64 { return s.logOne(t) + math.Log(alpha) }
	low := s.radiusTwo(2 * alpha) // an e-value of the half is at most twice that of the whole
	if math.IsInf(low, 1) {
		return low
	}
	for high := 2 * low; high < farthestT; high *= 2 {
		if excess(high) >= 0 {
			return root(low, high, excess)
		}
	}
	return math.Inf(1)
}

// farthestT is a t statistic that stands for none.
const farthestT = 1e9

// nearlyNormal is how many degrees of freedom a t distribution needs to be
// taken for a normal one.
const nearlyNormal = 1e7

// logStudent returns log P(T <= x) of Student's t, also where the probability
// underflows.
func logStudent(x, df float64) float64 {
	switch {
	case df >= nearlyNormal:
		return logNormal(x)
	case x > 0:
		return math.Log1p(-0.5 * mathext.RegIncBeta(df/2, 0.5, df/(df+x*x)))
	}
	return logBetaBelow(df/(df+x*x), df/2, 0.5) - math.Ln2
}

// normalized returns the z statistic that is as unlikely as t: what bounds for z
// judge when the variance is that of few units [JT, section 3.8].
func normalized(t, df float64) float64 {
	switch {
	case df == 0 || df >= nearlyNormal:
		return t
	case t > 0:
		return -normalized(-t, df)
	}
	p := math.Exp(logStudent(t, df))
	if p < 1e-300 {
		return t * math.Sqrt(math.Log1p(t*t/df)*df/(t*t)) // Wallace 1959: where no float holds the probability
	}
	return distuv.UnitNormal.Quantile(p)
}

// denormalized returns the t statistic that is as unlikely as z.
func denormalized(z, df float64) float64 {
	if df == 0 {
		return z
	}
	high := z
	for normalized(high, df) < z {
		if high *= 2; high > farthestT {
			return math.Inf(1)
		}
	}
	return bisect(0, high, func(t float64) bool { return normalized(t, df) < z })
}
