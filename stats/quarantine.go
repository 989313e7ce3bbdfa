package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// The defaults of Quarantined, where an argument is zero.
const (
	QuarantineShare = 0.01 // of all units
	QuarantineFloor = 5    // units that mean nothing, whatever share they are
)

// Quarantine is what leaving out the units that saw two arms does: how many
// there are, and whether they come from the arms as units do. Where one arm
// loses more of them, what is left is no longer a random part of each arm.
type Quarantine struct {
	Units    int64   `json:"units"` // that saw two arms in one epoch
	Share    float64 `json:"share"` // of all units
	TooMany  bool    `json:"tooMany"`
	Lopsided bool    `json:"lopsided"` // LogE reached −log(alpha)
	LogE     float64 `json:"logE"`     // log e-value against the weights of the arms, by first arm, summed over epochs
	P        float64 `json:"p"`        // always valid: min(1, 1/e)
	FixedP   float64 `json:"fixedP"`   // binomial, of two arms whose weights never changed, else chi-square; valid at one look only
	Doubt
}

const (
	methodQuarantine = "Dirichlet-multinomial e-process of the units in two arms, by their first arm"
	assumeFirstArm   = "a unit that sees two arms begins in either as all units do"
)

// Quarantined judges the units that saw two arms, counted by the arm of their
// first exposure; kept is how many units saw one. most and alpha may be zero
// for a hundredth and for the error of the sample ratio.
func Quarantined(epochs []Counts, kept int64, most, alpha float64) Quarantine {
	most, alpha = or(most, QuarantineShare), or(alpha, RatioAlpha)
	q := Quarantine{P: 1, FixedP: 1, Doubt: Doubt{Method: methodQuarantine, Assumptions: []string{assumeFirstArm}}}
	q.Refused = first(ratioFault(epochs, alpha, quarantineK), quarantineFault(kept, most))
	if q.Refused != nil {
		return q
	}
	m := SampleRatio(epochs, alpha, quarantineK)
	for _, c := range epochs {
		for _, n := range c.Observed {
			q.Units += n
		}
	}
	if q.Units == 0 {
		return q
	}
	q.Share = float64(q.Units) / float64(q.Units+kept)
	q.TooMany = q.Share > most && q.Units > QuarantineFloor
	q.LogE, q.P, q.FixedP = m.LogE, m.P, m.FixedP
	if x, n, share, ok := ofTwo(epochs); ok {
		q.FixedP = binomialP(x, n, share)
	}
	if q.Lopsided = q.LogE >= -math.Log(alpha); q.Lopsided {
		q.warn(fmt.Sprintf("the %d units that saw two arms did not begin in them as all units do", q.Units))
	}
	return q
}

// quarantineK is the prior of the e-process: few units see two arms, and those
// that do mostly begin in one, so that it is wide.
const quarantineK = 2

func quarantineFault(kept int64, most float64) *Refusal {
	switch {
	case kept < 0 || kept > mostUnits:
		return refuse(BadInput, "kept", "units are counted from 0, and to 1e12")
	case !(most > 0 && most < 1):
		return refuse(BadInput, "most", "a share of units is above 0 and below 1")
	}
	return nil
}

// ofTwo returns the units of the first of two arms, all units, and the share
// that the first is promised, if it is the same in all epochs.
func ofTwo(epochs []Counts) (x, n, share float64, ok bool) {
	for i, c := range epochs {
		if len(c.Weights) != 2 {
			return 0, 0, 0, false
		}
		s := c.Weights[0] / (c.Weights[0] + c.Weights[1])
		if i > 0 && math.Abs(s-share) > 1e-12 {
			return 0, 0, 0, false
		}
		share = s
		x, n = x+float64(c.Observed[0]), n+float64(c.Observed[0]+c.Observed[1])
	}
	return x, n, share, true
}

// binomialP returns the p-value of x of n at a share: twice the smaller tail.
func binomialP(x, n, share float64) float64 {
	above := atLeast(x, n, share)
	below := atLeast(n-x, n, 1-share)
	return math.Min(1, 2*math.Min(above, below))
}

// atLeast returns P(X >= x) of a binomial variable.
func atLeast(x, n, share float64) float64 {
	if x <= 0 {
		return 1
	}
	return mathext.RegIncBeta(x, n-x+1, share)
}
