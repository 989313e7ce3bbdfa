package stats

import "math"

const (
	methodLinear     = "anytime-valid linear model of the values on the arm and the stratum; "
	assumeOneNoise   = "values vary alike in both arms, and about normally: then the band is exact from the second unit on"
	warnUnequalNoise = "values vary more than twice as much in one arm as in the other, and the arms differ in size: a linear model takes both for one"
)

// linear returns the contrast of the linear model of the values on the arm and
// the stratum, whose noise is one variance [LHTB]. Values that are adjusted, or
// that are no values of units, keep the variances that they have; their degrees
// of freedom are Satterthwaite's.
func (k contrast) linear(strata []Stratum) contrast {
	if k.cuped != nil || strata[0].Control.Kind != KindProportion && strata[0].Control.Kind != KindMean {
		return k
	}
	var noise, df, control, treatment float64
	for _, s := range strata {
		if v := s.counted(); v.seen {
			w := v.overlap() / k.weight
			control, treatment = control+w*w/v.nc, treatment+w*w/v.nt
			noise += v.freec*v.vc*v.nc + v.freet*v.vt*v.nt
			df += v.freec + v.freet
		}
	}
	if noise == 0 { // all of one arm and none of the other
		return k
	}
	noise /= df
	k.unequal = k.nc != k.nt && math.Abs(math.Log(k.vc/control)-math.Log(k.vt/treatment)) > math.Ln2
	k.vc, k.vt, k.shared, k.proportion = noise*control, noise*treatment, 0, false
	k.own = k.vc + k.vt
	k.free = k.own * k.own / df
	return k
}

// exact fills in the band of the linear model. With so many units that t is
// normal there is none but that of always.
func (k contrast) exact(c *Comparison, o Options) {
	if c.DF == 0 {
		return
	}
	i := 1 / (c.SE * c.SE)
	s := o.process(i, float64(k.nc+k.nt)).at(i, c.DF)
	radius := 0.0
	switch o.Side {
	case TwoSided:
		c.LogE, radius = s.logTwo(c.Statistic), s.radiusTwo(o.Alpha)
	case Greater:
		c.LogE, radius = s.logOne(c.Statistic), s.radiusOne(o.Alpha)
	case Less:
		c.LogE, radius = s.logOne(-c.Statistic), s.radiusOne(o.Alpha)
	}
	c.BandP = math.Min(1, math.Exp(-c.LogE))
	c.Band = k.interval(c, o, radius)
	c.Method = methodLinear + c.Method
	c.Assumptions = append(c.Assumptions, assumeOneNoise)
	if k.unequal {
		c.warn(warnUnequalNoise)
	}
}
