package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Interaction says whether an effect differs between groups of units: Cochran's
// Q at one look, and beside it an e-process that holds at every look.
type Interaction struct {
	Q      float64 `json:"q"` // squares of the effects around their mean, each over its variance
	DF     int     `json:"df"`
	FixedP float64 `json:"fixedP"` // of Q; valid at one look only
	Excess float64 `json:"excess"` // I²: share of the variation between the effects that their noise does not explain
	LogE   float64 `json:"logE"`   // log e-value against "the effect is the same in all groups"
	P      float64 `json:"p"`      // always valid: min(1, 1/e)

	AdjustedP float64 `json:"adjustedP"` // for all interactions that were asked for together; that of one look or of every look, as the answer is
	Differs   bool    `json:"differs"`   // AdjustedP is at most alpha

	Doubt
}

const (
	methodInteraction = "Cochran's Q, and the product of the groups' mixture e-processes at the common effect that fits best"
	assumeDisjoint    = "no unit is in two groups"
)

// groupEffect is the effect in one group, and the process of its own test.
type groupEffect struct {
	at, se float64
	p      process
}

// interaction tests that the effects are one. Q is that of Cochran 1954, the
// share I² that of Higgins & Thompson 2002.
func interaction(groups []groupEffect) Interaction {
	n := Interaction{FixedP: 1, P: 1, AdjustedP: 1, Doubt: Doubt{Method: methodInteraction, Assumptions: []string{assumeDisjoint}}}
	if len(groups) < 2 {
		n.Refused = refuse(TooFewUnits, "segments", "fewer than two groups have an effect to compare")
		return n
	}
	n.DF = len(groups) - 1
	n.Q = scatter(groups, func(g groupEffect) float64 { return 1 / (g.se * g.se) })
	n.LogE = apart(groups)
	if !finite(n.Q) || !finite(n.LogE) {
		return Interaction{FixedP: 1, P: 1, AdjustedP: 1, Doubt: Doubt{Method: methodInteraction, Refused: refuse(BadInput, "segments", errRange.Error())}}
	}
	n.FixedP = mathext.GammaIncRegComp(float64(n.DF)/2, n.Q/2)
	n.P = math.Min(1, math.Exp(-n.LogE))
	if n.Q > 0 {
		n.Excess = math.Max(0, 1-float64(n.DF)/n.Q)
	}
	return n
}

// apart returns the log e-value against one effect in all groups. For the true
// common effect the product of the groups' e-processes against it is an
// e-process, because the groups are independent; so its least value over all
// common effects is one whatever the true one is. That product is a quadratic
// of the common effect in I²/(r+I), with I and r as in [WSR, eq. 9].
func apart(groups []groupEffect) float64 {
	logE := scatter(groups, func(g groupEffect) float64 {
		i := 1 / (g.se * g.se)
		return i * (i / (g.p.R + i))
	}) / 2
	for _, g := range groups {
		logE += g.p.logTwo(0, 1/(g.se*g.se))
	}
	return logE
}

// scatter returns the weighted squares of the effects around their weighted
// mean.
func scatter(groups []groupEffect, weight func(groupEffect) float64) float64 {
	var total, mean, squares float64
	for _, g := range groups {
		w := weight(g)
		total += w
		d := g.at - mean
		mean += d * w / total
		squares += w * d * (g.at - mean) // West 1979: no cancellation at any offset
	}
	return squares
}
