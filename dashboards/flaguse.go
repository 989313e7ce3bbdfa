package dashboards

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-hq/sluice/dashboards/chart"
	"github.com/sluice-hq/sluice/flags"
)

// FlagUse is the page of how often a flag gave which answer.
type FlagUse struct {
	Frame
	Top    FlagTop
	Filter Form
	Lead   string
	Chart  *chart.Chart // nil: nothing was counted
	Rows   []UseRow
	Empty  *Empty
	Seen   []Fact
	AsOf   AsOf
}

func (FlagUse) template() string { return "flaguse" }

// UseRow is what was counted of one variant and reason.
type UseRow struct{ Variant, Reason, Asked, Listed, Exposures string }

// Used is what was counted of a flag in an environment.
type Used struct {
	Environment string
	Days        int
	Usage       []flags.Usage
	Seen        flags.Seen
	Missing     string // why nothing is known; empty: it is
}

// NewFlagUse makes the page.
func NewFlagUse(f Frame, s FlagSeen, environments []string, u Used, asOf AsOf, now time.Time) FlagUse {
	p := FlagUse{Frame: f, Top: newFlagTop(f, s, TabUse), AsOf: asOf, Seen: usedFacts(u, now)}
	p.Filter = Form{ID: "filter", Action: flagLink(s.Flag.Key), Get: true, Button: "Show", Fields: []Field{
		{Name: "tab", Kind: AsHidden, Value: string(TabUse)},
		choice("environment", "Environment", u.Environment, "", environments...),
		choice("days", "Days", fmt.Sprint(u.Days), "", "7", "14", "30", "90"),
	}}
	what, of := counted(u.Usage)
	byVariant := perDay(u.Usage, of)
	switch {
	case u.Missing != "":
		p.Empty = &Empty{Title: "Nothing is known of evaluations", Text: u.Missing, Command: "sluice usage " + s.Flag.Key + " -e " + u.Environment}
	case len(byVariant) == 0:
		p.Empty = &Empty{Title: "No evaluation was counted", Text: "Nobody asked for the flag in " + u.Environment + " in this time, or nobody reports it.", Command: "sluice evaluate " + s.Flag.Key + " -e " + u.Environment + " -u user-14"}
	default:
		p.Lead = leadOf(u, what, byVariant)
		c := useChart(p.Lead, what, byVariant)
		p.Chart, p.Rows = &c, useRows(u.Usage)
	}
	return p
}

func usedFacts(u Used, now time.Time) []Fact {
	out := []Fact{{"Last evaluation", "none was counted"}}
	if !u.Seen.Asked.IsZero() {
		out[0].Value = moment(u.Seen.Asked)
	}
	if !u.Seen.Listed.IsZero() {
		out = append(out, Fact{"Last fetched with all flags", moment(u.Seen.Listed)})
	}
	if why := u.Seen.Doubt(now); why != "" {
		out = append(out, Fact{"Nobody seen is not nobody", why})
	}
	return out
}

// variantDays are the evaluations of one variant by day.
type variantDays struct {
	variant string
	total   int64
	days    map[flags.Date]int64
}

// counted says what tells best how often a flag is used: evaluations one by one,
// or where nobody reports those the exposures that were sent. Together they
// would count twice whoever does both.
func counted(usage []flags.Usage) (what string, of func(flags.Usage) int64) {
	if slices.ContainsFunc(usage, func(u flags.Usage) bool { return u.Asked > 0 }) {
		return "evaluations", func(u flags.Usage) int64 { return u.Asked }
	}
	return "exposures", func(u flags.Usage) int64 { return u.Exposures }
}

// perDay adds up what was counted, the most frequent variant first.
func perDay(usage []flags.Usage, of func(flags.Usage) int64) []variantDays {
	var all []variantDays
	for _, u := range usage {
		i := slices.IndexFunc(all, func(v variantDays) bool { return v.variant == u.Variant })
		if i < 0 {
			i, all = len(all), append(all, variantDays{variant: u.Variant, days: map[flags.Date]int64{}})
		}
		n := of(u)
		all[i].total += n
		all[i].days[u.Day] += n
	}
	all = slices.DeleteFunc(all, func(v variantDays) bool { return v.total == 0 })
	slices.SortStableFunc(all, func(a, b variantDays) int { return int(min(max(b.total-a.total, -1), 1)) })
	return all
}

// leadOf says what was counted in a sentence.
func leadOf(u Used, what string, all []variantDays) string {
	var total int64
	for _, v := range all {
		total += v.total
	}
	first := all[0]
	return fmt.Sprintf("In %s, %s of %s %s in %d days gave %s.", u.Environment, short(math.Round(1000*float64(first.total)/float64(total))/1000), count(total), what, u.Days, orCode(first.variant))
}

// mostLines is how many variants have a line of their own: the style sheet tells
// so many apart without colour.
const mostLines = 5

// lineClasses are the strokes of the variants, the most frequent first. None of
// them is the one that says worse: a variant that is served is neither.
var lineClasses = []string{"treatment", "control", "chain", "planned", "thin"}

func useChart(lead, what string, all []variantDays) chart.Chart {
	p := chart.Plot{ID: "use", Title: "By day and variant: " + what, Desc: lead, X: chart.Axis{Time: true},
		Y: chart.Axis{Label: what + " a day", Format: large, Holds: []float64{0}}, Table: chart.Table{Head: []string{"Day"}}}
	days := daysOf(all)
	for i, v := range all {
		p.Table.Head = append(p.Table.Head, orCode(v.variant))
		if i >= mostLines {
			continue
		}
		line := chart.Line{Name: orCode(v.variant), Class: lineClasses[i]}
		for _, d := range days {
			if t, ok := d.Time(); ok {
				line.Points = append(line.Points, chart.Point{X: float64(t.Unix()), Y: float64(v.days[d])})
			}
		}
		p.Lines = append(p.Lines, line)
	}
	for _, d := range days {
		row := []string{string(d)}
		for _, v := range all {
			row = append(row, count(v.days[d]))
		}
		p.Table.Rows = append(p.Table.Rows, row)
	}
	return p.Draw()
}

// daysOf lists every day from the first to the last of which something was
// counted: one without is a zero, no gap.
func daysOf(all []variantDays) []flags.Date {
	var first, last time.Time
	for _, v := range all {
		for d := range v.days {
			t, ok := d.Time()
			if ok && (first.IsZero() || t.Before(first)) {
				first = t
			}
			if ok && t.After(last) {
				last = t
			}
		}
	}
	var out []flags.Date
	for t := first; !first.IsZero() && !t.After(last); t = t.AddDate(0, 0, 1) {
		out = append(out, flags.Date(t.Format(time.DateOnly)))
	}
	return out
}

// useRows adds up by variant and reason.
func useRows(usage []flags.Usage) []UseRow {
	type key struct {
		variant string
		reason  flags.Reason
	}
	sums := map[key]flags.Usage{}
	var order []key
	for _, u := range usage {
		k := key{u.Variant, u.Reason}
		sum, known := sums[k]
		if !known {
			order = append(order, k)
		}
		sum.Asked, sum.Listed, sum.Exposures = sum.Asked+u.Asked, sum.Listed+u.Listed, sum.Exposures+u.Exposures
		sums[k] = sum
	}
	var out []UseRow
	for _, k := range order {
		s := sums[k]
		out = append(out, UseRow{orCode(k.variant), string(k.reason), count(s.Asked), count(s.Listed), count(s.Exposures)})
	}
	return out
}

// large writes a number on an axis in the room that there is: 1.5 M.
func large(v float64) string {
	for _, unit := range []struct {
		name string
		of   float64
	}{{"G", 1e9}, {"M", 1e6}, {"k", 1e3}} {
		if math.Abs(v) >= unit.of {
			return strconv.FormatFloat(math.Round(10*v/unit.of)/10, 'f', -1, 64) + space + unit.name
		}
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
