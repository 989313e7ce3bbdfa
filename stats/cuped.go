package stats

// What was known of a unit before its first exposure cannot be an effect of the
// change, so that the difference of the arms in it is chance, and what the
// outcome owes to it can be taken off ([CUPED]: Deng, Xu, Kohavi & Walker 2013,
// WSDM; Lin 2013, Ann. Appl. Stat. 7:295).
//
// With p the share of an arm among the units, the adjusted centers are those at
// the covariates' mean of both arms,
//
//	ȳ_t − θ_t·p_c (x̄_t − x̄_c)   and   ȳ_c − θ_c·p_t (x̄_c − x̄_t),
//
// linear in the units of both arms whatever θ is. Their variances and covariance
// below are exact for slopes that are given; that slopes are estimated costs the
// degrees of freedom and otherwise vanishes (Lin 2013, theorem 1). Slopes of an
// arm are one for all strata: those of a small stratum would be noise.

// lines is the slopes of both arms. Nil slopes adjust nothing.
type lines struct {
	control, treatment   []float64
	freeC, freeT         float64 // degrees of freedom of the arms, over the strata adjusted
	spentC, spentT, many int     // columns that each arm's slopes use; covariates of the samples
	one                  bool    // both arms have one, because one of them is few
}

// regressors is how many covariates a sample has. A ratio has one, the ratio
// before, unless that is known so poorly that it is biased: by more in the
// smaller arm.
func (s Sample) regressors() int {
	switch {
	case s.Joint == nil || s.Kind == KindQuantile:
		return 0
	case s.Kind == KindRatio || s.Kind == KindCluster:
		if len(s.Joint.Means) < 4 || s.N < 2 || !(s.Joint.known(3) <= 0.01) {
			return 0
		}
		return 1
	}
	return len(s.Joint.Means) - 1
}

// of reports whether the slopes are those of a stratum.
func (l lines) of(s Stratum) bool {
	return l.many > 0 && s.Control.regressors() == l.many && s.Treatment.regressors() == l.many
}

// fit returns the slopes of both arms over the strata that have covariates.
func (c Covariate) fit(strata []Stratum) lines {
	l := lines{many: covariates(strata)}
	if c == Unadjusted || l.many == 0 {
		return lines{}
	}
	l.one = c == "" && l.few(strata)
	if c == Pooled || l.one {
		both := newNormal(l.many)
		l.sum(both, strata, bothArms)
		l.control, l.spentC = both.solve()
		l.treatment, l.spentT = l.control, l.spentC
	} else {
		control, treatment := newNormal(l.many), newNormal(l.many)
		l.sum(control, strata, controlArm)
		l.sum(treatment, strata, treatmentArm)
		l.control, l.spentC = control.solve()
		l.treatment, l.spentT = treatment.solve()
	}
	for _, s := range strata {
		if s.estimable() && l.of(s) {
			l.freeC, l.freeT = l.freeC+float64(s.Control.N-1), l.freeT+float64(s.Treatment.N-1)
		}
	}
	if l.freeC-float64(l.spentC) < 1 || l.freeT-float64(l.spentT) < 1 {
		return lines{}
	}
	return l
}

// few reports whether an arm has too few units to have slopes of its own.
func (l lines) few(strata []Stratum) bool {
	var nc, nt int64
	for _, s := range strata {
		if s.estimable() && l.of(s) {
			nc, nt = nc+s.Control.N, nt+s.Treatment.N
		}
	}
	return min(nc, nt) < smallArm
}

// covariates returns how many covariates the samples have: those of the first
// stratum that can be adjusted.
func covariates(strata []Stratum) int {
	for _, s := range strata {
		if k := s.Control.regressors(); k > 0 && s.estimable() {
			return k
		}
	}
	return 0
}

// whose says which units a slope is of.
type whose int

const (
	controlArm whose = iota
	treatmentArm
	bothArms
)

// sum adds the normal equations of one slope over the strata.
func (l lines) sum(e *normalEquations, strata []Stratum, w whose) {
	for _, s := range strata {
		if s.estimable() && l.of(s) {
			e.add(s.regression(w))
		}
	}
}

func (s Stratum) regression(w whose) regression {
	switch w {
	case controlArm:
		return s.Control.regression()
	case treatmentArm:
		return s.Treatment.regression()
	}
	return s.together()
}

// adjust moves the centers of a stratum to the covariates' mean of both arms.
func (l lines) adjust(v *view, s Stratum) {
	c, t := s.Control.regression(), s.Treatment.regression()
	c.inflate(l.freeC, l.spentC)
	t.inflate(l.freeT, l.spentT)
	pc, pt := v.nc/(v.nc+v.nt), v.nt/(v.nc+v.nt)
	a, b, both := make([]float64, l.many), make([]float64, l.many), make([]float64, l.many)
	for i := range both {
		a[i], b[i] = pc*l.treatment[i], pt*l.control[i]
		both[i] = a[i] + b[i]
		v.yt -= a[i] * (t.x[i] - c.x[i])
		v.yc += b[i] * (t.x[i] - c.x[i])
	}
	v.vt = t.left(a)/v.nt + c.moved(a, a)/v.nc
	v.vc = c.left(b)/v.nc + t.moved(b, b)/v.nt
	v.shared = (t.along(b)-t.moved(a, b))/v.nt + (c.along(a)-c.moved(a, b))/v.nc
	v.ownc, v.ownt = c.left(both)/v.nc, t.left(both)/v.nt
	v.freec *= 1 - float64(l.spentC)/l.freeC // the slopes are spent once for all strata
	v.freet *= 1 - float64(l.spentT)/l.freeT
	v.adjusted, v.one, v.theta = true, l.one, both[0]
}
