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

// exact says that the band is that of the linear model. With so many units that
// t is normal there is none but the normal one.
func (k contrast) exact(c *Comparison) {
	if c.DF == 0 {
		return
	}
	c.Method = methodLinear + c.Method
	c.Assumptions = append(c.Assumptions, assumeOneNoise)
	if k.unequal {
		c.warn(warnUnequalNoise)
	}
}
