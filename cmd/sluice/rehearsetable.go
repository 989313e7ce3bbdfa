package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/sluice-hq/sluice/decisions/rehearsal"
	"github.com/sluice-hq/sluice/event"
)

// show prints the reports. An expectation that is not met asks for exit status 2.
func (c rehearseCmd) show(reports []rehearsal.Report) error {
	if err := c.print(reports); err != nil {
		return err
	}
	for _, r := range reports {
		if !r.OK() {
			return exit(exitWaiting)
		}
	}
	return nil
}

func (c rehearseCmd) print(reports []rehearsal.Report) error {
	if c.Output == "md" {
		for _, r := range reports {
			rehearsalPage(os.Stdout, r)
		}
		return nil
	}
	return output{c.Output}.write(reports, func(w io.Writer) {
		for _, r := range reports {
			rehearsalTable(w, r)
		}
	})
}

// rehearsalHead names the columns of a report.
var rehearsalHead = []string{"SCENARIO", "ENDED", "FALSE ALARMS", "DETECTED", "AFTER", "HARMED UNITS", "A FIXED WEEK WOULD HARM"}

func rehearsalTable(w io.Writer, r rehearsal.Report) {
	fmt.Fprintf(w, "%s in %s: %s each, from seed %d\n\n", r.Flag, r.Environment, counted(r.Seeds, "run"), r.Seed)
	fmt.Fprintln(w, strings.Join(rehearsalHead, "\t"))
	for _, s := range r.Scenarios {
		fmt.Fprintln(w, strings.Join(rehearsalRow(s), "\t"))
	}
	for _, s := range r.Scenarios {
		fmt.Fprintf(w, "\n%s, seed %d:\n", s.Scenario.Name, s.First.Seed)
		for _, d := range s.First.Decisions {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", d.After, actionText(d), d.Text)
		}
	}
	if len(r.Expected) > 0 {
		fmt.Fprintln(w)
	}
	for _, m := range r.Expected {
		fmt.Fprintf(w, "%s\t%s: %s of the runs\n", metWord(m), m.Expect, percent(m.Share))
	}
}

// rehearsalRow is one scenario as cells.
func rehearsalRow(s rehearsal.Summary) []string {
	share := func(n int) string { return percent(float64(n) / float64(max(s.Runs, 1))) }
	cells := []string{s.Scenario.Name, endings(s), share(s.Alarms), "", "", "", ""}
	if s.Detection.N > 0 || s.Harmed.High > 0 {
		cells[3] = share(s.Detected)
		cells[4] = hoursText(s.Detection)
	}
	if s.Harmed.High > 0 {
		cells[5] = unitsText(s.Harmed)
		if s.Fixed != nil {
			cells[6] = unitsText(s.Fixed.Harmed)
		}
	}
	return cells
}

// endings says how the runs ended, the commonest first.
func endings(s rehearsal.Summary) string {
	var parts []string
	for _, e := range []rehearsal.End{rehearsal.Shipped, rehearsal.RolledBack, rehearsal.Paused, rehearsal.Reviewed, rehearsal.Unanswered, rehearsal.Running} {
		if n := s.Ended[e]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", e, percent(float64(n)/float64(s.Runs))))
		}
	}
	return strings.Join(parts, ", ")
}

// hoursText says how long half of the runs took, and nine in ten.
func hoursText(s rehearsal.Spread) string {
	if s.N == 0 {
		return "never"
	}
	return fmt.Sprintf("%s (90 %%: %s)", hours(s.Middle), hours(s.High))
}

func hours(h float64) string { return event.Duration(math.Round(h * 3600e9)).String() }

func unitsText(s rehearsal.Spread) string {
	return fmt.Sprintf("%s (90 %%: %s)", thousands(int64(s.Middle)), thousands(int64(s.High)))
}

func actionText(d rehearsal.Decided) string {
	if d.To == "" {
		return string(d.Action)
	}
	return string(d.Action) + " to " + d.To
}

func metWord(m rehearsal.Met) string {
	if m.OK {
		return "as expected"
	}
	return "NOT AS EXPECTED"
}

// rehearsalPage writes a report as Markdown.
func rehearsalPage(w io.Writer, r rehearsal.Report) {
	fmt.Fprintf(w, "# Rehearsal of %s in %s\n\n%s of each scenario, from seed %d.\n\n", r.Flag, r.Environment, counted(r.Seeds, "run"), r.Seed)
	line := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	head := make([]string, len(rehearsalHead))
	for i, h := range rehearsalHead {
		head[i] = strings.ToLower(h)
	}
	line(head)
	line(strings.Split(strings.Repeat("---,", len(head)-1)+"---", ","))
	for _, s := range r.Scenarios {
		line(rehearsalRow(s))
	}
	for _, s := range r.Scenarios {
		fmt.Fprintf(w, "\n## %s\n\nSeed %d:\n\n", s.Scenario.Name, s.First.Seed)
		for _, d := range s.First.Decisions {
			fmt.Fprintf(w, "- %s: **%s**. %s\n", d.After, actionText(d), d.Text)
		}
	}
	if len(r.Expected) > 0 {
		fmt.Fprint(w, "\n## Expected\n\n")
	}
	for _, m := range r.Expected {
		fmt.Fprintf(w, "- %s: %s (%s of the runs of %s)\n", metWord(m), m.Expect, percent(m.Share), m.Scenario)
	}
}
