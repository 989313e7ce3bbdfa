package server

import (
	"fmt"
	"math"
	"slices"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Closer is what a readout is asked beside the metrics of the plan. No gate asks
// any of it. The zero Closer asks for nothing.
type Closer struct {
	By      []string // attributes of exposures to split by
	Days    int      // days since first exposure to count one by one; 0: none
	Largest bool     // the unit of the largest value in every arm
	Ratio   bool     // the units by day of first exposure
}

// Close is what was counted for a Closer, of the same units as the evidence.
type Close struct {
	Splits  [][]stats.Split            // one list for each attribute: the plan's metrics in its order
	Days    map[string][]stats.Days    // by metric, those that can be counted by day
	Largest map[string][]stats.Largest // by metric, those of which a unit can be larger than others
	Parts   [][]UnitsOf                // one list for each attribute: the units of every segment
	Daily   []UnitsOf                  // the units of every day, in order
	Queries []decisions.Query          // behind all of it
}

// UnitsOf are the units of one day, or of one segment.
type UnitsOf struct {
	Value string // the day as 2026-11-21, or the value of the attribute
	Rest  bool   // the units of all values that have no segment of their own
	Units []decisions.Count
}

// CloserQuery is the part of a question that asks for more than the plan does.
// It is exported because the API layer fills exported fields alone.
type CloserQuery struct {
	By      []string `query:"by,explode" doc:"attributes of exposures to split by, at most 5; the plan's breakdowns when absent" example:"browser"`
	Days    int      `query:"days" minimum:"0" maximum:"60" doc:"days since first exposure to compare one by one, 2 or more: whether the effect is one of newness"`
	Largest bool     `query:"largest" doc:"whether an answer hangs on its largest unit"`
	Ratio   bool     `query:"ratio" doc:"the sample ratio day by day"`
}

// closer returns what is asked of a rollout.
func (in CloserQuery) closer(r decisions.Rollout) (Closer, error) {
	c := Closer(in)
	if len(c.By) == 0 {
		c.By = r.Plan.Metrics.Breakdowns
	}
	var faults event.Invalids
	switch {
	case len(c.By) > decisions.MostBreakdowns:
		faults.Add("by", len(c.By), fmt.Sprintf("are more than %d attributes", decisions.MostBreakdowns), "ask for fewer at a time")
	case slices.Contains(c.By, ""):
		faults.Add("by", "", "is no attribute", "name one that exposures have, such as browser")
	}
	if c.Days == 1 {
		faults.Add("days", 1, "is one day, over which nothing changes", "ask for 2 days or more")
	}
	return c, faults.Err()
}

// asks reports whether more is asked for than what a look keeps.
func (in CloserQuery) asks() bool { return len(in.By) > 0 || in.Days > 0 || in.Largest || in.Ratio }

// BreakdownView is every metric in every segment of one attribute.
type BreakdownView struct {
	Attribute string            `json:"attribute"`
	Metrics   []stats.Segmented `json:"metrics" doc:"exploratory: adjusted for all segments of all metrics of this answer"`
}

// NoveltyView is a metric day by day since a unit's first exposure.
type NoveltyView struct {
	Metric  string        `json:"metric"`
	Novelty stats.Novelty `json:"novelty"`
}

// InfluenceView is a metric with and without its largest unit.
type InfluenceView struct {
	Metric    string          `json:"metric"`
	Influence stats.Influence `json:"influence"`
}

// BalanceView is a metric before the first exposure of its units.
type BalanceView struct {
	Metric  string        `json:"metric"`
	Balance stats.Balance `json:"balance"`
}

// everyLook is how readouts compare: people look at them all the time.
var everyLook = stats.Options{Relative: true, Inference: stats.AlwaysValid}

// breakdowns compares the segments of all attributes, which are one family.
func breakdowns(by []string, splits [][]stats.Split) []BreakdownView {
	done := stats.Breakdown(slices.Concat(splits...), everyLook)
	var views []BreakdownView
	for i, attribute := range by {
		n := len(splits[i])
		views = append(views, BreakdownView{Attribute: attribute, Metrics: done[:n]})
		done = done[n:]
	}
	return views
}

// closer fills in what was asked for beside the plan's metrics.
func (v *ReadoutView) closer(c Closer, found Close) {
	v.Breakdowns, v.Queries = breakdowns(c.By, found.Splits), found.Queries
	for _, m := range v.Evidence.Metrics {
		if days, ok := found.Days[m.Metric]; ok {
			v.Novelty = append(v.Novelty, NoveltyView{m.Metric, stats.JudgeNovelty(days, everyLook)})
		}
		if units, ok := found.Largest[m.Metric]; ok {
			v.Influence = append(v.Influence, InfluenceView{m.Metric, stats.MostInfluential(m.Strata, units, everyLook)})
		}
	}
}

// balance compares the arms before the first exposure, of metrics with a
// baseline, and warns where they differ.
func (v *ReadoutView) balance(r decisions.Rollout) {
	for _, m := range v.Evidence.Metrics {
		if r.Metrics[m.Metric].Lookback == 0 {
			continue
		}
		b := stats.PrePeriod(m.Strata, r.Plan.Health.SRM.Alpha)
		v.Balance = append(v.Balance, BalanceView{m.Metric, b})
		if b.Alarm {
			v.Warnings = append(v.Warnings, m.Metric+" differs between the arms before the first exposure (e = "+eValue(b.LogE)+"): its effect is not the treatment's alone")
		}
	}
}

func eValue(logE float64) string { return fmt.Sprintf("10^%.1f", logE/math.Ln10) }
