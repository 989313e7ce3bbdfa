package stats

import "math"

// PastMean is what several comparisons of the past say together: the mean of the
// effects that such changes have, which differ.
type PastMean struct {
	N      int      `json:"n"`      // comparisons
	Effect float64  `json:"effect"` // mean, as a share of the control mean
	SE     float64  `json:"se"`
	Fixed  Interval `json:"fixed"` // two-sided 95 % of the mean
	SD     float64  `json:"sd"`    // of the effects themselves, beyond their errors
	Doubt
}

const (
	methodRandom  = "random-effects mean of DerSimonian & Laird"
	assumeAllPast = "the comparisons are of different units, and all there are"
	warnFewPast   = "fewer than five comparisons: how much effects differ is hardly known"
)

// MeanPast returns the mean of effects that differ by more than their errors: the
// estimate of DerSimonian & Laird 1986, section 3. What has no error is left
// out.
func MeanPast(past []Past) PastMean {
	p := PastMean{Fixed: Open(), Doubt: Doubt{Method: methodRandom, Assumptions: []string{assumeAllPast}}}
	var used []Past
	for _, one := range past {
		if one.usable() {
			used = append(used, one)
		} else {
			p.warn(warnLeftOut)
		}
	}
	if p.N = len(used); p.N == 0 {
		p.Refused = refuse(TooFewUnits, "past", "there is no comparison")
		return p
	}
	if p.N < 5 {
		p.warn(warnFewPast)
	}
	between := between(used)
	p.SD = math.Sqrt(between)
	mean, weight := weighted(used, between)
	p.Effect, p.SE = mean, 1/math.Sqrt(weight)
	z := upper(bandAlpha / 2)
	p.Fixed = Interval{Low: p.Effect - z*p.SE, High: p.Effect + z*p.SE}
	return p
}

// weighted returns the mean of effects, each weighted by its whole variance,
// and the sum of the weights.
func weighted(past []Past, between float64) (mean, weight float64) {
	for _, p := range past {
		w := 1 / (p.SE*p.SE + between)
		weight += w
		mean += w * p.Effect
	}
	return mean / weight, weight
}

// between returns the variance of the effects beyond their errors, by moments.
func between(past []Past) float64 {
	mean, weight := weighted(past, 0)
	q, squares := 0.0, 0.0
	for _, p := range past {
		w := 1 / (p.SE * p.SE)
		q += w * (p.Effect - mean) * (p.Effect - mean)
		squares += w * w
	}
	free := weight - squares/weight
	if free <= 0 {
		return 0
	}
	return math.Max(0, (q-float64(len(past)-1))/free)
}
