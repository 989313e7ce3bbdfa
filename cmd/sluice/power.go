package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// powerCmd tells what a plan may expect before anybody is exposed.
type powerCmd struct {
	client
	output
	Plan    string `arg:"" help:"File with the plan, or - for standard input; or a rollout, as environment/flag/number."`
	Days    int    `help:"How many days of the past tell who will come and what they do." default:"14"`
	Traffic string `help:"Flag whose exposures tell who will come, for a flag that nobody has met yet."`
}

// Help says what the numbers rest on.
func (powerCmd) Help() string {
	return `How long each stage of a plan takes at present traffic when the change is harmless, and which harm
it detects and excludes by then. What the metrics are like is counted in the past, over the gate
window of each, from the exposures of units that met control.

  sluice power plan.yaml
  sluice power plan.yaml --traffic checkout.enabled --days 28
  sluice power production/checkout/1

For numbers of your own, see sluice stats power.`
}

// rolloutName tells a rollout from a file.
var rolloutName = regexp.MustCompile(`^[^/]+/[^/]+/[0-9]+$`)

// Run prints the outlook of every plan. Exit status 2 says that one does not
// arrive at its last stage, or could not be started.
func (c powerCmd) Run(ctx context.Context) error {
	found, err := c.outlooks(ctx)
	if err != nil {
		return err
	}
	err = c.write(found, func(w io.Writer) {
		for _, v := range found {
			outlookTable(w, v)
		}
	})
	for _, v := range found {
		if err == nil && (v.Outlook.Days == nil || len(v.Preflight.Faults()) > 0) {
			err = exit(exitWaiting)
		}
	}
	return err
}

func (c powerCmd) outlooks(ctx context.Context) ([]server.OutlookView, error) {
	query := set(url.Values{"days": {strconv.Itoa(c.Days)}}, "traffic", c.Traffic).Encode()
	if rolloutName.MatchString(c.Plan) {
		path, err := rolloutPath(c.Plan)
		if err != nil {
			return nil, err
		}
		var one server.OutlookView
		err = c.get(ctx, "/api/v1/rollouts/"+path+"/outlook?"+query, &one)
		return []server.OutlookView{one}, err
	}
	source, err := slurp(c.Plan)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	var all struct {
		Outlooks []server.OutlookView `json:"outlooks"`
	}
	err = c.do(ctx, http.MethodPost, "/api/v1/rollouts/outlook?"+query, "application/yaml", bytes.TrimSpace(source), &all)
	return all.Outlooks, err
}

func outlookTable(w io.Writer, v server.OutlookView) {
	o := v.Outlook
	fmt.Fprintf(w, "%s in %s: %s\n\n", v.Flag, v.Environment, arrival(o))
	fmt.Fprintln(w, "STAGE\tTREATMENT\tBEGINS\tTAKES\tUNITS AN ARM\tWAITS FOR")
	for _, s := range o.Stages {
		waits, units := s.Waits, ""
		if s.Late {
			waits += ", and is not answered in time"
		}
		if s.Units > 0 {
			units = thousands(s.Units)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Stage, s.Treatment, onDay(s.Begins), inDays(s.Days), units, waits)
	}
	asksTable(w, o)
	seesTable(w, o)
	preflightTable(w, v.Preflight)
	for _, text := range o.Warnings {
		fmt.Fprintf(w, "\nWarning: %s.\n", text)
	}
}

// arrival says when the last stage begins, and what that rests on.
func arrival(o decisions.Outlook) string {
	from := "any flag"
	if o.Past.Flag != "" {
		from = o.Past.Flag
	}
	text := fmt.Sprintf("%s units met %s from %s to %s", thousands(o.Past.Units), from, o.Past.From.Format("2006-01-02"), o.Past.Until.Format("2006-01-02"))
	if o.Days == nil {
		return "at this traffic the last stage is not reached; " + text
	}
	return fmt.Sprintf("the last stage begins after %s; %s", inDays(o.Days), text)
}

func asksTable(w io.Writer, o decisions.Outlook) {
	fmt.Fprintln(w, "\nSTAGE\tASKS\tOF\tSIZE\tUNITS AN ARM\tAFTER")
	for _, s := range o.Stages {
		for _, a := range s.Asks {
			after, units := inDays(a.Days), thousands(a.Units)
			switch {
			case a.Refused != "":
				after, units = a.Refused, ""
			case a.Units == 0:
				units = ""
			case a.AtLeast && a.Days != nil:
				after, units = after+", or longer", units+" or more"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Stage, a.Asks, a.Metric, percent(a.Size), units, after)
		}
	}
}

func seesTable(w io.Writer, o decisions.Outlook) {
	fmt.Fprintln(w, "\nSTAGE\tBY ITS END OF\tDETECTS\tEXCLUDES")
	for _, s := range o.Stages {
		for _, m := range s.Sees {
			detects, excludes := harm(m.Detects), harm(m.Excludes)
			if m.Stops > 0 {
				detects, excludes = fmt.Sprintf("%d failing, or %s of the treated", m.Stops, percent(m.Notices)), "nothing without failures"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Stage, m.Metric, detects, excludes)
		}
	}
}

// preflightTable says what would refuse a start, and what cannot be told.
func preflightTable(w io.Writer, before decisions.Preflight) {
	fmt.Fprintln(w, "\nBEFORE THE START\tIS\t")
	for _, c := range before {
		text := c.Text
		if c.Fix != "" {
			text += "; " + c.Fix
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.Name, c.State, text)
	}
}

// harm writes how much worse a metric must be.
func harm(size float64) string {
	if size == 0 {
		return "none"
	}
	return percent(size)
}

func onDay(day *float64) string {
	if day == nil {
		return "never"
	}
	return fmt.Sprintf("day %.1f", *day)
}

func inDays(days *float64) string {
	if days == nil {
		return "never"
	}
	return fmt.Sprintf("%.1f days", *days)
}
