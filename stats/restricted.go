package stats

import "math"

// counts is what a stratum counted of a proportion, for the variance that its
// contrast has where a hypothesis holds. The variance of the sample is no
// measure of noise in units that have few outcomes: p(1−p) is smallest just
// when p is low by chance, and a score that is divided by it calls that chance
// harm. Under the hypothesis the many units of the other arm tell how many
// outcomes the few had to expect.
type counts struct {
	xc, nc, xt, nt float64
	squared        float64 // w², the weight of the stratum in the score
	vc, vt         float64 // variances of the sample, for hypotheses that no proportions meet
	leftc, leftt   float64 // share of a unit's variance that covariates leave, 1 without
	addc, addt     float64 // variance that comes from the covariates' means
	shared         float64 // covariance of the adjusted centers
}

// counts returns what a view of proportions has counted.
func (v view) counts(s Stratum, w float64) counts {
	c := counts{xc: float64(s.Control.X), nc: v.nc, xt: float64(s.Treatment.X), nt: v.nt, squared: w * w,
		vc: v.vc, vt: v.vt, leftc: 1, leftt: 1}
	if v.adjusted {
		c.leftc, c.leftt = v.left(s)
		c.addc, c.addt, c.shared = v.vc-v.ownc, v.vt-v.ownt, v.shared
	}
	return c
}

// left returns the shares of the variance in each arm that covariates leave. An
// arm with few outcomes knows its share poorly: that of both arms is the least
// that it is taken for.
func (v view) left(s Stratum) (control, treatment float64) {
	rawc, rawt := s.Control.Variance(), s.Treatment.Variance()
	ownc, ownt := v.within(s)
	both := portion((v.nc-1)*ownc+(v.nt-1)*ownt, (v.nc-1)*rawc+(v.nt-1)*rawt)
	return max(portion(ownc, rawc), both), max(portion(ownt, rawt), both)
}

// portion is what part is of whole; nothing is no part of anything.
func portion(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

// ratio returns the part of the clock that the stratum has if the treated
// proportion is r times control's.
func (c counts) ratio(r float64) float64 {
	if r <= 0 {
		return c.squared * contrastVariance(c.vt, c.vc, c.shared, r)
	}
	pc := c.inRatio(r)
	return c.clock(pc, math.Min(r*pc, 1), r)
}

// difference is the same if it exceeds control's by d.
func (c counts) difference(d float64) float64 {
	if !(math.Abs(d) < 1) {
		return c.squared * contrastVariance(c.vt, c.vc, c.shared, 1)
	}
	if d == 0 {
		return c.ratio(1)
	}
	pc := c.apart(d)
	return c.clock(pc, pc+d, 1)
}

// clock is w² Var(ȳ_t − r ȳ_c) of those proportions, with the N/(N−1) of
// Miettinen & Nurminen.
func (c counts) clock(pc, pt, r float64) float64 {
	n := c.nc + c.nt
	vt := c.leftt*pt*(1-pt)/c.nt*n/(n-1) + c.addt
	vc := c.leftc*pc*(1-pc)/c.nc*n/(n-1) + c.addc
	return c.squared * contrastVariance(vt, vc, c.shared, r)
}

// inRatio returns the likeliest proportion of control whose r-fold is the
// treated one (Miettinen & Nurminen 1985, Statistics in Medicine 4:213, eq. 12):
// the smaller root of a quadratic, whose discriminant is written here as a sum
// of what is never negative.
func (c counts) inRatio(r float64) float64 {
	a, b := c.nc+c.xt, r*(c.nt+c.xc)
	root := math.Sqrt((a-b)*(a-b) + 4*r*(c.nc-c.xc)*(c.nt-c.xt))
	return math.Min(2*(c.xc+c.xt)/(a+b+root), 1)
}

// apart returns the likeliest proportion of control that the treated one
// exceeds by d (Farrington & Manning 1990, Statistics in Medicine 9:1447). The
// slope of the likelihood falls from end to end; where it is 0 is found by
// halves, because the closed form of the cubic loses a small proportion in
// rounding.
func (c counts) apart(d float64) float64 {
	return bisect(math.Max(0, -d), math.Min(1, 1-d), func(p float64) bool {
		q := p + d
		return (c.xc-c.nc*p)*q*(1-q)+(c.xt-c.nt*q)*p*(1-p) > 0
	})
}

// atMargin returns the likeliest proportions where the treated one is r times
// control's, or exceeds it by x where r is 1.
func (c counts) atMargin(x, r float64) (control, treatment float64) {
	if r == 1 {
		control = c.apart(x)
		return control, control + x
	}
	control = c.inRatio(r)
	return control, math.Min(r*control, 1)
}

// alone returns the part of the clock of treated units with nothing, if their
// proportion is p.
func (c counts) alone(p float64) float64 {
	if !(p > 0 && p < 1) {
		return c.squared * c.vt
	}
	return c.squared * p * (1 - p) / c.nt
}

// least is the part of the clock that the treated units have at least: that of
// half an outcome more, and half one less, than were counted.
func (c counts) least() float64 {
	p := (c.xt + 0.5) / (c.nt + 1)
	return c.squared * p * (1 - p) / c.nt
}
