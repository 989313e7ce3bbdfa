package stats

import "math"

// Limit is a level that the treated units must keep, with or without a
// control: 200 ms at most, 95 % at least.
type Limit struct {
	Value     float64   `json:"value"`            // in the metric's unit
	Direction Direction `json:"direction"`        // which way is better: a limit of a metric to Decrease is a maximum; empty means Increase
	Alpha     float64   `json:"alpha,omitempty"`  // one-sided; zero means DefaultAlpha
	Tests     int       `json:"tests,omitempty"`  // guardrails that share Alpha in equal parts; zero means 1
	Power     float64   `json:"power,omitempty"`  // zero means DefaultPower
	Detect    float64   `json:"detect,omitempty"` // distance from Value to be sharpest for, in the metric's unit; zero means 5 % of Value
}

const methodLimit = "one-sample, one-sided mixture e-process of the treated units against a limit"

// Judge says whether the mean of the treated units is beyond the limit
// (Breached), within it (Safe), or neither yet. f is what FreezeTreated or
// Freeze returned. The reading is of the level, in the metric's unit.
func (l Limit) Judge(strata []Stratum, f Frozen) Judgement {
	l = l.defaults()
	j := Judgement{State: Unknown, Reading: nothing(methodLimit, nil)}
	if j.Refused = first(l.fault(), l.faults(strata), f.ready()); j.Refused != nil {
		return j
	}
	y := yardstick{tally: level(strata, f)}
	t := y.against(l.Value)
	t.S *= l.Direction.harm()
	if t.V == 0 {
		j.Refused = noVariance
		return j
	}
	budget, alpha := shared(l.Alpha, l.Tests)
	l.Alpha = alpha
	at := l.sharpest(f)
	p := tuned(at, 2*l.Alpha)
	j = Judgement{LogBreach: p.one(t), LogSafe: p.one(t.mirrored()), Threshold: -math.Log(l.Alpha),
		Reading: y.read(p, l.Alpha)}
	j.Clock, j.Information, j.Needed, j.Budget = t.V, t.V, l.answering(y, p, f), budget
	j.Breached, j.Safe = j.LogBreach >= j.Threshold, j.LogSafe >= j.Threshold
	j.State = j.state()
	j.Doubt = Doubt{Method: methodLimit, Assumptions: []string{assumeUnits, assumeNormal}}
	j.few(treated(strata))
	return j
}

// answering returns the information at which the test sees with the power that a
// level which is better by Detect is within the limit; 0 for a limit of 0
// without it.
func (l Limit) answering(y yardstick, p process, f Frozen) float64 {
	size := or(l.Detect, 0.05*math.Abs(l.Value))
	if size == 0 {
		return 0
	}
	return y.course(l.Value, l.Value-l.Direction.harm()*size, 1, f).mixed(l.Alpha, l.Power, p.oneSided(l.Alpha))
}

// sharpest returns the information to tune for; a limit of 0 has no share of
// itself, then it is that of tuneUnits.
func (l Limit) sharpest(f Frozen) float64 {
	size := or(l.Detect, 0.05*math.Abs(l.Value))
	if size == 0 {
		return tuneUnits / f.Variance
	}
	return needed(size, l.Alpha, l.Power)
}

func (l Limit) defaults() Limit {
	l.Alpha, l.Power = or(l.Alpha, DefaultAlpha), or(l.Power, DefaultPower)
	if l.Direction == "" {
		l.Direction = Increase
	}
	return l
}

func (l Limit) fault() *Refusal {
	switch {
	case !finite(l.Value):
		return refuse(BadInput, "limit", "a limit is a finite number")
	case !(l.Detect >= 0) || !finite(l.Detect):
		return refuse(BadInput, "detect", "a size to detect is a number above 0")
	case l.Direction != Increase && l.Direction != Decrease:
		return refuse(BadInput, "direction", "a direction is increase or decrease")
	}
	return sensible(l.Alpha, l.Power)
}

// treated returns how many treated units there are.
func treated(strata []Stratum) (n int64) {
	for _, s := range strata {
		n += s.Treatment.N
	}
	return n
}

// faults looks at the treated samples alone.
func (l Limit) faults(strata []Stratum) *Refusal {
	if len(strata) == 0 {
		return refuse(TooFewUnits, "strata", "there are no data")
	}
	for _, s := range strata {
		if r := s.Treatment.fault("treatment"); r != nil {
			return r
		}
	}
	return nil
}
