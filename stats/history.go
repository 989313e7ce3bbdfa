package stats

import "math"

// Past is one comparison of the past: its relative effect, and how well that
// was known.
type Past struct {
	Effect float64 `json:"effect"` // as a share of the control mean
	SE     float64 `json:"se"`
}

const (
	firstSD      = 0.3 // of relative effects where nothing is known: what GrowthBook takes by default
	firstWeighs  = 10  // past comparisons that the first guess is worth
	methodMoment = "variance of past effects beyond their errors, weighted by how well each is known, shrunk towards a first guess of 30 %"
	assumeHabit  = "the effect is one of a kind with those of the past, which are all there and not a choice of them"
	mostEffect   = 1e6 // beyond it, a relative effect is that of a control mean of nearly 0
	warnLeftOut  = "comparisons without an effect or an error, or with one of a millionfold, are left out"
	warnHistory  = "fewer than ten past comparisons: the prior is mostly the first guess"
)

// HistoryPrior returns the prior that the own past supports: centred at no
// effect, as wide as past effects were beyond what their errors explain. Each
// weighs by how well its excess is known under the first guess; equally, one
// effect of 1500 ± 1000 % would be the prior. Few comparisons say little, so that
// the variance is shrunk towards a first guess that weighs ten of them; it is
// therefore never 0, and without a past it is the first guess.
func HistoryPrior(past []Past) (Prior, Doubt) {
	doubt := Doubt{Method: methodMoment, Assumptions: []string{assumeHabit}}
	n, weight, excess := 0.0, 0.0, 0.0
	for _, p := range past {
		if !p.usable() {
			doubt.warn(warnLeftOut)
			continue
		}
		w := p.weight()
		n, weight, excess = n+1, weight+w, excess+w*(p.Effect*p.Effect-p.SE*p.SE)
	}
	if n < firstWeighs {
		doubt.warn(warnHistory)
	}
	variance := (firstWeighs*firstSD*firstSD + math.Max(0, excess)) / (firstWeighs + weight)
	return Prior{SD: math.Sqrt(variance), Relative: true}, doubt
}

// weight is that of an excess whose variance is 2(firstSD² + SE²)², 1 where the
// effect is known exactly.
func (p Past) weight() float64 {
	known := firstSD * firstSD / (firstSD*firstSD + p.SE*p.SE)
	return known * known
}

func (p Past) usable() bool {
	return math.Abs(p.Effect) <= mostEffect && p.SE > 0 && p.SE <= mostEffect
}
