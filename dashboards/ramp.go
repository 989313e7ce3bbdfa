package dashboards

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/dashboards/chart"
	"github.com/sluice-hq/sluice/decisions"
)

// What the chart of a ramp has room for.
const (
	mostDecided  = 14 // numbered marks, the newest
	mostStacked  = 3  // of either kind in one place
	mostDeployed = 8  // lettered marks, the newest
)

// Deployed is a version of a service that went live while the stage ran.
type Deployed struct {
	Letter        string // on the chart: "A"
	Service, What string // What: its version
	At            time.Time
}

// ramp is one rollout's exposure over time, on its way to a chart.
type ramp struct {
	decisions.Rollout
	now      time.Time
	deployed []Deployed
}

// chart draws who got the treatment when, next to what the plan would have been
// at its shortest windows. The zero Chart is of a rollout that has neither.
func (r ramp) chart() chart.Chart {
	actual, planned := r.actual(), r.planned()
	if len(actual) == 0 && len(planned) == 0 {
		return chart.Chart{}
	}
	p := chart.Plot{
		ID: "ramp", Title: "Exposure over time", Desc: r.conclusion(),
		X: chart.Axis{Time: true}, Y: chart.Axis{Label: "share of units that get " + r.Plan.Arms.Treatment, Format: func(v float64) string { return short(v) }, Holds: []float64{0, 1}},
		Lines: []chart.Line{{Name: "actual", Class: "treatment", Step: true, Points: actual}},
		Marks: r.marks(), Table: r.table(),
	}
	if len(planned) > 0 {
		p.Lines = append([]chart.Line{{Name: "planned, at the shortest windows", Class: "planned", Step: true, Points: planned}}, p.Lines...)
	}
	c := p.Draw()
	if rows := stacked(c); rows > 2 {
		p.Height = chart.Height + 20*float64(rows-2)
		c = p.Draw()
	}
	return c
}

// stacked counts the rows that the heads of marks take.
func stacked(c chart.Chart) int {
	rows := map[float64]bool{}
	for _, f := range c.Flags {
		rows[f.Row] = true
	}
	return len(rows)
}

// after is the share of the units that get the treatment after a decision.
func after(p decisions.Plan, d decisions.Decision) float64 {
	v := d.Verdict
	if v.Action == decisions.Rollback && v.Stage == d.From || v.Stage < 0 || v.Stage >= len(p.Stages) {
		return 0
	}
	if v.Share > 0 {
		return v.Share.Fraction()
	}
	return p.Stages[v.Stage].Exposure().Fraction()
}

// steers reports whether a decision has changed who gets the treatment.
func steers(d decisions.Decision) bool {
	return d.Verdict.Action.Actuating() && d.Lapsed == ""
}

// actual is the share over time, up to now or a little behind the end.
func (r ramp) actual() []chart.Point {
	if r.Started.IsZero() {
		return nil
	}
	points, share := []chart.Point{{X: seconds(r.Started)}}, 0.0
	for _, d := range r.Decisions {
		if steers(d) {
			share = after(r.Plan, d)
			points = append(points, chart.Point{X: seconds(d.At), Y: share})
		}
	}
	return append(points, chart.Point{X: seconds(r.end()), Y: share})
}

// end is where the picture ends.
func (r ramp) end() time.Time {
	if r.Ended.IsZero() {
		return r.now
	}
	return r.Ended.Add(max(r.Ended.Sub(r.Started)/20, time.Second))
}

// planned is the share at the earliest that the plan allows, from the start or
// from when that is expected.
func (r ramp) planned() []chart.Point {
	if !r.timed() {
		return nil
	}
	at, until := r.from(), time.Time{}
	if !r.Ended.IsZero() {
		until = r.end()
	}
	var points []chart.Point
	for _, s := range r.Plan.Stages {
		if !until.IsZero() && at.After(until) {
			break
		}
		points = append(points, chart.Point{X: seconds(at), Y: s.Exposure().Fraction()})
		at = at.Add(least(s))
	}
	if n := len(points); n > 0 {
		if !until.IsZero() && at.After(until) {
			at = until
		}
		points = append(points, chart.Point{X: seconds(at), Y: points[n-1].Y})
	}
	return points
}

// timed reports whether the plan says how long anything takes before everybody
// has the treatment. Without that there is no earliest time to draw.
func (r ramp) timed() bool {
	return slices.ContainsFunc(r.Plan.Stages, func(s decisions.Stage) bool { return s.Kind() != decisions.Full && s.MinWindow > 0 })
}

// from is when the plan begins.
func (r ramp) from() time.Time {
	switch {
	case !r.Started.IsZero():
		return r.Started
	case r.Schedule != nil && r.Schedule.Lapsed == "":
		return r.Schedule.At
	}
	return r.now
}

// least is the shortest time that a stage takes.
func least(s decisions.Stage) time.Duration {
	if s.Kind() == decisions.Full {
		return time.Duration(s.Observe)
	}
	return time.Duration(s.MinWindow)
}

// conclusion is what the chart shows, in a sentence.
func (r ramp) conclusion() string {
	text := "Now " + reach(r.Rollout) + "."
	switch stage, ok := r.Now(); {
	case r.Started.IsZero():
		return "It has not started: " + reach(r.Rollout) + "."
	case !r.Ended.IsZero():
		return fmt.Sprintf("It went on for %s. Since then %s.", length(r.Ended.Sub(r.Started)), reach(r.Rollout))
	case ok:
		text += fmt.Sprintf(" It is in stage %d of %d, %s, since %s.", r.Stage+1, len(r.Plan.Stages), stage.Name, moment(r.Since))
	}
	return text
}

// marked are the decisions that the chart has a number for: those that changed
// something or asked people for something, the newest of them, and no more in one
// place than can be told apart.
func (r ramp) marked() []int {
	var all []int
	var taken []time.Time
	for i, d := range slices.Backward(r.Decisions) {
		switch a := d.Verdict.Action; {
		case len(all) == mostDecided || r.crowded(taken, d.At):
		case steers(d), a == decisions.Pause, a == decisions.Review, a == decisions.Cleanup:
			all, taken = append(all, i), append(taken, d.At)
		}
	}
	slices.Reverse(all)
	return all
}

// crowded reports whether as many marks as can be told apart would touch one at a
// moment.
func (r ramp) crowded(taken []time.Time, at time.Time) bool {
	touch, n := r.span()/30, 0
	for _, t := range taken {
		if t.Sub(at).Abs().Seconds() <= touch {
			n++
		}
	}
	return n >= mostStacked
}

// span is how many seconds the chart is wide: the plan may lead far beyond now.
func (r ramp) span() float64 {
	all := slices.Concat(r.actual(), r.planned())
	if len(all) == 0 {
		return 0
	}
	byTime := func(a, b chart.Point) int { return cmp.Compare(a.X, b.X) }
	return slices.MaxFunc(all, byTime).X - slices.MinFunc(all, byTime).X
}

func (r ramp) marks() []chart.Mark {
	var all []chart.Mark
	for _, i := range r.marked() {
		all = append(all, chart.Mark{X: seconds(r.Decisions[i].At), Text: strconv.Itoa(i + 1), Class: "decision"})
	}
	var taken []time.Time
	for _, d := range slices.Backward(r.deployed) { // those that have no room are in the list beside the chart
		if !r.crowded(taken, d.At) {
			taken = append(taken, d.At)
			all = append(all, chart.Mark{X: seconds(d.At), Text: d.Letter, Class: "deployment"})
		}
	}
	return all
}

// table is the same in numbers.
func (r ramp) table() chart.Table {
	t := chart.Table{Head: []string{"When", "What", "Share of units"}}
	for i, d := range r.Decisions {
		if steers(d) {
			t.Rows = append(t.Rows, []string{moment(d.At), fmt.Sprintf("decision %d: %s", i+1, moved(r.Plan, d)), short(after(r.Plan, d))})
		}
	}
	at := r.from()
	for _, s := range r.Plan.Stages {
		if !r.timed() {
			break
		}
		t.Rows = append(t.Rows, []string{moment(at), "planned at the earliest: " + s.Name, short(s.Exposure().Fraction())})
		at = at.Add(least(s))
	}
	return t
}

// deployments gives the newest deployments letters, in the order of their time.
func deployments(e *decisions.Evidence) []Deployed {
	if e == nil {
		return nil
	}
	newest := slices.Clone(e.Deployments[:min(len(e.Deployments), mostDeployed)])
	slices.SortStableFunc(newest, func(a, b decisions.Deployment) int { return a.At.Compare(b.At) })
	all := make([]Deployed, len(newest))
	for i, d := range newest {
		all[i] = Deployed{Letter: string(rune('A' + i)), Service: d.Service, What: d.Version, At: d.At}
	}
	return all
}
