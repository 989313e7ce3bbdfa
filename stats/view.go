package stats

// view is what a stratum says of both arms: where their centers are, how well
// they are known and what the two have in common. Everything that compares reads
// it and nothing else, so that an adjustment enters here once, for the
// intervals that people look at and for the tests of gates alike.
type view struct {
	seen       bool    // both arms have a center whose variance can be known
	nc, nt     float64 // units
	yc, yt     float64 // centers, adjusted
	rawc, rawt float64 // centers, as counted
	rawvc      float64 // variance of rawc
	rawvt      float64 // of rawt
	vc, vt     float64 // variances of yc and yt
	shared     float64 // covariance of yc and yt: each is adjusted by the units of both
	ownc, ownt float64 // the parts of the variance of yt−yc that each arm's units make
	freec      float64 // degrees of freedom of ownc
	freet      float64 // of ownt
	adjusted   bool    // by covariates
	one        bool    // both arms with one slope, because one of them is few
	theta      float64 // what the difference of the first covariate was multiplied by
}

// Covariate says how what was known of the units before adjusts a comparison.
type Covariate string

// The kinds of adjustment. The zero Covariate is ArmSpecific from 200 units an
// arm on. Below, slopes of so few promise more than they keep: what each of the
// units does to them would have to be known to correct for it (HC2 and HC3,
// MacKinnon & White 1985, J. Econometrics 29:305), which sums do not tell. Both
// arms take one slope then, and vary no less around it than the units of both.
const (
	ArmSpecific Covariate = "arm-specific" // each arm has slopes of its own (Lin 2013), however few its units are
	Pooled      Covariate = "pooled"       // one slope for both arms (Deng, Xu, Kohavi & Walker 2013)
	Unadjusted  Covariate = "none"         // the covariate is ignored
)

func (c Covariate) fault() *Refusal {
	switch c {
	case "", ArmSpecific, Pooled, Unadjusted:
		return nil
	}
	return refuse(BadInput, "covariate", "a covariate is arm-specific, pooled or none")
}

// views returns the view of every stratum, in their order. Slopes that would
// leave the effect known worse than it was counted are not used: those of one
// stratum need not fit where the covariate is of another size. With few units
// both are taken as noisy as the units of both arms are.
func views(strata []Stratum, c Covariate) []view {
	out := make([]view, len(strata))
	for i, s := range strata {
		out[i] = s.counted()
	}
	lines := c.fit(strata)
	if lines.many == 0 {
		return out
	}
	var raw, left float64
	adjusted := make([]view, len(strata))
	for i, s := range strata {
		adjusted[i] = out[i]
		if out[i].seen && lines.of(s) {
			lines.adjust(&adjusted[i], s)
		}
		counted := out[i]
		if adjusted[i].one {
			counted, adjusted[i] = counted.alike(), adjusted[i].alike()
		}
		w := out[i].overlap()
		raw += w * w * (counted.ownc + counted.ownt)
		left += w * w * (adjusted[i].ownc + adjusted[i].ownt)
	}
	if left <= raw {
		return adjusted
	}
	return out
}

// counted returns the view of a stratum without any adjustment.
func (s Stratum) counted() view {
	v := view{seen: s.estimable(), nc: float64(s.Control.N), nt: float64(s.Treatment.N)}
	if !v.seen {
		return v
	}
	v.yc, v.yt = s.Control.Center(), s.Treatment.Center()
	v.rawc, v.rawt = v.yc, v.yt
	v.vc, v.vt = s.Control.Variance()/v.nc, s.Treatment.Variance()/v.nt
	v.ownc, v.ownt, v.rawvc, v.rawvt = v.vc, v.vt, v.vc, v.vt
	v.freec, v.freet = v.nc-1, v.nt-1
	return v
}

// estimable reports whether both arms have a center whose variance can be
// known: two units each, and denominators or events where there are any.
func (s Stratum) estimable() bool { return s.Control.estimable() && s.Treatment.estimable() }

// overlap is the weight of a stratum, which has the least variance where both
// arms vary alike; one without a variance in each arm has none.
func (v view) overlap() float64 {
	if !v.seen {
		return 0
	}
	return v.nt / (v.nt + v.nc) * v.nc
}

// contrastVariance returns the variance of yt − r yc from those of its parts.
// What is left of large parts that cancel is rounding.
func contrastVariance(vt, vc, shared, r float64) float64 {
	v, of := vt-2*r*shared+r*r*vc, vt+r*r*vc
	if v <= 1e-13*of {
		return 0
	}
	return v
}

// separated returns the view of a stratum in which all of one arm and none of
// the other have an outcome: both estimates of the noise are 0, and that of
// their mixture stands in. A change that breaks everything must not lack a
// variance.
func (v view) separated(s Stratum) view {
	if v.vc+v.vt == 0 && v.seen && s.Control.Kind == KindProportion {
		both := s.Control.Merge(s.Treatment).Variance()
		v.vc, v.vt = both/v.nc, both/v.nt
		v.ownc, v.ownt, v.rawvc, v.rawvt = v.vc, v.vt, v.vc, v.vt
	}
	return v
}

// raw returns the variance of the difference as it was counted.
func (v view) raw() float64 { return v.rawvc + v.rawvt }
