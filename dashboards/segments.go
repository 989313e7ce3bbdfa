package dashboards

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/stats"
)

// mostSegmented is how many metrics are shown segment by segment before somebody
// asks for all.
const mostSegmented = 8

// Segments is every metric in the segments of one attribute. It decides nothing.
type Segments struct {
	By      string
	Choices []Tab // attributes of the plan
	Form    Form  // for another one
	Table   Readout
	Method  string // how the answers are taken together
	Hidden  int    // metrics that are not shown
	All     string // address with all of them
	None    string // why there is no segment; empty: there are some
}

// segments fills in the tab.
func (p *ReadoutPage) segments(g Glance, a Asked) {
	p.Refresh = 0
	s := Segments{By: a.Segment, Form: Form{ID: "by", Action: ReadoutLink(g.Rollout), Get: true, Button: "Split", Fields: []Field{
		{Name: "segment", Label: "Attribute of exposures", Kind: AsLine, Must: true, Value: a.Segment, Hint: "country", Help: "Splitting reads the raw events, which may take some seconds."},
		{Name: "tab", Kind: AsHidden, Value: string(OfSegments)}, {Name: "read", Kind: AsHidden, Value: "now"},
	}}}
	for _, by := range g.Rollout.Plan.Metrics.Breakdowns {
		s.Choices = append(s.Choices, Tab{Name: by, Link: g.address(a.split(by)), Here: by == a.Segment})
	}
	p.Segments = &s
	if p.keepsNone(g, a) || a.Segment == "" {
		return
	}
	p.part(g, a, "The units are split by "+a.Segment+" from the raw events.")
	if p.Part.Read && p.Part.Fault == "" {
		s.fill(g, a)
	}
}

// keepsNone says of a look of the past that it keeps only what gates ask.
func (p *ReadoutPage) keepsNone(g Glance, a Asked) bool {
	if a.At.IsZero() {
		return false
	}
	p.Part = Part{Read: true, Fault: "A look keeps what the gates ask, and nothing of this.", Fix: "Look at it as it is now."}
	return true
}

// fill puts the metrics whose effect differs most between segments first.
func (s *Segments) fill(g Glance, a Asked) {
	tables := slices.Clone(g.Found.Segmented)
	slices.SortStableFunc(tables, func(x, y stats.Segmented) int {
		return cmp.Or(cmp.Compare(x.Interaction.AdjustedP, y.Interaction.AdjustedP), cmp.Compare(x.Interaction.FixedP, y.Interaction.FixedP))
	})
	some := slices.ContainsFunc(tables, func(t stats.Segmented) bool { return len(t.Segments) > 0 })
	if !some {
		s.None = "No exposure that counts has the attribute " + a.Segment + "."
		return
	}
	s.Method = tables[0].Method
	if !a.All && len(tables) > mostSegmented {
		s.Hidden = len(tables) - mostSegmented
		tables = tables[:mostSegmented]
		a.All = true
		s.All = g.address(a)
	}
	s.Table.Level = confidence
	for _, t := range tables {
		s.Table.Rows = append(s.Table.Rows, segmented(g.Rollout, t)...)
	}
}

// segmented makes the rows of one metric, one for each segment.
func segmented(r decisions.Rollout, t stats.Segmented) []Row {
	def := r.Metrics[t.Metric]
	var rows []Row
	for _, e := range t.Segments {
		row := Row{Metric: t.Metric, Role: roleOf(r.Plan.Metrics, t.Metric), Arm: valueName(e.Value, e.Rest), Group: interaction(t.Interaction),
			Share: def.Aggregate.Proportion(), Measure: def.UnitOfMeasure, Lower: def.Direction == stats.Decrease, Verdict: NoData}
		c := e.Comparison
		row.Control, row.Treatment = Level{c.Control.N, c.Control.Mean}, Level{c.Treatment.N, c.Treatment.Mean}
		switch {
		case c.Refused != nil:
			row.Note = c.Refused.Message
		default:
			row.Verdict = Inconclusive
			row.Lift = &Lift{Relative: c.Estimate, Absolute: c.Treatment.Mean - c.Control.Mean, Always: ends(e.Interval), Fixed: ends(c.Fixed)}
			row.Note = "adjusted p " + equals(e.P)
			if e.StandsOut {
				row.Verdict = wanted(c.Estimate, row.Lower)
				row.Note += ", stands out"
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// wanted marks an effect that is beyond doubt.
func wanted(effect float64, lower bool) Mark {
	if (effect > 0) == lower {
		return Worse
	}
	return Better
}

func roleOf(m decisions.Metrics, key string) Role {
	for _, p := range plays(m) {
		if p.metric == key {
			return p.role
		}
	}
	return Diagnostic
}

// valueName names a segment.
func valueName(value string, rest bool) string {
	switch {
	case rest:
		return "all others"
	case value == "":
		return "without the attribute"
	}
	return value
}

// interaction says whether the effect differs between segments.
func interaction(i stats.Interaction) string {
	switch {
	case i.Refused != nil:
		return "no test of interaction: " + i.Refused.Message
	case i.Differs:
		return "the effect differs between segments (adjusted p " + equals(i.AdjustedP) + ")"
	}
	return fmt.Sprintf("no difference between segments is shown (adjusted p %s, %s of the variation is more than noise)",
		equals(i.AdjustedP), short(math.Round(i.Excess*100)/100))
}
