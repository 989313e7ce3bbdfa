package stats

import "math"

const warnStudent = "fewer than 200 units in an arm: the test is the t version, which takes values for about normal"

// freedom returns the score of a contrast in which control is multiplied by r,
// with what the t version needs when an arm has few units. The clock is that of
// the frozen variance: the mixture must not be drawn anew as the estimate of
// the variance moves.
func (a accounts) freedom(t score, r float64) score {
	if a.treatment.units >= smallArm && (a.control.units >= smallArm || a.control.units == 0) {
		return t
	}
	if spread := a.treatment.spread + math.Pow(r, 4)*a.control.spread; spread > 0 {
		t.DF, t.W = t.V*t.V/spread, a.treatment.like+r*r*a.control.like
	}
	return t
}

// one returns the one-sided log e-value of a score.
func (p process) one(t score) float64 {
	if t.DF == 0 {
		return p.logOne(t.S, t.V)
	}
	return p.at(t.W, t.DF).logOne(t.t())
}

// two returns the two-sided log e-value of a score.
func (p process) two(t score) float64 {
	if t.DF == 0 {
		return p.logTwo(t.S, t.V)
	}
	return p.at(t.W, t.DF).logTwo(t.t())
}

// critical returns the z, as score.z has it, that a one-sided e-value of
// 1/alpha needs. Where no statistic of so few units has that it is out of reach,
// and yet a number, which JSON has to hold.
func (p process) critical(t score, alpha float64) float64 {
	if t.DF == 0 {
		return p.radiusOne(t.V, alpha) / math.Sqrt(t.V)
	}
	return normalized(math.Min(p.at(t.W, t.DF).radiusOne(alpha), farthestT), t.DF)
}
