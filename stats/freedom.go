package stats

import "math"

// smallArm is how many units an arm needs for its variance to be taken as
// known. Below, the t version answers.
const smallArm = 200

const warnStudent = "fewer than 200 units in an arm: the test is the t version, which takes values for about normal"

// freedom is what is known of the variance of a score: too little for the
// normal version, or less than the frozen variance knows.
type freedom struct {
	treatment, control part
	frozen             float64 // units that the frozen variance was taken from
}

// part is one arm's part of the clock.
type part struct {
	units  float64
	clock  float64 // Σ w_k² s²/n, by the frozen variance
	own    float64 // Σ w_k² Var, by the arm's own variance
	spread float64 // Σ (w_k² Var)²/df, of Satterthwaite's degrees of freedom
}

// add adds the units of a stratum: their part of the clock by the frozen
// variance, and by their own, which is known to so many degrees of freedom.
func (p *part) add(units, clock, variance, df float64) {
	p.units += units
	p.clock += clock
	p.own += variance
	if df > 0 {
		p.spread += variance * variance / df
	}
}

// lopsided is by how much an arm is the smaller one to be judged by the variance
// of the larger.
const lopsided = 2

// lacks returns how much less the units of an arm vary by chance than they
// should, beside another arm. The frozen variance is that of the larger arm
// then: of the few in the other none may have bought what 1 % buy, and what
// varies least would say most. Their own variance counts alone once it is of as
// many units as the frozen one.
func (p part) lacks(beside part, frozen float64) float64 {
	if p.units >= frozen || lopsided*p.units >= beside.units {
		return 0
	}
	return math.Max(0, p.clock-p.own)
}

// score returns the score of a contrast in which control is multiplied by r,
// with what the t version needs when an arm has few units. The clock is that of
// the frozen variance: the mixture must not be drawn anew as the estimate of
// the variance moves.
func (f freedom) score(t score, r float64) score {
	if f.treatment.units >= smallArm && (f.control.units >= smallArm || f.control.units == 0) {
		if f.treatment.own+f.control.own > 0 {
			t.V += f.treatment.lacks(f.control, f.frozen) + r*r*f.control.lacks(f.treatment, f.frozen)
		}
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
// 1/alpha needs. Where no statistic of so few units has that it is out of reach,
// and yet a number, which JSON has to hold.
func (p process) critical(t score, alpha float64) float64 {
	if t.DF == 0 {
		return p.radiusOne(t.V, alpha) / math.Sqrt(t.V)
	}
	return normalized(math.Min(p.at(t.W, t.DF).radiusOne(alpha), farthestT), t.DF)
}
