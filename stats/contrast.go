package stats

// contrast is the overlap-weighted means of both arms and their variances.
type contrast struct {
	nc, nt     int64
	yc, yt     float64 // adjusted
	effect     float64 // yt−yc, added up as such: means of a billion would hide it
	rawc, rawt float64 // as counted
	vc, vt     float64 // variances of yc and yt
	shared     float64 // their covariance
	pooled     float64 // variance of yt−yc if both arms were one; proportions only
	free       float64 // Σ v²/df of Satterthwaite's degrees of freedom
	own        float64 // Σ v, the variance of yt−yc
	weight     float64 // of all strata: 0 when none has two units in each arm
	proportion bool    // that is tested as one: neither adjusted nor anything else
	thin       bool    // an arm has few units with, or without, the outcome
	constant   bool    // all values of one arm are equal
	rates      bool    // what is counted are proportions
	clusters   bool    // what is counted are clusters
	quotients  bool    // what is compared are ratios
	vanishing  bool    // the control mean is known so poorly that relative effects take Fieller's interval
	vague      bool    // the denominator of an arm is known poorly
	covered    bool    // a sample has covariates
	unequal    bool    // a linear model takes unequal variances for one
	cuped      *CUPED
}

func contrasted(strata []Stratum, c Covariate) contrast {
	kind, seen := strata[0].Control.Kind, views(strata, c)
	var arms accounts // whose reference are the units of both
	k := contrast{rates: kind == KindProportion, thin: thin(strata, seen), clusters: kind == KindCluster, covered: covered(strata)}
	k.quotients = k.clusters || kind == KindRatio
	k.cuped = cuped(seen, c)
	k.proportion = k.rates && !k.thin && k.cuped == nil
	for i, s := range strata {
		k.nc, k.nt = k.nc+s.Control.N, k.nt+s.Treatment.N
		k.weight += seen[i].overlap()
	}
	for i, s := range strata {
		if w := seen[i].overlap(); w > 0 {
			v := seen[i].separated(s)
			k.add(s, v, w/k.weight)
			arms.add(v, w/k.weight)
		}
	}
	k.yt = k.yc + k.effect
	k.lend(arms)
	return k
}

// lend adds what an arm that is few lacks.
func (k *contrast) lend(arms accounts) {
	control, treatment := arms.together(k.thin)
	k.constant = arms.constant()
	k.vc, k.vt, k.own = k.vc+control, k.vt+treatment, k.own+control+treatment
	if k.own > 0 {
		k.free += control*control/arms.control.free + treatment*treatment/arms.treatment.free
	}
}

func (k *contrast) add(s Stratum, v view, w float64) {
	k.vague = k.vague || s.Control.vague() || s.Treatment.vague()
	if k.proportion {
		v = v.published(s)
		both := s.Control.Merge(s.Treatment)
		k.pooled += w * w * spread(both) * (1/v.nc + 1/v.nt)
	}
	k.yc += w * v.yc
	k.effect += w * (v.yt - v.yc)
	k.rawc += w * v.rawc
	k.rawt += w * v.rawt
	w *= w
	k.vc, k.vt, k.shared = k.vc+w*v.vc, k.vt+w*v.vt, k.shared+w*v.shared
	k.own += w * (v.ownc + v.ownt)
	k.free += w*v.ownc*w*v.ownc/v.freec + w*v.ownt*w*v.ownt/v.freet
}

// against returns the variance of yt − r yc.
func (k contrast) against(r float64) float64 { return contrastVariance(k.vt, k.vc, k.shared, r) }

// spread is the variance of a proportion that published comparisons use,
// p(1−p).
func spread(s Sample) float64 {
	p := s.Center()
	return p * (1 - p)
}

// published returns the view of proportions with the variances of published
// comparisons.
func (v view) published(s Stratum) view {
	v.vc, v.vt = spread(s.Control)/v.nc, spread(s.Treatment)/v.nt
	v.ownc, v.ownt = v.vc, v.vt
	return v
}
