package stats

import "math"

// smallArm is how many units an arm needs for its variance to be taken as
// known. Below, the t version answers.
const smallArm = 200

const warnStudent = "fewer than 200 units in an arm: the test is the t version, which takes values for about normal"

// freedom is what a score needs to be judged by the t version.
type freedom struct {
	treatment, control part
}

// part is one arm's part of the clock.
type part struct {
	units  float64
	clock  float64 // Σ w_k² s²/n, by the frozen variance
	spread float64 // Σ (w_k² Var)²/df, of Satterthwaite's degrees of freedom
}

// add adds the units of a stratum: their part of the clock by the frozen
// variance, and by their own, which is known to so many degrees of freedom.
func (p *part) add(units, clock, variance, df float64) {
	p.units += units
	p.clock += clock
	if df > 0 {
		p.spread += variance * variance / df
	}
}

// score returns the score of a contrast in which control is multiplied by r,
// with what the t version needs when an arm has few units. The clock is that of
// the frozen variance: the mixture must not be drawn anew as the estimate of
// the variance moves.
func (f freedom) score(t score, r float64) score {
	if f.treatment.units >= smallArm && (f.control.units >= smallArm || f.control.units == 0) {
		return t
	}
	if spread := f.treatment.spread + math.Pow(r, 4)*f.control.spread; spread > 0 {
		t.DF, t.W = t.V*t.V/spread, f.treatment.clock+r*r*f.control.clock
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
// 1/alpha needs.
func (p process) critical(t score, alpha float64) float64 {
	if t.DF == 0 {
		return p.radiusOne(t.V, alpha) / math.Sqrt(t.V)
	}
	return normalized(p.at(t.W, t.DF).radiusOne(alpha), t.DF)
}
