package stats

import "math"

// Design is an experiment before it begins: what is measured, which effect
// matters, how the answer is drawn. Two of effect, units and power are given;
// Solve finds the third.
//
//	d := stats.Design{Metric: stats.Expected{Kind: stats.KindProportion, Level: 0.19}, Effect: 0.05}
//	fmt.Println(d.Solve().Units) // [28646 28646]
type Design struct {
	Metric    Expected  `json:"metric"`
	Effect    float64   `json:"effect,omitempty"`    // that is really there: a share of control's level, or in the metric's unit when Absolute; zero: the smallest that is seen is asked for
	Absolute  bool      `json:"absolute,omitempty"`  //
	Margin    float64   `json:"margin,omitempty"`    // harm to exclude, as Effect is; zero: the question is whether there is an effect at all
	Direction Direction `json:"direction,omitempty"` // which way is better, with Margin; empty means Increase
	Alpha     float64   `json:"alpha,omitempty"`     // zero means 0.05
	Side      Side      `json:"side,omitempty"`      // empty means TwoSided; with Margin the test has one side
	Power     float64   `json:"power,omitempty"`     // wanted; zero means DefaultPower
	Units     float64   `json:"units,omitempty"`     // of control; zero: they are asked for
	Weights   []float64 `json:"weights,omitempty"`   // of control and every treatment; empty means two equal arms
	Inference Inference `json:"inference,omitempty"` // empty means FixedHorizon
	Looks     int       `json:"looks,omitempty"`     // at equal steps of information; zero means 1, of GroupSequential 20
}

// Planned is what a design needs and sees.
type Planned struct {
	Power     float64 `json:"power"`              // of seeing Effect (excluding Margin) with Units
	Units     []int64 `json:"units"`              // of every arm, control first
	Total     int64   `json:"total"`              // of all arms
	Clusters  []int64 `json:"clusters,omitempty"` // that the units are in, of every arm
	MDE       float64 `json:"mde"`                // smallest effect (margin) that is seen (excluded) with Units and the wanted power
	Inflation float64 `json:"inflation"`          // units against those of one look at the end
	Doubt
}

// Solve returns what the design leaves open: units without Units, power with
// them, and always the smallest effect that is seen.
func (d Design) Solve() Planned {
	d = d.defaults()
	p := Planned{}
	if p.Refused = d.fault(); p.Refused != nil {
		return p
	}
	t := d.test()
	p.Inflation = t.inflation()
	p.Doubt = d.doubt()
	n := d.Units
	if n == 0 {
		if n, p.Refused = d.needed(t); p.Refused != nil {
			return Planned{Doubt: p.Doubt}
		}
		n = math.Ceil(n - 1e-9*n)
	}
	p.Power, p.MDE = d.Power, math.Abs(d.size())
	if d.Units > 0 && d.size() != 0 {
		p.Power = d.signal(d.size()).power(t, n)
	}
	if d.Units > 0 {
		if p.MDE, p.Refused = d.smallest(t, n); p.Refused != nil {
			return Planned{Doubt: p.Doubt}
		}
	}
	d.spend(&p, n)
	return p
}

// spend writes down how many units of each arm that is.
func (d Design) spend(p *Planned, control float64) {
	for _, w := range d.Weights {
		n := math.Ceil(control*w/d.Weights[0] - 1e-9*control)
		p.Units, p.Total = append(p.Units, int64(n)), p.Total+int64(n)
		if c := d.Metric.Cluster; c != nil {
			p.Clusters = append(p.Clusters, int64(math.Ceil(n/c.Mean)))
		}
	}
	p.thin(d)
}

// share is the units of the smallest treatment arm for each of control: the
// comparison that is hardest.
func (d Design) share() float64 {
	least := math.Inf(1)
	for _, w := range d.Weights[1:] {
		least = min(least, w)
	}
	return least / d.Weights[0]
}

// size is what MDE is the smallest of: the margin when there is one.
func (d Design) size() float64 {
	if d.Margin != 0 {
		return d.Margin
	}
	return d.Effect
}
