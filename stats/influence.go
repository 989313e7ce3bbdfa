package stats

import "math"

// Largest is the unit whose value is farthest from zero in one arm of one
// stratum.
type Largest struct {
	Unit      string  `json:"unit,omitempty"` // its hash, for people who look for it
	Epoch     int     `json:"epoch"`
	Stage     string  `json:"stage,omitempty"`
	Treatment bool    `json:"treatment,omitempty"` // else control
	Value     float64 `json:"value"`               // in the metric's unit; the numerator of a ratio
	Divisor   float64 `json:"divisor,omitempty"`   // of a ratio
}

// Influence says how much of an answer hangs on one unit: whether it would be
// another without it.
type Influence struct {
	Largest
	Share   float64    `json:"share"`   // of the sum of the values of all units of its arm
	With    Comparison `json:"with"`    // of all units
	Without Comparison `json:"without"` // of all but this one
	Turns   bool       `json:"turns"`   // one of the two leaves zero out and the other does not, or they say opposite things
	Doubt
}

const (
	methodInfluence = "the comparison, with all units and without the one of the largest value"
	warnTurns       = "the answer hangs on one unit: it is another without it"
)

// Influential compares with and without the largest unit. Whatever was known of
// the units before is left aside on both sides.
func Influential(strata []Stratum, l Largest, o Options) Influence {
	f := uninfluenced(l)
	if !finite(l.Value) || !finite(l.Divisor) {
		f.Value, f.Divisor = 0, 0 // which JSON can hold
		f.Refused = refuse(BadInput, "largest", "the values of a unit are finite numbers")
		return f
	}
	if f.Refused = fault(strata); f.Refused != nil {
		return f
	}
	rest, share, refusal := withoutUnit(strata, l)
	if f.Refused = refusal; f.Refused != nil {
		return f
	}
	f.Share = share
	f.With, f.Without = Compare(each(strata, plain), o), Compare(rest, o)
	if f.Refused = first(f.With.Refused, f.Without.Refused); f.Refused != nil {
		return f
	}
	if f.Turns = verdict(f.With) != verdict(f.Without); f.Turns {
		f.warn(warnTurns)
	}
	return f
}

// uninfluenced is the answer that says nothing yet.
func uninfluenced(l Largest) Influence {
	none := Comparison{P: 1, BandP: 1, Fixed: Open(), Band: Open()}
	return Influence{Largest: l, With: none, Without: none, Doubt: Doubt{Method: methodInfluence, Assumptions: []string{assumeUnits}}}
}

// MostInfluential returns the influence of that one of the units without which
// the estimate moves most. What cannot be said of one does not hide another.
func MostInfluential(strata []Stratum, units []Largest, o Options) Influence {
	most := uninfluenced(Largest{})
	most.Refused = refuse(TooFewUnits, "largest", "no unit has a value other than 0")
	for _, l := range units {
		f := Influential(strata, l, o)
		if most.Refused != nil || f.Refused == nil && f.moved() > most.moved() {
			most = f
		}
	}
	return most
}

func (f Influence) moved() float64 { return math.Abs(f.With.Estimate - f.Without.Estimate) }

// plain is a sample without what was known before.
func plain(s Sample) Sample {
	switch {
	case s.Kind == KindProportion || s.Kind == KindMean:
		s.Joint = nil
	case s.quotient():
		s.Joint = s.Joint.pick(0, 1)
	}
	return s
}

// withoutUnit returns the strata without the unit, and the share that it has in
// its arm.
func withoutUnit(strata []Stratum, l Largest) ([]Stratum, float64, *Refusal) {
	rest := each(strata, plain)
	found, total := false, 0.0
	for i := range rest {
		arm := &rest[i].Control
		if l.Treatment {
			arm = &rest[i].Treatment
		}
		total += arm.total()
		if rest[i].Epoch != l.Epoch || rest[i].Stage != l.Stage {
			continue
		}
		found = true
		var r *Refusal
		if *arm, r = arm.without(l); r != nil {
			return nil, 0, r
		}
	}
	switch {
	case !found:
		return nil, 0, refuse(BadInput, "largest", "there is no stratum of that epoch and stage")
	case !finite(l.Value / total): // values of both signs, which cancel
		return rest, 0, nil
	}
	return rest, l.Value / total, nil
}

// total returns the sum of the units' values, of a ratio that of the numerators.
func (s Sample) total() float64 {
	if s.quotient() {
		return s.Joint.Means[0] * float64(s.N)
	}
	return s.Center() * float64(s.N)
}

// without returns the sample without one unit.
func (s Sample) without(l Largest) (Sample, *Refusal) {
	switch {
	case s.Kind != KindMean && !s.quotient():
		return s, refuse(BadInput, "largest", "no unit of a "+string(s.Kind)+" is larger than others")
	case s.N < 2:
		return s, refuse(TooFewUnits, "largest", "there is no other unit in its arm")
	case s.Kind == KindMean:
		m, r := s.Moments.without(l.Value)
		return Mean(m), r
	}
	j, r := s.Joint.without([]float64{l.Value, l.Divisor})
	return Sample{Kind: s.Kind, N: j.N, Joint: &j}, r
}

// without takes back the merge of one value.
func (m Moments) without(x float64) (Moments, *Refusal) {
	j := Joint{N: m.N, Means: []float64{m.Mean}, M: []float64{m.M2}}
	j, r := j.without([]float64{x})
	return j.Moments(0), r
}

// without takes back the merge of the values of one unit. Values that none of
// the units can have would leave a negative sum of squares; what is negative by
// rounding is zero.
func (j Joint) without(x []float64) (Joint, *Refusal) {
	n, k := float64(j.N), len(j.Means)
	out := Joint{N: j.N - 1, Means: make([]float64, k), M: make([]float64, len(j.M))}
	for a := range k {
		out.Means[a] = j.Means[a] - (x[a]-j.Means[a])/(n-1)
		for b := a; b < k; b++ {
			at := packed(a, b, k)
			out.M[at] = j.M[at] - (x[a]-j.Means[a])*(x[b]-j.Means[b])*n/(n-1)
		}
		at := packed(a, a, k)
		if out.M[at] < -rounding(x[a], j.Means[a], j.M[at]) {
			return j, refuse(BadInput, "largest", "no unit of that arm can have that value")
		}
		out.M[at] = math.Max(0, out.M[at])
	}
	return out, nil
}

// rounding is how much a sum of squares can lose when a value is taken back: at
// an offset the mean itself is known to its last digit only.
func rounding(x, mean, squares float64) float64 {
	const digit = 0x1p-48
	return 1e-9*squares + digit*math.Abs(x-mean)*math.Max(math.Abs(x), math.Abs(mean))
}

// verdict is what the answer says of the effect: −1, 1, or 0 for nothing.
func verdict(c Comparison) int {
	switch i, _ := c.Answer(); {
	case i.Low > 0:
		return 1
	case i.High < 0:
		return -1
	}
	return 0
}
