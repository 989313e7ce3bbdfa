package dashboards

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/dashboards/chart"
	"github.com/sluice-hq/sluice/decisions"
)

// OverTime is how one metric and the units came about.
type OverTime struct {
	Metric    string
	Metrics   []Option // to choose from
	Keep      []Fact   // the rest of the question, as the form sends it
	Action    string
	Lift      *chart.Chart // nil: nothing could be compared at any look
	Units     *chart.Chart
	Events    []Event   // what the marks of both stand for
	Until     time.Time // of the last look in it
	Taken     int       // looks there were
	Versioned bool      // some looks are of an earlier version of the plan
}

// Event is what a mark on the charts stands for.
type Event struct {
	Mark Sign // as it stands on the chart
	At   time.Time
	Text string
	Link string // of the record; empty: none
}

// Sign is the head of a mark on a chart: a number, or v and a number. It never
// comes from outside.
type Sign string

// overTime draws the looks that were read.
func overTime(g Glance, metric string, rows []Row) OverTime {
	looks := g.Found.Trail
	o := OverTime{Metric: metric, Action: ReadoutLink(g.Rollout), Taken: g.Taken, Keep: []Fact{{"read", "now"}}}
	for _, r := range rows {
		if n := len(o.Metrics); n == 0 || o.Metrics[n-1].Value != r.Metric {
			o.Metrics = append(o.Metrics, Option{r.Metric, r.Metric})
		}
	}
	if len(looks) == 0 {
		return o
	}
	o.Until = looks[len(looks)-1].At
	o.Events = happened(g.Rollout, looks[0].At, o.Until)
	at := slices.IndexFunc(plays(g.Rollout.Plan.Metrics), func(p part) bool { return p.metric == metric })
	if at >= 0 {
		s := series{glance: g, part: plays(g.Rollout.Plan.Metrics)[at], since: lastVersion(g.Rollout, o.Until)}
		o.Lift, o.Versioned = drawn(s.lift(looks, o.Events)), s.versioned
	}
	o.Units = drawn(units(g.Rollout, looks, o.Events))
	return o
}

// happened lists decisions that moved something, and versions of the plan, in
// the order of time. Decisions keep the numbers that they have everywhere.
func happened(r decisions.Rollout, from, until time.Time) []Event {
	var all []Event
	for _, d := range history(r) {
		text := string(d.Mark)
		if d.Change != "" {
			text += ": " + d.Change
		}
		if d.Change != "" || d.Mark != Holding {
			all = append(all, Event{Mark: Sign(strconv.Itoa(d.Number)), At: d.At, Text: text, Link: d.Link})
		}
	}
	for _, v := range r.Versions {
		all = append(all, Event{Mark: Sign("v" + strconv.Itoa(v.Version)), At: v.At, Text: v.Text()})
	}
	all = slices.DeleteFunc(all, func(e Event) bool { return e.At.Before(from.Add(-time.Minute)) || e.At.After(until) })
	slices.SortStableFunc(all, func(a, b Event) int { return a.At.Compare(b.At) })
	return all
}

// lastVersion returns since when the plan is as it was at a time; zero: always.
func lastVersion(r decisions.Rollout, until time.Time) (since time.Time) {
	for _, v := range r.Versions {
		if !v.At.After(until) {
			since = v.At
		}
	}
	return since
}

// series is one metric look by look.
type series struct {
	glance    Glance
	part      part
	since     time.Time // looks before it are of an earlier version of the plan
	versioned bool      // there are such looks
	row       Row       // of the last look
}

// lift draws the lift with both intervals. What an earlier version of the plan
// measured is dotted: another definition is another number.
func (s *series) lift(looks []decisions.Look, events []Event) chart.Plot {
	always, fixed := chart.Band{Name: "always-valid 95 % interval", Class: "always"}, chart.Band{Name: "95 % interval of a single look", Class: "fixed"}
	now, before := chart.Line{Name: "lift", Class: "treatment"}, chart.Line{Name: "lift under an earlier version of the plan", Class: "planned"}
	p := chart.Plot{ID: "lift", Title: "Lift of " + s.part.metric + " over time", X: chart.Axis{Time: true}, Y: chart.Axis{Label: "lift", Format: short},
		Levels: []chart.Level{{Name: "no change", Class: "zero"}}, Marks: marks(events),
		Table: chart.Table{Head: []string{"Look", "Lift", "Always-valid 95 % interval", "Fixed 95 % interval"}}}
	excluded := time.Time{} // since when zero is
	for _, l := range looks {
		s.row = s.part.row(Seen{Rollout: s.glance.Rollout, Evidence: &l.Evidence})
		lift := s.row.Lift
		if lift == nil || math.IsNaN(lift.Relative) {
			continue
		}
		x := seconds(l.At)
		line := &now
		if l.At.Before(s.since) {
			line, s.versioned = &before, true
		}
		line.Points = append(line.Points, chart.Point{X: x, Y: lift.Relative})
		always.Points = append(always.Points, ranged(x, lift.Always))
		fixed.Points = append(fixed.Points, ranged(x, lift.Fixed))
		p.Table.Rows = append(p.Table.Rows, []string{moment(l.At), change(lift.Relative), span(lift.Always), span(lift.Fixed)})
		switch clear := lift.Always.Lo > 0 || lift.Always.Hi < 0; {
		case !clear:
			excluded = time.Time{}
		case excluded.IsZero():
			excluded = l.At
		}
	}
	p.Bands, p.Lines = []chart.Band{always, fixed}, []chart.Line{now}
	if s.versioned {
		p.Lines = append(p.Lines, before)
	}
	if at, ok := s.row.Bound(); ok {
		p.Levels = append(p.Levels, chart.Level{Name: "margin", Class: "margin", Y: at})
	}
	p.Desc, p.Table = s.said(excluded), thinned(p.Table)
	return p
}

// said is the conclusion of the chart.
func (s *series) said(excluded time.Time) string {
	text := s.row.conclusion(confidence)
	switch {
	case s.row.Lift == nil:
	case excluded.IsZero():
		text += " The always-valid interval holds zero."
	default:
		text += " The always-valid interval excludes zero since " + moment(excluded) + "."
	}
	return text
}

func ranged(x float64, i Interval) chart.Range {
	if math.IsInf(i.Lo, 0) && math.IsInf(i.Hi, 0) {
		return chart.Range{X: x, Lo: math.NaN(), Hi: math.NaN()} // nothing is bounded yet
	}
	return chart.Range{X: x, Lo: i.Lo, Hi: i.Hi}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func marks(events []Event) []chart.Mark {
	all := make([]chart.Mark, len(events))
	for i, e := range events {
		all[i] = chart.Mark{X: seconds(e.At), Text: string(e.Mark)}
	}
	return all
}

// units draws how many units each arm has, and how many of all it was promised.
func units(r decisions.Rollout, looks []decisions.Look, events []Event) chart.Plot {
	arms := r.Plan.Arms
	treatment, control := chart.Line{Name: arms.Treatment, Class: "treatment"}, chart.Line{Name: arms.Control, Class: "control"}
	expected := chart.Line{Name: "expected of " + arms.Treatment, Class: "planned"}
	p := chart.Plot{ID: "units", Title: "Units of each arm over time", X: chart.Axis{Time: true}, Marks: marks(events),
		Y:     chart.Axis{Label: "units", Holds: []float64{0}, Format: func(v float64) string { return count(int64(math.Round(v))) }},
		Table: chart.Table{Head: []string{"Look", arms.Treatment, arms.Control, "expected of " + arms.Treatment}}}
	for _, l := range looks {
		e := l.Evidence
		t, c, x := e.UnitsOf("", arms.Treatment), e.UnitsOf("", arms.Control), seconds(l.At)
		if t+c == 0 {
			continue
		}
		share := r.Promised(e.Units)
		promised := share * float64(t+c)
		treatment.Points = append(treatment.Points, chart.Point{X: x, Y: float64(t)})
		control.Points = append(control.Points, chart.Point{X: x, Y: float64(c)})
		expected.Points = append(expected.Points, chart.Point{X: x, Y: promised})
		p.Table.Rows = append(p.Table.Rows, []string{moment(l.At), count(t), count(c), count(int64(math.Round(promised)))})
		p.Desc = fmt.Sprintf("%s has %s of %s units, %s; %s were expected.", arms.Treatment, count(t), count(t+c), percent(float64(t)/float64(t+c)), percent(share))
	}
	p.Lines, p.Table = []chart.Line{expected, control, treatment}, thinned(p.Table)
	return p
}

// mostTold is how many looks the table beside a chart has. Nobody reads two
// hundred, and a page that renews itself would send them every time.
const mostTold = 50

// thinned keeps every n-th look of a table, back from the last one.
func thinned(t chart.Table) chart.Table {
	n := (len(t.Rows) + mostTold - 1) / mostTold
	if n < 2 {
		return t
	}
	var rows [][]string
	for i := len(t.Rows) - 1; i >= 0; i -= n {
		rows = append(rows, t.Rows[i])
	}
	slices.Reverse(rows)
	return chart.Table{Head: t.Head, Rows: rows, Note: fmt.Sprintf("one look in %d", n)}
}
