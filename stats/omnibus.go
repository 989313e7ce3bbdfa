package stats

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext"
)

// Omnibus is Wald's test that the effect is the same on all days, valid at one
// look.
type Omnibus struct {
	Q  float64 `json:"q"`
	DF int     `json:"df"`
	P  float64 `json:"p"`
	Doubt
}

const (
	methodOmnibus = "Wald's test of the differences between successive days, with the covariance of the units' own days"
	assumeAtOnce  = "valid at one look only, of some hundred units or more per arm"
)

// differing tests the differences of the effects of successive days. Their
// covariance is that of the units' values, so that units that are the same on
// all days count once.
func differing(strata []Days) Omnibus {
	o := Omnibus{P: 1, Doubt: Doubt{Method: methodOmnibus, Assumptions: []string{assumeAtOnce}}}
	k := len(strata[0].Control.Means)
	effect, variance, ok := dayEffects(strata)
	if !ok {
		o.Refused = refuse(TooFewUnits, "strata", "no stratum has two units or more in each arm")
		return o
	}
	step := mat.NewDense(k-1, k, nil)
	for d := range k - 1 {
		step.Set(d, d, -1)
		step.Set(d, d+1, 1)
	}
	var change mat.VecDense
	change.MulVec(step, effect)
	var half, full mat.Dense
	half.Mul(step, variance)
	full.Mul(&half, step.T())
	var c mat.Cholesky
	if !c.Factorize(symmetric(&full)) || c.Cond() > 1e12 {
		o.Refused = refuse(ZeroVariance, "days", "some days do not vary, or repeat others")
		return o
	}
	var solved mat.VecDense
	err := c.SolveVecTo(&solved, &change)
	q := mat.Dot(&change, &solved)
	if err != nil || !finite(q) {
		o.Refused = refuse(BadInput, "days", errRange.Error())
		return o
	}
	o.Q, o.DF = q, k-1
	o.P = mathext.GammaIncRegComp(float64(o.DF)/2, math.Max(0, q)/2)
	return o
}

// dayEffects returns the effects of the days and their covariance, each stratum
// weighted by its overlap.
func dayEffects(strata []Days) (effect *mat.VecDense, variance *mat.SymDense, ok bool) {
	k := len(strata[0].Control.Means)
	effect, variance = mat.NewVecDense(k, nil), mat.NewSymDense(k, nil)
	total := 0.0
	for _, s := range strata {
		total += s.weight()
	}
	if total == 0 {
		return effect, variance, false
	}
	for _, s := range strata {
		if w := s.weight() / total; w > 0 {
			s.addTo(effect, variance, w)
		}
	}
	return effect, variance, true
}

func (s Days) weight() float64 {
	nc, nt := float64(s.Control.N), float64(s.Treatment.N)
	return view{seen: min(nc, nt) >= 2, nc: nc, nt: nt}.overlap()
}

func (s Days) addTo(effect *mat.VecDense, variance *mat.SymDense, w float64) {
	for a := range s.Control.Means {
		effect.SetVec(a, effect.AtVec(a)+w*(s.Treatment.Means[a]-s.Control.Means[a]))
		for b := a; b < len(s.Control.Means); b++ {
			variance.SetSym(a, b, variance.At(a, b)+w*w*(s.Control.ofMean(a, b)+s.Treatment.ofMean(a, b)))
		}
	}
}

// ofMean returns the covariance of two means.
func (j Joint) ofMean(a, b int) float64 {
	n := float64(j.N)
	return j.Of(a, b) / (n - 1) / n
}

func symmetric(m *mat.Dense) *mat.SymDense {
	n, _ := m.Dims()
	s := mat.NewSymDense(n, nil)
	for a := range n {
		for b := a; b < n; b++ {
			s.SetSym(a, b, m.At(a, b))
		}
	}
	return s
}
