package stats

import "math"

// Assignments is the sample-ratio e-process unit by unit: each multiplies the
// e-value by the arm's predicted share over its promised one [LM, section 3].
// After all units of one epoch it is that of SampleRatio. Use NewAssignments.
type Assignments struct {
	LogE   float64 // against the promised shares, so far
	Leaked int64   // units of arms that must get nobody

	weights []float64
	share   []float64 // promised; 0 for an arm that must get nobody
	prior   []float64 // Dirichlet prior units plus those seen
	total   float64   // of prior, over arms with a share
	seen    []int64   // units of every arm
}

// NewAssignments returns the process before the first unit. k prior units are
// divided as the weights are (0 means RatioConcentration), unless prior names
// those of each arm.
func NewAssignments(weights []float64, k float64, prior []float64) (*Assignments, *Refusal) {
	none := Counts{Observed: make([]int64, len(weights)), Weights: weights}
	k = or(k, RatioConcentration)
	if r := ratioFault([]Counts{none}, RatioAlpha, k); r != nil {
		return nil, r
	}
	a := &Assignments{weights: weights, share: make([]float64, len(weights)), prior: make([]float64, len(weights)), seen: make([]int64, len(weights))}
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	for i, w := range weights {
		a.share[i], a.prior[i] = w/sum, k*w/sum
	}
	if r := a.believe(prior); r != nil {
		return nil, r
	}
	for i, s := range a.share {
		if s > 0 {
			a.total += a.prior[i]
		}
	}
	return a, nil
}

// believe replaces the prior units, if any are named.
func (a *Assignments) believe(prior []float64) *Refusal {
	if prior == nil {
		return nil
	}
	if len(prior) != len(a.share) {
		return refuse(BadInput, "dirichlet_alpha", "is one number, or one for each arm")
	}
	for i, v := range prior {
		if !(v >= leastPrior && v <= mostPrior) {
			return refuse(BadInput, "dirichlet_alpha", "prior units are between 0.001 and 1e6")
		}
		a.prior[i] = v
	}
	return nil
}

// Add takes n units of one arm, counted from 0, and reports whether there is
// such an arm and such a number.
func (a *Assignments) Add(arm int, n int64) bool {
	switch {
	case arm < 0 || arm >= len(a.share) || n < 0 || n > mostUnits:
		return false
	case n == 0:
		return true
	case a.share[arm] == 0:
		a.Leaked += n
		return true
	}
	x := float64(n)
	a.seen[arm] += n
	a.LogE += rising(a.prior[arm], x) - rising(a.total, x) - x*math.Log(a.share[arm])
	a.prior[arm] += x
	a.total += x
	return true
}

// Shares returns, for each arm, the shares of the units so far that no look
// excludes, as Counts.Shares does.
func (a *Assignments) Shares(alpha float64) []Interval {
	so := Counts{Observed: a.seen, Weights: a.share}
	least := a.LogE + math.Log(or(alpha, bandAlpha))
	for i, s := range a.share {
		least += xlog(float64(a.seen[i]), s)
	}
	return so.region(least)
}

// Doubt returns what the process rests on.
func (a *Assignments) Doubt() Doubt {
	d := Doubt{Method: methodRatio, Assumptions: []string{assumeAssignment}}
	d.unweighted(a.weights)
	d.leaky(a.Leaked)
	return d
}

// rising returns the log of a (a+1) … (a+n−1).
func rising(a, n float64) float64 {
	if n == 1 {
		return math.Log(a)
	}
	return logGamma(a+n) - logGamma(a)
}
