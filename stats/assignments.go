package stats

import (
	"encoding/json"
	"math"
)

// assignments is the sample-ratio e-process unit by unit: each multiplies the
// e-value by the arm's predicted share over its promised one [LM, section 3].
type assignments struct {
	share  []float64 // promised; 0 for an arm that must get nobody
	prior  []float64 // Dirichlet prior units plus those seen
	total  float64   // of prior, over arms with a share
	logE   float64
	leaked int64
}

// start reads the weights and the prior of a question about assignments.
func (q srmJSON) start() (*assignments, *Refusal) {
	k := or(given(q.K), RatioConcentration)
	none := Counts{Observed: make([]int64, len(q.Weights)), Weights: q.Weights}
	if r := ratioFault([]Counts{none}, or(given(q.Alpha), RatioAlpha), k); r != nil {
		return nil, r
	}
	sum := 0.0
	for _, w := range q.Weights {
		sum += w
	}
	a := &assignments{share: make([]float64, len(q.Weights)), prior: make([]float64, len(q.Weights))}
	for i, w := range q.Weights {
		a.share[i] = w / sum
		a.prior[i] = k * a.share[i]
	}
	if r := a.priors(q.DirichletAlpha); r != nil {
		return nil, r
	}
	for i, s := range a.share {
		if s > 0 {
			a.total += a.prior[i]
		}
	}
	return a, nil
}

// priors replaces the prior units: one number for all arms, or one for each.
func (a *assignments) priors(text json.RawMessage) *Refusal {
	if text == nil || string(text) == "null" {
		return nil
	}
	var each []float64
	var all float64
	if json.Unmarshal(text, &all) == nil {
		for range a.share {
			each = append(each, all)
		}
	} else if json.Unmarshal(text, &each) != nil || len(each) != len(a.share) {
		return refuse(BadInput, "dirichlet_alpha", "is one number, or one for each arm")
	}
	for i, v := range each {
		if !(v >= leastPrior && v <= mostPrior) {
			return refuse(BadInput, "dirichlet_alpha", "prior units are between 0.001 and 1e6")
		}
		a.prior[i] = v
	}
	return nil
}

// read takes one row: the index of an arm, or the units of every arm.
func (a *assignments) read(row json.RawMessage, field string) *Refusal {
	var arm int
	if json.Unmarshal(row, &arm) == nil {
		if arm < 0 || arm >= len(a.share) {
			return refuse(BadInput, field, "there is no arm of that index")
		}
		a.add(arm, 1)
		return nil
	}
	var units []int64
	if json.Unmarshal(row, &units) != nil || len(units) != len(a.share) {
		return refuse(BadInput, field, "is the index of an arm, or the units of each arm")
	}
	for arm, n := range units {
		if n < 0 || n > mostUnits {
			return refuse(BadInput, field, "units are counted from 0, and to 1e12")
		}
		a.add(arm, n)
	}
	return nil
}

// add adds n units of one arm.
func (a *assignments) add(arm int, n int64) {
	switch {
	case n == 0:
		return
	case a.share[arm] == 0:
		a.leaked += n
		return
	}
	x := float64(n)
	a.logE += rising(a.prior[arm], x) - rising(a.total, x) - x*math.Log(a.share[arm])
	a.prior[arm] += x
	a.total += x
}

// rising returns the log of a (a+1) … (a+n−1).
func rising(a, n float64) float64 {
	if n == 1 {
		return math.Log(a)
	}
	return logGamma(a+n) - logGamma(a)
}
