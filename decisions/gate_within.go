package decisions

import "fmt"

// within asks the stop test of a guardrail for every value of its attribute that
// has enough units. A value that is worse is an item of its own; one item stands
// for the others. Values that can only be told apart by few units are in the
// guardrail itself and nowhere else.
func (g *gate) within(stage Stage, m Measured, rail Guardrail) {
	asked, fine := 0, 0
	for _, p := range m.Parts {
		c, ok := g.part(stage, m, rail, p)
		if !ok {
			continue
		}
		asked++
		if c.State == Pass && c.Code != codeTolerated {
			fine++
			continue
		}
		g.add(c)
	}
	c := Check{Name: CheckGuardrail, Metric: m.Metric, Of: "within " + rail.Within, State: Pass, Code: "unknown"}
	c.Numbers = map[string]float64{"values": float64(len(m.Parts)), "asked": float64(asked), "fine": float64(fine)}
	c.Text = fmt.Sprintf("%s: for %d of %d values of %s no harm is established", m.Metric, fine, asked, rail.Within)
	if asked == 0 {
		c.State, c.Code = Wait, "noData"
		c.Text = fmt.Sprintf("%s: no value of %s has enough units in both arms yet; it is an attribute of exposures", m.Metric, rail.Within)
	}
	g.add(c)
}

// part returns the item of one value; ok is false where it is not asked.
func (g *gate) part(stage Stage, m Measured, rail Guardrail, p Part) (c Check, ok bool) {
	c = Check{Name: CheckGuardrail, Metric: m.Metric, Of: rail.Within + "=" + p.Value}
	of := m
	of.Metric = fmt.Sprintf("%s where %s is %s", m.Metric, rail.Within, p.Value)
	switch {
	case p.Failures != nil && p.Failures.Refused == nil:
		of.Failures = p.Failures
		return g.failed(stage, c, of, rail), true
	case p.Judgement != nil && p.Judgement.Refused == nil:
		of.Judgement = p.Judgement
		return g.weigh(stage, c, of, rail), true
	case p.Failures != nil || p.Judgement != nil:
		// Values that are all equal have no noise to measure harm against; the
		// guardrail itself asks them together with all others.
		c.State, c.Code, c.Text = Pass, "unknown", of.Metric+" cannot be told apart from others"
		return c, true
	}
	return c, false
}
