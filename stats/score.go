package stats

import "math"

// FreezeUnits is how many units each arm needs before anything is frozen.
const FreezeUnits = 100

// freezeOutcomes is how many units with, and how many without, the outcome a
// proportion needs before its variance is frozen: it is then known to about
// 20 %. A variance frozen from one conversion in 200 units would put the clock
// wrong by a factor, and with it the information that a plan waits for.
const freezeOutcomes = 25

// Frozen is what the tests of one metric take from its first look and keep for
// the life of the plan, so that weights and plans never depend on later data.
// The margin itself is not among them: see yardstick.
type Frozen struct {
	Variance    float64 `json:"variance"`    // of one unit's value, within arms; 0 means nothing is frozen yet
	ControlMean float64 `json:"controlMean"` // its absolute value tells which effect in the metric's unit a relative one is planned as
	Doubt       float64 `json:"doubt"`       // relative standard error of ControlMean, 0 when that mean is 0
	Units       int64   `json:"units"`       // of both arms, at that look
}

// Freeze returns what the comparative tests freeze. ok is false until each arm
// has FreezeUnits units and their variance is known; callers ask at every look
// and keep the first answer.
func Freeze(strata []Stratum) (f Frozen, ok bool) {
	if fault(strata) != nil {
		return Frozen{}, false
	}
	control, treatment, cells := pooled(strata)
	if control.all.N < FreezeUnits || treatment.all.N < FreezeUnits {
		return Frozen{}, false
	}
	return cells.freeze(control)
}

// FreezeTreated returns what the tests of limits freeze, which have no
// control: the mean is that of the treated units.
func FreezeTreated(strata []Stratum) (f Frozen, ok bool) {
	var cells pool
	for _, s := range strata {
		if s.Treatment.fault("treatment") != nil {
			return Frozen{}, false
		}
		cells.add(s.Treatment, s.Treatment.Variance())
	}
	if cells.all.N < FreezeUnits {
		return Frozen{}, false
	}
	return cells.freeze(cells)
}

// pool collects the variance within samples, and the units of all of them.
type pool struct {
	all     Sample
	squares float64 // Σ (n−1) s²
	free    float64 // Σ (n−1)
}

// pooled returns the pools of both arms, and that of all units.
func pooled(strata []Stratum) (control, treatment, cells pool) {
	for i, v := range views(strata, "") {
		s := strata[i]
		vc, vt := v.separated(s).within(s)
		control.add(s.Control, vc)
		treatment.add(s.Treatment, vt)
		cells.add(s.Control, vc)
		cells.add(s.Treatment, vt)
	}
	return control, treatment, cells
}

// within returns the variances of a unit's value in each arm, as far as
// covariates do not explain it.
func (v view) within(s Stratum) (control, treatment float64) {
	if !v.seen {
		return s.Control.Variance(), s.Treatment.Variance()
	}
	return v.ownc * v.nc, v.ownt * v.nt
}

func (p *pool) add(s Sample, variance float64) {
	if s.estimable() {
		p.squares += float64(s.N-1) * variance
		p.free += float64(s.N - 1)
	}
	p.all = p.all.Merge(s)
}

// freeze returns what is frozen beside the mean of the base, once the variance
// is known well enough.
func (p *pool) freeze(base pool) (Frozen, bool) {
	if p.all.Kind == KindProportion && min(p.all.X, p.all.N-p.all.X) < freezeOutcomes {
		return Frozen{}, false
	}
	if f := p.frozen(base); f.Variance > 0 {
		return f, true
	}
	return Frozen{}, false
}

func (p *pool) frozen(base pool) Frozen {
	f := Frozen{Variance: p.squares / p.free, ControlMean: base.all.Center(), Units: p.all.N}
	if f.ControlMean != 0 {
		f.Doubt = math.Sqrt(base.variance()/float64(base.all.N)) / math.Abs(f.ControlMean)
	}
	return f
}

// variance returns that of a value of the pool. The quantile of many samples
// has lost what it was counted from; that within the samples stands in.
func (p pool) variance() float64 {
	if p.all.Kind == KindQuantile && p.free > 0 {
		return p.squares / p.free
	}
	return p.all.Variance()
}

// score is a stratified score S = Σ w_k d_k of the differences d_k of the strata,
// with w_k = n_t n_c/(n s²), s² frozen. Its clock V = Σ w_k² Var(d_k) grows with
// the data; 1/SE² of strata that are weighted anew at every look may shrink.
//
// DF and W are of the t version, which few units take: the degrees of freedom of
// V, and the clock that the frozen variance gives, which V estimates. DF is 0
// for the normal version.
type score struct {
	S, V  float64
	W, DF float64
}

// mirrored returns the score of the opposite question.
func (t score) mirrored() score {
	t.S = -t.S
	return t
}

// z returns the score in standard errors, as unlikely as it is.
func (t score) z() float64 { return normalized(t.t(), t.DF) }

// t returns the score in standard errors. Few units may vary by chance less
// than they do, or not at all: 150 of which none has an outcome of 1 %. Then the
// frozen variance stands in, where it is the larger.
func (t score) t() float64 {
	if t.S == 0 { // the hypothesis may leave no noise to divide it by
		return 0
	}
	if t.DF == 0 {
		return t.S / math.Sqrt(t.V)
	}
	return t.S / math.Sqrt(math.Max(t.V, t.W))
}

// tally holds what the scores of an effect are made of, whatever the size
// that the effect is compared with.
type tally struct {
	effect    float64  // Σ w_k (ȳ_t − ȳ_c)
	control   float64  // Σ w_k ȳ_c
	weight    float64  // Σ w_k
	treatment float64  // Σ w_k² Var(ȳ_t), the treated units' part of the clock
	noise     float64  // Σ w_k² Var(ȳ_c)
	shared    float64  // Σ w_k² Cov(ȳ_t, ȳ_c), of arms that are adjusted by the units of both
	arms      accounts // whose reference is the frozen variance
	counts    []counts // of proportions alone, whose clock is that of the hypothesis
}

// tallied returns the tally of the strata that are estimable; one that is not
// has no variance yet and waits. Proportions that are not adjusted have the
// variance of the hypothesis, so that few units need no degrees of freedom.
func tallied(strata []Stratum, f Frozen) tally {
	var t tally
	adjusted := false
	for i, v := range views(strata, "") {
		if !v.seen {
			continue
		}
		adjusted = adjusted || v.adjusted
		v = v.separated(strata[i])
		w := v.overlap() / f.Variance
		t.effect += w * (v.yt - v.yc)
		t.control += w * v.yc
		t.weight += w
		t.treatment += w * w * v.vt
		t.noise += w * w * v.vc
		t.shared += w * w * v.shared
		t.arms.treatment.add(v.nt, w*w*v.vt, w*w*f.Variance/v.nt, v.freet)
		t.arms.control.add(v.nc, w*w*v.vc, w*w*f.Variance/v.nc, v.freec)
		if strata[i].Control.Kind == KindProportion {
			t.counts = append(t.counts, v.counts(strata[i], w))
		}
	}
	switch {
	case t.counts == nil:
		t.lend(float64(f.Units))
	case !adjusted:
		t.arms = accounts{}
	}
	return t
}

// lend adds what an arm that is few lacks beside the frozen variance, which was
// taken from so many units.
func (t *tally) lend(units float64) {
	control, treatment := t.arms.beside(units)
	t.noise, t.treatment = t.noise+control, t.treatment+treatment
	t.arms.control.lend(control)
	t.arms.treatment.lend(treatment)
}

// against returns the score of "there is no effect", or of the level itself.
func (t tally) against(x float64) score { return yardstick{tally: t}.against(x) }

// level is the tally of the treated units with nothing, for limits: w_k =
// n_t/s².
func level(strata []Stratum, f Frozen) tally {
	var t tally
	for _, s := range strata {
		if !s.Treatment.estimable() {
			continue
		}
		n := float64(s.Treatment.N)
		w := n / f.Variance
		t.effect += w * s.Treatment.Center()
		t.weight += w
		t.treatment += w * w * s.Treatment.Variance() / n
		if s.Treatment.Kind == KindProportion {
			t.counts = append(t.counts, counts{xt: float64(s.Treatment.X), nt: n, squared: w * w, vt: s.Treatment.Variance() / n})
			continue
		}
		t.arms.treatment.add(n, w*w*s.Treatment.Variance()/n, w*w*f.Variance/n, n-1)
	}
	return t
}
