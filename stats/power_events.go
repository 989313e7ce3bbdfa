package stats

import "math"

// EventDesign is a watch over failures before it begins, by the e-process of
// Events. Units, or the power with them, follow from the rates.
//
//	d := stats.EventDesign{Rate: 0, Effect: 0.001, Absolute: true} // a failure that never existed, of one unit in a thousand
//	fmt.Println(d.Solve().Units) // [9076 9076]
type EventDesign struct {
	Rate     float64   `json:"rate"`               // share of control's units that fail, from 0
	Effect   float64   `json:"effect,omitempty"`   // true change of the rate, as a share of it, or a rate when Absolute; zero: the smallest that is seen is asked for
	Absolute bool      `json:"absolute,omitempty"` //
	Margin   float64   `json:"margin,omitempty"`   // tolerated ratio of the rates, at least 1; zero means 1
	Exclude  float64   `json:"exclude,omitempty"`  // ratio to exclude, above 1, where Effect is the truth; zero: a breach of Margin is what is seen
	Alpha    float64   `json:"alpha,omitempty"`    // one-sided; zero means DefaultAlpha
	Power    float64   `json:"power,omitempty"`    // wanted; zero means DefaultPower
	Units    float64   `json:"units,omitempty"`    // of control; zero: they are asked for
	Weights  []float64 `json:"weights,omitempty"`  // of control and treatment; empty means two equal arms
	K        float64   `json:"k,omitempty"`        // as of Events
	Floor    int64     `json:"floor,omitempty"`    // as of Events
}

const (
	methodFailures  = "power of the one-sided Dirichlet-multinomial e-process, asked at every failure"
	assumeFailures  = "the units that fail are as many as a Poisson variable, and fall on the arms as their rates say"
	mostFailures    = 20_000 // that are followed one by one
	leastFailures   = 64
	tooManyFailures = "so many failures are planned as a proportion: a watch over events is for rare ones"
)

// Solve returns what the design leaves open: units without Units, power with
// them, and the smallest change of the rate (ratio to exclude) that is seen.
func (d EventDesign) Solve() Planned {
	d = d.defaults()
	p := Planned{Inflation: 1, Doubt: Doubt{Method: methodFailures, Assumptions: []string{assumeFailing, assumeFailures}}}
	if p.Refused = d.fault(); p.Refused != nil {
		return Planned{Doubt: p.Doubt}
	}
	n := d.Units
	if n == 0 {
		if n, p.Refused = d.needed(); p.Refused != nil {
			return Planned{Doubt: p.Doubt}
		}
		n = math.Ceil(n - 1e-9*n)
	}
	p.Power, p.MDE = d.Power, d.size()
	if d.Units > 0 {
		if p.Refused = d.answer(&p); p.Refused != nil {
			return Planned{Doubt: p.Doubt}
		}
	}
	for _, w := range d.Weights {
		arm := math.Ceil(n*w/d.Weights[0] - 1e-9*n)
		p.Units, p.Total = append(p.Units, int64(arm)), p.Total+int64(arm)
	}
	return p
}

// answer fills in what a number of units sees.
func (d EventDesign) answer(p *Planned) *Refusal {
	if d.size() != 0 {
		w, λ := d.watch(), d.failures(d.Units)
		if λ > mostFailures/2 {
			return refuse(BadInput, "n", tooManyFailures)
		}
		w.follow(reaching(λ))
		p.Power = w.power(λ)
	}
	var r *Refusal
	p.MDE, r = d.smallest()
	return r
}

// size is what MDE is the smallest of.
func (d EventDesign) size() float64 {
	if d.Exclude != 0 {
		return d.Exclude
	}
	return d.Effect
}

// with returns the design with another size.
func (d EventDesign) with(size float64) EventDesign {
	if d.Exclude != 0 {
		d.Exclude = size
	} else {
		d.Effect = size
	}
	return d
}

// treated returns the rate of the treated units.
func (d EventDesign) treated() float64 {
	if d.Absolute {
		return d.Rate + d.Effect
	}
	return d.Rate * (1 + d.Effect)
}

// failures returns how many units fail in both arms when control has n.
func (d EventDesign) failures(n float64) float64 {
	return n * (d.Rate + d.Weights[1]/d.Weights[0]*d.treated())
}

// needed returns the units of control that see the effect.
func (d EventDesign) needed() (float64, *Refusal) {
	w := d.watch()
	if w.hopeless() {
		return 0, refuse(BadInput, "effect", "lies where the test does not look: it is never seen")
	}
	for n := leastFailures; ; n *= 2 {
		if n > mostFailures {
			return 0, refuse(BadInput, "effect", tooManyFailures)
		}
		w.follow(n)
		// Beyond what was followed the power would be told too low.
		if most := float64(n) / 2; w.power(most) > d.Power {
			λ := root(1e-9, most, func(λ float64) float64 { return w.power(λ) - d.Power })
			if units := λ / d.failures(1); units < mostPlanned {
				return units, nil
			}
			return 0, refuse(TooFewUnits, "metric.rate", "no number of units that anybody has shows failures so rare")
		}
	}
}

// smallest returns the smallest size that the units see.
func (d EventDesign) smallest() (float64, *Refusal) {
	power := func(size float64) float64 {
		try := d.with(size)
		λ := try.failures(d.Units)
		w := try.watch()
		if λ > mostFailures/2 || w.hopeless() {
			return 0
		}
		w.follow(reaching(λ))
		return w.power(λ)
	}
	low, most := d.bounds()
	if !(d.with(most).failures(d.Units) <= mostFailures/2) { // as many as are followed
		most = min(most, d.followed())
	}
	if !(power(most) > d.Power) {
		return 0, refuse(TooFewUnits, "n", "so few units, or so many failures, that no change is seen")
	}
	return root(low, most, func(size float64) float64 { return power(size) - d.Power }), nil
}

// bounds returns a size that is never seen, and the largest there can be.
func (d EventDesign) bounds() (low, most float64) {
	switch {
	case d.Exclude != 0:
		return 1 + 1e-9, 1e4
	case d.Absolute:
		return 0, 1 - d.Rate
	}
	return 0, 1/d.Rate - 1
}

// followed returns the effect with which the units have as many failures as are
// followed; below 0 when control's alone are more. A ratio to exclude leaves the
// number of failures as it is.
func (d EventDesign) followed() float64 {
	rate := (0.999*mostFailures/2/d.Units - d.Rate) * d.Weights[0] / d.Weights[1] // of treatment
	switch {
	case d.Exclude != 0:
		return math.Inf(1)
	case d.Absolute:
		return rate - d.Rate
	}
	return rate/d.Rate - 1
}

// reaching returns a number of failures that is hardly ever exceeded where λ
// are expected.
func reaching(λ float64) int { return int(λ+10*math.Sqrt(λ)) + leastFailures }

func (d EventDesign) defaults() EventDesign {
	e := Events{Margin: d.Margin, Alpha: d.Alpha, K: d.K, Floor: d.Floor}.defaults()
	d.Margin, d.Alpha, d.K, d.Floor, d.Power = e.Margin, e.Alpha, e.K, e.Floor, or(d.Power, DefaultPower)
	if len(d.Weights) == 0 {
		d.Weights = []float64{1, 1}
	}
	return d
}

func (d EventDesign) fault() *Refusal {
	if len(d.Weights) != 2 {
		return refuse(BadInput, "weights", "failures are watched in two arms")
	}
	rule := Events{Margin: d.Margin, Alpha: d.Alpha, K: d.K, Floor: d.Floor}
	if r := rule.fault([]EventCounts{{Traffic: [2]float64{d.Weights[0], d.Weights[1]}}}); r != nil {
		if r.Field == "traffic" {
			r = refuse(BadInput, "weights", r.Message)
		}
		return r
	}
	return first(sensible(d.Alpha, d.Power), d.rateFault())
}

func (d EventDesign) rateFault() *Refusal {
	switch {
	case !(d.Rate >= 0 && d.Rate < 1):
		return refuse(BadInput, "metric.rate", "a share of units that fail is from 0, and below 1")
	case !finite(d.Effect) || !(d.treated() >= 0 && d.treated() <= 1):
		return refuse(BadInput, "effect", "takes the share of units that fail below 0 or above 1")
	case d.Rate == 0 && !d.Absolute:
		return refuse(Unbounded, "metric.rate", "nothing is a share of a rate of 0; give the effect as a rate (absolute)")
	case !(d.Exclude == 0 || d.Exclude > 1 && d.Exclude <= 1e4):
		return refuse(BadInput, "exclude", "a ratio to exclude is above 1, up to 10,000")
	case d.Exclude != 0 && d.Rate == 0:
		return refuse(Unbounded, "metric.rate", "without failures of control no ratio is excluded")
	case d.Effect == 0 && d.Exclude == 0 && d.Units == 0:
		return refuse(BadInput, "effect", "the units follow from an effect, or the effect from n")
	case !(d.Units >= 0) || d.Units > mostPlanned:
		return refuse(BadInput, "n", "units are a number from 0 to 1e15")
	}
	return nil
}
