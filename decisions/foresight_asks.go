package decisions

import (
	"math"

	"github.com/sluice-hq/sluice/stats"
)

// asks returns the tests that a stage waits for.
func (f *foresight) asks(s Stage) (out []Asked) {
	for _, g := range f.Plan.Metrics.Guardrails {
		if size, ok := s.Exclude[g.Metric]; ok && g.Margin != nil {
			out = append(out, f.excluding(g, asksExclude, size.Relative()))
		}
	}
	if s.Kind() != Decide {
		return out
	}
	for _, g := range f.Plan.Metrics.Guardrails {
		if g.Margin != nil && *g.Margin > 0 {
			out = append(out, f.excluding(g, asksMargin, g.Margin.Fraction()))
		}
	}
	for _, m := range f.Plan.Metrics.Success {
		out = append(out, f.finding(m))
	}
	return out
}

// excluding is the test that harm of a size is excluded, where there is none.
func (f *foresight) excluding(g Guardrail, what string, size float64) Asked {
	d := f.exclusion(g.Metric)
	if f.fails(g.Metric) {
		return f.fewer(Asked{Metric: g.Metric, Asks: what, Size: size, Power: d.Power})
	}
	d.Margin = size
	return f.answer(Asked{Metric: g.Metric, Asks: what, Size: size, Power: d.Power}, d)
}

// exclusion is the design of the exclusion tests of a guardrail; see exclude.
func (f *foresight) exclusion(metric string) stats.Design {
	test := stats.Guardrail{Direction: f.direction(metric)}.Exclude(0, f.Plan.tests())
	return stats.Design{Metric: f.metrics[metric].Expected, Direction: test.Direction, Alpha: stats.ExcludeAlpha, Power: test.Power,
		Inference: stats.GroupSequential}
}

// finding is the test of a success metric that improves by what is worth
// finding.
func (f *foresight) finding(m Success) Asked {
	d := f.improving(m)
	return f.answer(Asked{Metric: m.Metric, Asks: asksSuccess, Size: m.MDE.Fraction(), Power: d.Power}, d)
}

// improving is the design of that test; see read. The gate asks whether the arms
// differ at all, with the noise that equal arms would have: a relative effect is
// planned in the metric's unit.
func (f *foresight) improving(m Success) stats.Design {
	d := stats.Design{Metric: f.metrics[m.Metric].Expected, Effect: f.better(m.Metric) * m.MDE.Fraction(), Power: stats.DefaultPower,
		Alpha: alphaSuccess / float64(len(f.Plan.Metrics.Success)), Inference: stats.AlwaysValid}
	if level := math.Abs(d.Metric.Level); level > 0 {
		d.Effect, d.Absolute = d.Effect*level, true
	}
	return d
}

// answer fills in how many units a test needs, and when it has them: units whose
// events have had their time.
func (f *foresight) answer(a Asked, d stats.Design) Asked {
	if a.Refused = f.metrics[a.Metric].refused; a.Refused != "" {
		return a
	}
	p := d.Solve()
	if p.Refused != nil {
		a.Refused = p.Refused.Message
		return a
	}
	a.Units = p.Units[0]
	a.Days = days(f.until(float64(a.Units), f.age(a.Metric)))
	return a
}

// sees returns what the guardrails show on a day of the rollout.
func (f *foresight) sees(day float64) (out []Seen) {
	for _, g := range f.Plan.Metrics.Guardrails {
		n := math.Floor(f.units(day, f.age(g.Metric)))
		if g.Margin != nil && f.fails(g.Metric) {
			out = append(out, f.seesFailures(g, n)...)
			continue
		}
		if g.Margin == nil || f.metrics[g.Metric].refused != "" || n < stats.FreezeUnits {
			continue
		}
		stop := f.stopping(g)
		stop.Units = n
		advance := f.exclusion(g.Metric)
		advance.Margin, advance.Units, advance.Power = 0.5, n, stats.DefaultPower // the smallest margin is asked for: any is the start
		out = append(out, Seen{Metric: g.Metric, Detects: stop.Solve().MDE, Excludes: advance.Solve().MDE})
	}
	return out
}

// reach fills in which harm is excluded by the end of a stage in the place of
// what is not.
func (f *foresight) reach(asks []Asked, took, end float64) {
	for i, a := range asks {
		if a.Asks != asksExclude || a.Refused != "" || a.Days != nil && *a.Days <= took {
			continue
		}
		n := math.Floor(f.units(end, f.age(a.Metric)))
		if f.fails(a.Metric) {
			asks[i].Reach = f.reachFailures(a, n)
		} else if n >= stats.FreezeUnits {
			d := f.exclusion(a.Metric)
			d.Margin, d.Units = 0.5, n // the smallest margin is asked for: any is the start
			asks[i].Reach = d.Solve().MDE
		}
	}
}

func (f *foresight) direction(metric string) stats.Direction {
	return or(f.Metrics[metric].Direction, stats.Increase)
}

// better is the sign of a change for the better.
func (f *foresight) better(metric string) float64 {
	if f.direction(metric) == stats.Decrease {
		return -1
	}
	return 1
}

// age is how old a unit must be for a gate, in days.
func (f *foresight) age(metric string) float64 { return f.Metrics[metric].Age(true).Hours() / 24 }
