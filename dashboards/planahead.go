package dashboards

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/dashboards/chart"
	"github.com/sluice-hq/sluice/decisions"
)

// PlanOutlook is what a plan may expect of present traffic.
type PlanOutlook struct {
	Lead     string
	Stages   []StageAhead
	Warnings []string
	Power    []PowerRow
	Charts   []chart.Chart // of the first metrics
}

// StageAhead is one stage: when it begins, how long it takes, what it sees.
type StageAhead struct {
	Name, Kind, Begins, Takes, Waits string
	Units                            int64
	Asks, Sees                       []string
	Late                             bool
}

// PowerRow is the smallest effect that a metric shows in the end, and when it
// shows the one that the plan wants.
type PowerRow struct{ Metric, Role, Wanted, When, Least, On string }

// maxPowerCharts is how many metrics are drawn; the table has all of them.
const maxPowerCharts = 4

// NewPlanOutlook makes sentences and charts of an outlook.
func NewPlanOutlook(o decisions.Outlook) *PlanOutlook {
	out := &PlanOutlook{Warnings: sentences(o.Warnings)}
	out.Lead = fmt.Sprintf("%s units came in the %s days that were looked at. ", count(o.Past.Units), count(int64(math.Round(o.Past.Until.Sub(o.Past.From).Hours()/24))))
	if o.Days == nil {
		out.Lead += "At this traffic the last stage is not reached by itself."
	} else {
		out.Lead += "At this traffic the last stage begins " + onDay(o.Days) + ", if the change is harmless."
	}
	for _, s := range o.Stages {
		out.Stages = append(out.Stages, stageAhead(s))
	}
	for i, c := range o.Power {
		out.Power = append(out.Power, powerRow(c))
		if i < maxPowerCharts {
			out.Charts = append(out.Charts, powerChart(c, i))
		}
	}
	return out
}

func onDay(d *float64) string {
	if d == nil {
		return "never"
	}
	return "on day " + days(*d)
}

// days writes a number of days with one digit at most.
func days(d float64) string { return fixed(d, map[bool]int{true: 0, false: 1}[d == math.Trunc(d)]) }

func stageAhead(s decisions.StageOutlook) StageAhead {
	out := StageAhead{Name: s.Stage, Kind: string(s.Kind), Begins: onDay(s.Begins), Takes: "never ends by itself", Waits: s.Waits, Units: s.Units, Late: s.Late}
	if s.Begins == nil {
		out.Takes = "is not reached"
	} else if s.Days != nil {
		out.Takes = days(*s.Days) + " days"
	}
	for _, a := range s.Asks {
		out.Asks = append(out.Asks, asks(a))
	}
	for _, x := range s.Sees {
		var parts []string
		if x.Detects > 0 {
			parts = append(parts, "shows harm of "+percent(x.Detects))
		}
		if x.Excludes > 0 {
			parts = append(parts, "excludes harm of "+percent(x.Excludes))
		}
		if x.Stops > 0 {
			parts = append(parts, "nobody failed in the past: "+count(x.Stops)+" failing units stop, and "+percent(x.Notices)+" of the treated")
		}
		if len(parts) > 0 {
			out.Sees = append(out.Sees, x.Metric+": "+strings.Join(parts, ", "))
		}
	}
	return out
}

func asks(a decisions.Asked) string {
	what := map[string]string{"exclude": "harm of %s excluded", "margin": "the margin of %s held", "success": "an effect of %s found"}[a.Asks]
	text := a.Metric + ": " + fmt.Sprintf(cmp.Or(what, a.Asks+" %s"), percent(a.Size))
	switch {
	case a.Refused != "":
		return text + ", which cannot be foreseen: " + a.Refused
	case a.Days == nil:
		text += " never"
	case a.AtLeast:
		text += " after " + days(*a.Days) + " days at the earliest, with " + count(a.Units) + " units of each arm or more"
	default:
		text += " after " + days(*a.Days) + " days, with " + count(a.Units) + " units of each arm"
	}
	if a.Reach > 0 {
		text += "; in reach is " + percent(a.Reach)
	}
	return text
}

func powerRow(c decisions.Curve) PowerRow {
	last := c.Points[len(c.Points)-1]
	row := PowerRow{Metric: c.Metric, Role: c.Role, Least: percent(last.Effect), On: "day " + days(last.Day), Wanted: "none", When: "—"}
	if c.Wanted > 0 {
		row.Wanted, row.When = percent(c.Wanted), "not by day "+days(last.Day)
	}
	for _, p := range c.Points {
		if c.Wanted > 0 && p.Effect <= c.Wanted {
			row.When = "by day " + days(p.Day)
			break
		}
	}
	return row
}

// powerChart draws how the smallest effect that is seen gets smaller.
func powerChart(c decisions.Curve, i int) chart.Chart {
	row := powerRow(c)
	p := chart.Plot{ID: "power-" + strconv.Itoa(i), Title: "Smallest effect that " + c.Metric + " shows", Height: 240,
		Desc: "By " + row.On + " " + c.Metric + " shows an effect of " + row.Least + " or more, four times in five.",
		X:    chart.Axis{Label: "day of the rollout", Holds: []float64{0}}, Y: chart.Axis{Label: "smallest effect in " + c.Metric, Format: percent, Holds: []float64{0}},
		Table: chart.Table{Head: []string{"Day", "Smallest effect"}}}
	line := chart.Line{Name: "smallest effect that is seen", Class: "treatment"}
	for _, at := range c.Points {
		line.Points = append(line.Points, chart.Point{X: at.Day, Y: at.Effect})
		p.Table.Rows = append(p.Table.Rows, []string{days(at.Day), percent(at.Effect)})
	}
	p.Lines = []chart.Line{line}
	if c.Wanted > 0 {
		p.Desc += " The plan wants " + row.Wanted + ": " + row.When + "."
		p.Levels = []chart.Level{{Name: "what the plan wants", Class: "expected", Y: c.Wanted}}
	}
	return p.Draw()
}
