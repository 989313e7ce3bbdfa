package dashboards

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/sluice-hq/sluice/dashboards/chart"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/stats"
)

// usualDays is over how many days since exposure a change is looked for.
const usualDays = 7

// Novelties is whether effects change with the days since a unit's first
// exposure.
type Novelties struct {
	Form  Form
	Days  int
	Chart *chart.Chart // of the metric whose change is surest
	Rows  []NoveltyRow
	None  string // why there is nothing; empty: there is
}

// NoveltyRow is what the days of one metric say.
type NoveltyRow struct {
	Metric string
	Mark   Mark
	Trend  string
	Slope  string // change of the effect for each day
	Note   string
}

// PeriodAsked returns over how many days the address asks.
func (a Asked) PeriodAsked() int {
	if a.Days < 2 || a.Days > stats.MostDays {
		return usualDays
	}
	return a.Days
}

// days fills in the tab.
func (p *ReadoutPage) days(g Glance, a Asked) {
	p.Refresh = 0
	n := Novelties{Days: a.PeriodAsked()}
	n.Form = Form{ID: "days-form", Action: ReadoutLink(g.Rollout), Get: true, Button: "Count", Fields: []Field{
		{Name: "days", Label: "Days since first exposure", Kind: AsNumber, Must: true, Value: strconv.Itoa(n.Days), Help: "2 to 60. Only units count all of whose days are over."},
		{Name: "tab", Kind: AsHidden, Value: string(OfDays)}, {Name: "read", Kind: AsHidden, Value: "now"},
	}}
	p.Days = &n
	if p.keepsNone(g, a) {
		return
	}
	p.part(g, a, fmt.Sprintf("The first %d days of every unit are counted from the raw events.", n.Days))
	if p.Part.Read && p.Part.Fault == "" {
		n.fill(g)
	}
}

func (n *Novelties) fill(g Glance) {
	all := slices.Clone(g.Found.Novelty)
	if len(all) == 0 {
		n.None = "No metric of the plan can be counted by day. Conversions, counts, sums and failures can."
		return
	}
	slices.SortStableFunc(all, func(x, y Novel) int { return sooner(x.Novelty) - sooner(y.Novelty) })
	for _, v := range all {
		n.Rows = append(n.Rows, noveltyRow(g.Rollout, v))
	}
	n.Chart = drawn(byDay(g.Rollout, all[0]))
}

// sooner puts effects that change before those that do not, and those before
// what cannot be told.
func sooner(n stats.Novelty) int {
	switch {
	case n.Refused != nil:
		return 2
	case n.State == stats.Steady:
		return 1
	}
	return 0
}

func noveltyRow(r decisions.Rollout, v Novel) NoveltyRow {
	def := r.Metrics[v.Metric]
	row := Row{Share: def.Aggregate.Proportion(), Measure: def.UnitOfMeasure}
	out := NoveltyRow{Metric: v.Metric, Mark: Inconclusive, Trend: "no change is established"}
	if v.Refused != nil {
		out.Mark, out.Trend, out.Note = NoData, "not known", v.Refused.Message
		return out
	}
	out.Slope = row.difference(v.Slope.Estimate) + " a day"
	switch v.State {
	case stats.Fading:
		out.Mark, out.Trend = Review, "fades: it may be an effect of newness"
	case stats.Growing:
		out.Mark, out.Trend = Review, "grows: units may need time to learn"
	}
	return out
}

// byDay draws the effect on each day since first exposure.
func byDay(r decisions.Rollout, v Novel) chart.Plot {
	def := r.Metrics[v.Metric]
	row := Row{Share: def.Aggregate.Proportion(), Measure: def.UnitOfMeasure}
	always, fixed := chart.Band{Name: "always-valid 95 % interval", Class: "always"}, chart.Band{Name: "95 % interval of a single look", Class: "fixed"}
	line := chart.Line{Name: "effect", Class: "treatment"}
	p := chart.Plot{ID: "by-day", Title: "Effect on " + v.Metric + " by day since first exposure", X: chart.Axis{Label: "day since first exposure"},
		Y: chart.Axis{Label: "difference", Format: row.difference}, Levels: []chart.Level{{Name: "no difference", Class: "zero"}},
		Desc:  sentence("The effect on " + v.Metric + ": " + noveltyRow(r, v).Trend),
		Table: chart.Table{Head: []string{"Day", "Difference", "Lower end", "Upper end"}}}
	for _, d := range v.Novelty.Days {
		c := d.Comparison
		if c.Refused != nil {
			continue
		}
		x := float64(d.Day)
		line.Points = append(line.Points, chart.Point{X: x, Y: c.Estimate})
		always.Points, fixed.Points = append(always.Points, ranged(x, ends(c.Band))), append(fixed.Points, ranged(x, ends(c.Fixed)))
		p.Table.Rows = append(p.Table.Rows, []string{strconv.Itoa(d.Day), row.difference(c.Estimate), row.difference(c.Band.Low), row.difference(c.Band.High)})
	}
	p.Bands, p.Lines = []chart.Band{always, fixed}, []chart.Line{line}
	return p
}
