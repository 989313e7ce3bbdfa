package dashboards

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/decisions/rehearsal"
	"github.com/sluice-hq/sluice/event"
)

// PlanRehearsal is what came of a plan on made-up units.
type PlanRehearsal struct {
	Lead string
	Rows []RehearsedRow
	Runs int // of each scenario, that were carried out
	Of   int // that are meant to be
	Next int // that are asked for next; 0: these are all that a page waits for
}

// Short reports whether a page does not wait for the rest.
func (r PlanRehearsal) Short() bool { return r.Next == 0 && r.Runs < r.Of }

// RehearsedRow is one scenario.
type RehearsedRow struct {
	Scenario, Ended, Alarms, Noticed, Took, Harmed string
	Calm                                           Mark
	First                                          []string // decisions of the first run
}

// Rehearsed is a report, and how far it is on the way to all runs.
type Rehearsed struct {
	Report   rehearsal.Report
	Every    event.Duration // between two looks of its runs
	Of, Next int            // as a PlanRehearsal has them
}

// NewPlanRehearsal makes rows of a report.
func NewPlanRehearsal(of Rehearsed) *PlanRehearsal {
	r, every := of.Report, of.Every
	out := &PlanRehearsal{Runs: r.Seeds, Of: of.Of, Next: of.Next, Lead: fmt.Sprintf("%d runs of each scenario, from seed %d on, with a look every %s. The code that decides is the one of releases; units are as the past had them.", r.Seeds, r.Seed, every)}
	for _, s := range r.Scenarios {
		out.Rows = append(out.Rows, rehearsedRow(s))
	}
	return out
}

func rehearsedRow(s rehearsal.Summary) RehearsedRow {
	row := RehearsedRow{Scenario: s.Scenario.Name, Alarms: fmt.Sprintf("%d of %d", s.Alarms, s.Runs), Calm: Passed, Noticed: "nothing to notice", Took: "—", Harmed: "none"}
	if s.Alarms > 0 {
		row.Calm = Failed
	}
	var ends []string
	for _, end := range slices.Sorted(maps.Keys(s.Ended)) {
		ends = append(ends, fmt.Sprintf("%s %d", endWords[end], s.Ended[end]))
	}
	row.Ended = strings.Join(ends, ", ")
	if s.First.Began != nil {
		row.Noticed = fmt.Sprintf("%d of %d", s.Detected, s.Runs)
	}
	if s.Detection.N > 0 {
		row.Took = inHours(s.Detection.Middle) + " (" + inHours(s.Detection.Low) + " to " + inHours(s.Detection.High) + ")"
	}
	if s.Harmed.High > 0 {
		row.Harmed = fmt.Sprintf("%s (%s to %s)", count(int64(s.Harmed.Middle)), count(int64(s.Harmed.Low)), count(int64(s.Harmed.High)))
	}
	for _, d := range s.First.Decisions {
		row.First = append(row.First, fmt.Sprintf("After %s: %s. %s", d.After, d.Action, sentence(d.Text)))
	}
	return row
}

var endWords = map[rehearsal.End]string{
	rehearsal.RolledBack: "rolled back", rehearsal.Paused: "paused", rehearsal.Reviewed: "under review", rehearsal.Unanswered: "unanswered",
	rehearsal.Shipped: "shipped", rehearsal.Running: "still running",
}

func inHours(hours float64) string {
	return length(time.Duration(hours * float64(time.Hour)))
}
