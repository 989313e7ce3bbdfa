package stats

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Adjustment names a way to bound the errors of many tests together.
type Adjustment string

// The adjustments. The first three bound the probability of any false
// rejection, and are for success metrics; the others bound the share of false
// ones among the rejections, and are for segments and diagnostics.
const (
	Bonferroni         Adjustment = "bonferroni" // under any dependence
	Holm               Adjustment = "holm"       // under any dependence; rejects all that Bonferroni does, and more
	Hochberg           Adjustment = "hochberg"   // of independent or positively dependent tests
	BenjaminiHochberg  Adjustment = "bh"         // of independent or positively dependent tests
	BenjaminiYekutieli Adjustment = "by"         // under any dependence
	EBH                Adjustment = "ebh"        // of e-values, under any dependence and at every look
)

// Adjusted is the answer of many tests together, in the order they were given.
type Adjusted struct {
	P        []float64 `json:"p"`        // adjusted: at most alpha where the test is rejected
	Rejected []bool    `json:"rejected"` // what stands out when all tests are taken together
	Level    float64   `json:"level"`    // error of each interval: those of 1−Level hold together, as the method promises
	Doubt
}

const (
	assumeAnyDependence = "p-values may depend on each other in any way"
	assumePositive      = "p-values are independent, or depend on each other positively"
	assumeFamily        = "all intervals of level 1−Level cover together with probability 1−alpha"
	assumeSelected      = "of the intervals of what is rejected, a share alpha misses its effect on average"
	warnWide            = "a test is rejected whose interval of error Level contains no effect: the intervals are wider than the test is sharp"
)

// Adjust adjusts p-values. alpha may be zero for 0.05. e-values are adjusted by
// AdjustE.
func Adjust(p []float64, by Adjustment, alpha float64) Adjusted {
	alpha = or(alpha, bandAlpha)
	if r := adjustFault(len(p), alpha); r != nil {
		return Adjusted{Doubt: Doubt{Refused: r}}
	}
	for i, v := range p {
		if !(v >= 0 && v <= 1) {
			return Adjusted{Doubt: Doubt{Refused: refuse(BadInput, fmt.Sprintf("p[%d]", i), "a p-value is between 0 and 1")}}
		}
	}
	m := float64(len(p))
	switch by {
	case Bonferroni:
		return stepDown(p, func(float64) float64 { return m }).bounding(p, alpha, "Bonferroni", assumeAnyDependence)
	case Holm:
		return stepDown(p, func(j float64) float64 { return m - j + 1 }).bounding(p, alpha, "Holm's step-down", assumeAnyDependence)
	case Hochberg:
		return stepUp(p, func(j float64) float64 { return m - j + 1 }).bounding(p, alpha, "Hochberg's step-up", assumePositive)
	case BenjaminiHochberg:
		return stepUp(p, func(j float64) float64 { return m / j }).discovering(alpha, 1, "Benjamini & Hochberg's step-up", assumePositive)
	case BenjaminiYekutieli:
		sum := harmonic(len(p))
		return stepUp(p, func(j float64) float64 { return sum * m / j }).discovering(alpha, sum, "Benjamini & Yekutieli's step-up", assumeAnyDependence)
	}
	return Adjusted{Doubt: Doubt{Refused: refuse(BadInput, "method", fmt.Sprintf("%q is no adjustment of p-values; write one of bonferroni, holm, hochberg, bh, by", by))}}
}

// AdjustE adjusts the logarithms of e-values by e-BH: it rejects the k largest,
// for the largest k whose least is m/(k alpha) or more (Wang & Ramdas 2022,
// definition 3). That is Benjamini & Hochberg's procedure of 1/e, and holds
// under any dependence, whenever each test was looked at.
func AdjustE(logE []float64, alpha float64) Adjusted {
	alpha = or(alpha, bandAlpha)
	if r := adjustFault(len(logE), alpha); r != nil {
		return Adjusted{Doubt: Doubt{Refused: r}}
	}
	inverse := make([]float64, len(logE))
	for i, v := range logE {
		if math.IsNaN(v) || math.IsInf(v, 1) {
			return Adjusted{Doubt: Doubt{Refused: refuse(BadInput, fmt.Sprintf("e[%d]", i), "an e-value is a finite number, 0 or more")}}
		}
		inverse[i] = math.Exp(-v)
	}
	m := float64(len(logE))
	return stepUp(inverse, func(j float64) float64 { return m / j }).discovering(alpha, 1, "e-BH", "each is an e-value; they may depend on each other in any way")
}

func adjustFault(tests int, alpha float64) *Refusal {
	if tests == 0 {
		return refuse(BadInput, "p", "there are no tests")
	}
	return errorFault(alpha)
}

func errorFault(alpha float64) *Refusal {
	if !(alpha > 0 && alpha < 1) {
		return refuse(BadInput, "alpha", "an error is above 0 and below 1")
	}
	return nil
}

// stepDown multiplies the j-th least p-value by factor(j) and lets none be less
// than that of a test with more evidence (Wright 1992).
func stepDown(p []float64, factor func(j float64) float64) Adjusted {
	order := byEvidence(p)
	a := multiplied(p, order, factor)
	for j := 1; j < len(order); j++ {
		a.P[order[j]] = math.Max(a.P[order[j]], a.P[order[j-1]])
	}
	return a
}

// stepUp multiplies the j-th least p-value by factor(j) and lets none be more
// than that of a test with less evidence.
func stepUp(p []float64, factor func(j float64) float64) Adjusted {
	order := byEvidence(p)
	a := multiplied(p, order, factor)
	for j := len(order) - 2; j >= 0; j-- {
		a.P[order[j]] = math.Min(a.P[order[j]], a.P[order[j+1]])
	}
	return a
}

// byEvidence returns the places of the p-values, the least first.
func byEvidence(p []float64) []int {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	return order
}

func multiplied(p []float64, order []int, factor func(j float64) float64) Adjusted {
	a := Adjusted{P: make([]float64, len(p))}
	for j, i := range order {
		a.P[i] = math.Min(1, factor(float64(j+1))*p[i])
	}
	return a
}

// bounding decides where any false rejection counts. Its intervals are
// Bonferroni's, which hold together whatever is rejected.
func (a Adjusted) bounding(p []float64, alpha float64, method, assumes string) Adjusted {
	a.decide(alpha)
	a.Level = alpha / float64(len(p))
	a.Doubt = Doubt{Method: method, Assumptions: []string{assumes, assumeFamily}}
	for i := range p {
		if a.Rejected[i] && p[i] > a.Level {
			a.warn(warnWide)
		}
	}
	return a
}

// discovering decides where the share of false rejections counts. The interval
// of a rejected test has level 1−R alpha/m, so that it never contains zero
// (Benjamini & Yekutieli 2005, section 4); dependence costs a divisor.
func (a Adjusted) discovering(alpha, dependence float64, method, assumes string) Adjusted {
	rejections := a.decide(alpha)
	a.Level = float64(max(1, rejections)) * alpha / (dependence * float64(len(a.P)))
	a.Doubt = Doubt{Method: method, Assumptions: []string{assumes, assumeSelected}}
	return a
}

func (a *Adjusted) decide(alpha float64) (rejections int) {
	a.Rejected = make([]bool, len(a.P))
	for i, p := range a.P {
		if p <= alpha {
			a.Rejected[i] = true
			rejections++
		}
	}
	return rejections
}

// harmonic returns 1 + 1/2 + … + 1/m.
func harmonic(m int) float64 {
	sum := 0.0
	for j := m; j > 0; j-- {
		sum += 1 / float64(j)
	}
	return sum
}

// HolmBounds returns lower bounds of the effects that hold together with
// probability 1−alpha and agree with Holm's test of one-sided p-values: only
// what is rejected is bounded by zero or more (Strassburger & Bretz 2008 and
// Guilbaud 2008, of equal weights). bound returns the bound of one test alone,
// at an error. Effects whose harm is positive are bounded from above by the
// bounds of their negatives.
func (a Adjusted) HolmBounds(alpha float64, bound func(test int, alpha float64) float64) []float64 {
	alpha = or(alpha, bandAlpha)
	bounds, open := make([]float64, len(a.P)), 0
	for _, rejected := range a.Rejected {
		if !rejected {
			open++
		}
	}
	for i, rejected := range a.Rejected {
		switch {
		case !rejected:
			bounds[i] = bound(i, alpha/float64(open))
		case open == 0:
			bounds[i] = math.Max(0, bound(i, alpha/float64(len(a.P))))
		}
	}
	return bounds
}
