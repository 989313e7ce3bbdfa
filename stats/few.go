package stats

import "math"

// Few units do not tell how little they vary. None of them may have the outcome
// that one in a hundred has, or be the one that buys for a thousand: then they
// vary least just when their mean is farthest off, and an effect that is divided
// by their own noise is taken for proof. One rule stands for it everywhere:
//
//	An arm that is few varies no less than a reference says.
//
// What few and the reference are depends on who asks:
//
//	gates, of proportions   always; the hypothesis that is tested (see counts)
//	gates, of other values  all of its values are equal, or it has fewer units than half
//	                        of the other arm and than the frozen variance was taken from;
//	                        the frozen variance
//	comparisons             fewer than ten units with, or without, the outcome in an arm, or
//	                        all values of one arm are equal; the units of both arms, as
//	                        far as the effect would vary more if both were like them
//	what is adjusted        fewer than 200 units in an arm; the units of both arms, which
//	                        then take one slope (see Covariate)
//
// Beside it, below 200 units in an arm, values take Student's t (see freedom).
const (
	fewOutcomes = 10  // units with, and units without, an outcome that an arm needs to be believed
	smallArm    = 200 // units that an arm needs for its variance to be taken as known
	lopsided    = 2   // by how much an arm is the smaller one to be judged by the frozen variance
)

// account is how much noise one arm has over the strata: by its own units, and
// by the reference.
type account struct {
	units  float64
	own    float64 // Σ w_k² Var, as its own units have it
	like   float64 // Σ w_k² Var, were they like the reference
	spread float64 // Σ (w_k² Var)²/df, of Satterthwaite's degrees of freedom
	free   float64 // Σ df
}

// add adds the units of a stratum, whose own variance is known to so many
// degrees of freedom.
func (a *account) add(units, own, like, df float64) {
	a.units += units
	a.own += own
	a.like += like
	a.free += df
	if df > 0 {
		a.spread += own * own / df
	}
}

// lend adds what an arm lacks; it is known no better than the rest.
func (a *account) lend(noise float64) {
	a.own += noise
	if a.free > 0 {
		a.spread += noise * noise / a.free
	}
}

// lacks is how much less the units vary by their own account.
func (a account) lacks() float64 { return math.Max(0, a.like-a.own) }

// few reports whether an arm is, beside another, to a gate whose reference was
// taken from so many units.
func (a account) few(beside account, units float64) bool {
	return a.own == 0 && beside.own > 0 || a.units < units && lopsided*a.units < beside.units
}

// accounts are those of both arms.
type accounts struct{ control, treatment account }

// beside returns what the arms lack beside a reference that was taken from so
// many units before: each arm by itself.
func (a accounts) beside(units float64) (control, treatment float64) {
	if a.control.own+a.treatment.own == 0 {
		return 0, 0
	}
	if a.control.few(a.treatment, units) {
		control = a.control.lacks()
	}
	if a.treatment.few(a.control, units) {
		treatment = a.treatment.lacks()
	}
	return control, treatment
}

// together returns what the arms lack beside the units of both, which they are
// themselves: as much as the effect would vary more, were all alike.
func (a accounts) together(thin bool) (control, treatment float64) {
	control, treatment = a.control.lacks(), a.treatment.lacks()
	both, short := control+treatment, a.control.like+a.treatment.like-a.control.own-a.treatment.own
	if !(thin || a.constant()) || short <= 0 || both == 0 {
		return 0, 0
	}
	return short * control / both, short * treatment / both
}

// constant reports whether all values of one arm alone are equal.
func (a accounts) constant() bool { return (a.control.own == 0) != (a.treatment.own == 0) }

// add adds a stratum of that weight, whose reference are the units of both arms.
func (a *accounts) add(v view, w float64) {
	w *= w
	all := (v.freec*v.rawvc*v.nc + v.freet*v.rawvt*v.nt) / (v.freec + v.freet)
	a.control.add(v.nc, w*v.rawvc, w*all/v.nc, v.freec)
	a.treatment.add(v.nt, w*v.rawvt, w*all/v.nt, v.freet)
}

// thin reports whether an arm has few units with, or without, the outcome of a
// proportion.
func thin(strata []Stratum, seen []view) bool {
	var c, t Sample
	for i, s := range strata {
		if s.Control.Kind == KindProportion && seen[i].seen {
			c.N, c.X = c.N+s.Control.N, c.X+s.Control.X
			t.N, t.X = t.N+s.Treatment.N, t.X+s.Treatment.X
		}
	}
	return c.N > 0 && min(c.X, c.N-c.X, t.X, t.N-t.X) < fewOutcomes
}

// alike returns the view of an adjusted stratum in which neither arm varies less
// around the slope than the units of both do.
func (v view) alike() view {
	all := (v.freec*v.ownc*v.nc + v.freet*v.ownt*v.nt) / (v.freec + v.freet)
	control, treatment := math.Max(0, all/v.nc-v.ownc), math.Max(0, all/v.nt-v.ownt)
	v.ownc, v.ownt = v.ownc+control, v.ownt+treatment
	v.vc, v.vt = v.vc+control, v.vt+treatment
	return v
}
