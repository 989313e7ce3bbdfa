package stats

// The overlap-weighted effect is known best and is what gates ask; it counts a
// stratum by what it can tell. The effect on the units that there are counts
// each stratum by its units ([MSY]: Miratrix, Sekhon & Yu 2013, J. R. Stat. Soc.
// B 75:369). Where effects differ between strata the two differ, and both are
// shown.

// PostStratified is the effect with every stratum weighted by its units.
type PostStratified struct {
	Estimate float64  `json:"estimate"` // on the scale of the comparison
	SE       float64  `json:"se"`       // robust: arms and strata have variances of their own
	Fixed    Interval `json:"fixed"`    // valid at one look
	P        float64  `json:"p"`        // valid at one look
	Strata   int      `json:"strata"`   // that it is made of
	Left     int64    `json:"left"`     // units of strata that lack an arm, which it says nothing of
}

// poststratified returns the effect over the strata as populous as they are, nil
// below two of them.
func poststratified(strata []Stratum, o Options) *PostStratified {
	cells, left := gathered(strata)
	if len(cells) < 2 {
		return nil
	}
	k := populous(cells, o.Covariate)
	c := Comparison{Relative: o.Relative}
	if k.fault(o) != nil {
		return nil
	}
	if k.fixed(&c, o); c.Refused != nil || !finite(c.Estimate) || !finite(c.SE) {
		return nil
	}
	return &PostStratified{Estimate: c.Estimate, SE: c.SE, Fixed: c.Fixed, P: c.P, Strata: len(cells), Left: left}
}

// gathered returns the strata that are estimable, with those that are too thin
// taken together with the largest of the same epoch and stage: only there the
// mixture of arms is the same. Units of others are left out, and counted.
func gathered(strata []Stratum) (cells []Stratum, left int64) {
	type mixture struct {
		epoch int
		stage string
	}
	largest := map[mixture]int{}
	for _, s := range strata {
		if !s.estimable() {
			continue
		}
		at := mixture{s.Epoch, s.Stage}
		if i, ok := largest[at]; !ok || s.units() > cells[i].units() {
			largest[at] = len(cells)
		}
		cells = append(cells, s)
	}
	for _, s := range strata {
		if s.estimable() {
			continue
		}
		i, ok := largest[mixture{s.Epoch, s.Stage}]
		if !ok || s.Control.Kind == KindQuantile { // what was counted below another quantile adds up to nothing
			left += s.units()
			continue
		}
		cells[i].Control, cells[i].Treatment = cells[i].Control.Merge(s.Control), cells[i].Treatment.Merge(s.Treatment)
	}
	return cells, left
}

func (s Stratum) units() int64 { return s.Control.N + s.Treatment.N }

// populous returns the contrast of the means over all units. Beside what units
// vary within strata it holds what the strata's own shares vary by chance
// [MSY, section 2].
func populous(cells []Stratum, c Covariate) contrast {
	var n float64
	for _, s := range cells {
		n += float64(s.units())
	}
	seen := views(cells, c)
	if cells[0].Control.quotient() {
		seen = quotients(cells, n)
	}
	k := contrast{weight: 1}
	for i, s := range cells {
		k.nc, k.nt = k.nc+s.Control.N, k.nt+s.Treatment.N
		k.add(s, seen[i], (seen[i].nc+seen[i].nt)/n)
	}
	k.yt = k.yc + k.effect
	k.between(seen, n)
	return k
}

// between adds the variance of the strata's shares, Σ ν (μ−μ̄)(μ−μ̄)'/n.
func (k *contrast) between(seen []view, n float64) {
	for _, v := range seen {
		w := (v.nc + v.nt) / n / n
		dc, dt := v.yc-k.yc, v.yt-k.yt
		k.vc += w * dc * dc
		k.vt += w * dt * dt
		k.shared += w * dc * dt
	}
}

// quotients returns the views of ratios over all units: numerators and
// denominators are weighted each, and the ratio of all is linearised.
func quotients(cells []Stratum, n float64) []view {
	var c, t whole
	for _, s := range cells {
		w := float64(s.units()) / n
		c.add(s.Control, w)
		t.add(s.Treatment, w)
	}
	out := make([]view, len(cells))
	for i, s := range cells {
		v := s.counted()
		v.yc, v.vc = c.linear(s.Control)
		v.yt, v.vt = t.linear(s.Treatment)
		v.ownc, v.ownt = v.vc, v.vt
		out[i] = v
	}
	return out
}

// whole is the mean numerator and denominator of an arm over its strata.
type whole struct{ numerator, denominator float64 }

func (w *whole) add(s Sample, share float64) {
	w.numerator += share * s.Joint.Means[0]
	w.denominator += share * s.Joint.Means[1]
}

// linear returns what a stratum adds to the arm's ratio, and its variance.
func (w whole) linear(s Sample) (center, variance float64) {
	j, r, d := s.Joint, w.numerator/w.denominator, w.denominator
	spread := (j.Of(0, 0) - 2*r*j.Of(0, 1) + r*r*j.Of(1, 1)) / float64(s.N-1)
	return r + (j.Means[0]-r*j.Means[1])/d, max(spread, 0) / (d * d) / float64(s.N)
}
