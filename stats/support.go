package stats

// fewOutcomes is how many units with, and how many without, the outcome an arm
// needs for its own estimate of the noise to be believed.
const fewOutcomes = 10

// support is how much noise both arms have by their own account, and by that of
// the units of both. An arm of which nobody happens to have a rare outcome, or
// all of whose values happen to be equal, seems to be known exactly; where it is
// the smaller one, chance would look like proof.
type support struct {
	vc, vt       float64 // variances of the centers, by their own account
	mc, mt       float64 // by that of the units of both arms
	freeC, freeT float64 // degrees of freedom of the former
	thin         bool    // a proportion has few units with, or without, the outcome
}

// supported returns the support of strata that count for nothing so far.
func supported(strata []Stratum, seen []view) support {
	if strata[0].Control.Kind != KindProportion {
		return support{}
	}
	var c, t Sample
	for i, s := range strata {
		if seen[i].seen {
			c.N, c.X = c.N+s.Control.N, c.X+s.Control.X
			t.N, t.X = t.N+s.Treatment.N, t.X+s.Treatment.X
		}
	}
	return support{thin: few(c) || few(t)}
}

func few(s Sample) bool { return min(s.X, s.N-s.X) < fewOutcomes }

// add adds a stratum of that weight.
func (p *support) add(v view, w float64) {
	w *= w
	p.vc, p.vt = p.vc+w*v.rawvc, p.vt+w*v.rawvt
	p.freeC, p.freeT = p.freeC+v.freec, p.freeT+v.freet
	within := (v.freec*v.rawvc*v.nc + v.freet*v.rawvt*v.nt) / (v.freec + v.freet)
	p.mc, p.mt = p.mc+w*within/v.nc, p.mt+w*within/v.nt
}

// constant reports whether all values of one arm alone are equal.
func (p support) constant() bool { return (p.vc == 0) != (p.vt == 0) }

// lacking returns what the variances of the centers lack: as much as the
// effect would vary more, were the noise of both arms that of all units.
func (p support) lacking() (control, treatment float64) {
	short := p.mc + p.mt - p.vc - p.vt
	if !(p.thin || p.constant()) || short <= 0 {
		return 0, 0
	}
	control, treatment = max(0, p.mc-p.vc), max(0, p.mt-p.vt)
	if both := control + treatment; both > 0 { // else short is rounding
		return short * control / both, short * treatment / both
	}
	return 0, 0
}
