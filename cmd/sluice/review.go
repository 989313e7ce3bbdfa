package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// reviewCmd tells what happened to releases in the last days.
type reviewCmd struct {
	client
	Since  string `default:"7d" help:"How far back: a duration such as 7d, or a time."`
	Output string `short:"o" enum:"table,json,yaml,md" default:"table" help:"table, json, yaml or md (Markdown)."`
}

// Run prints it.
func (c reviewCmd) Run(ctx context.Context) error {
	var v server.ReviewView
	if err := c.get(ctx, "/api/v1/review?"+url.Values{"since": {c.Since}}.Encode(), &v); err != nil {
		return err
	}
	if c.Output == "md" {
		_, err := io.WriteString(os.Stdout, reviewMarkdown(v))
		return err
	}
	return output{c.Output}.write(v, func(w io.Writer) { reviewTable(w, v) })
}

// reviewTable writes the parts of a review one under the other.
func reviewTable(w io.Writer, v server.ReviewView) {
	fmt.Fprintf(w, "%s to %s: %s\n\nWHEN\tWHAT\tABOUT\tBY\tWHY\n", date(v.From), date(v.Until), tallied(v.Counts))
	for _, d := range v.Decisions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", d.At.Format("2006-01-02 15:04"), deed(d), d.Rollout, d.By, d.Text)
	}
	for _, d := range v.Overrides {
		fmt.Fprintf(w, "%s\toverride\t%s\t%s\t%s (against %s)\n", d.At.Format("2006-01-02 15:04"), d.Rollout, d.By, d.Rationale, d.Against)
	}
	for _, i := range v.Incidents {
		fmt.Fprintf(w, "%s\t%s incident, %s\t%s/%s\t%s\t%s\n", i.Since.Format("2006-01-02 15:04"), i.Severity, ended(i), i.Environment, i.Flag, i.By, i.Text)
	}
	for _, d := range v.Drills {
		fmt.Fprintf(w, "%s\tdrill\t%s\t%s\t%s\n", d.At.Format("2006-01-02 15:04"), d.Rollout, d.By, d.Text)
	}
	for _, f := range v.Stale {
		fmt.Fprintf(w, "now\tstale flag\t%s\t%s\t%s\n", f.Key, f.Owner, strings.Join(f.Reasons, "; "))
	}
}

// deed says what was done: "expand to canary".
func deed(d decisions.Deed) string {
	if d.Stage == "" {
		return d.What
	}
	return d.What + " to " + d.Stage
}

func ended(i decisions.Reported) string {
	if i.Open() {
		return "open"
	}
	return "resolved " + i.Resolved.Format("2006-01-02 15:04")
}
