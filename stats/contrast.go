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
	clusters   bool    // what is counted are clusters
	vague      bool    // the denominator of an arm is known poorly
	covered    bool    // a sample has covariates
	unequal    bool    // a linear model takes unequal variances for one
	cuped      *CUPED
}

func contrasted(strata []Stratum, c Covariate) contrast {
	kind, seen := strata[0].Control.Kind, views(strata, c)
	k := contrast{proportion: kind == KindProportion, clusters: kind == KindCluster, covered: covered(strata)}
	k.cuped = cuped(seen, c)
	k.proportion = k.proportion && k.cuped == nil
	for i, s := range strata {
		k.nc, k.nt = k.nc+s.Control.N, k.nt+s.Treatment.N
		k.weight += seen[i].overlap()
	}
	for i, s := range strata {
		if w := seen[i].overlap(); w > 0 {
			k.add(s, seen[i], w/k.weight)
		}
	}
	k.yt = k.yc + k.effect
	if k.vc+k.vt == 0 { // all of one arm and none of the other: both estimates of the noise are 0, their mixture is not
		k.vc, k.vt = k.pooled/2, k.pooled/2
	}
	return k
}

func (k *contrast) add(s Stratum, v view, w float64) {
	k.vague = k.vague || s.Control.vague() || s.Treatment.vague()
	if k.proportion {
		v = v.published(s)
		both := s.Control.Merge(s.Treatment)
		k.pooled += w * w * spread(both) * (1/v.nc + 1/v.nt)
		k.thin = k.thin || few(s.Control) || few(s.Treatment)
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

func few(s Sample) bool { return min(s.X, s.N-s.X) < 10 }

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
