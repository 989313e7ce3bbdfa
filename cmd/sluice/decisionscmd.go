package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/server"
)

// decisionsCmd is about recorded decisions.
type decisionsCmd struct {
	List      decisionsListCmd      `cmd:"" default:"withargs" help:"List decisions, newest first."`
	Show      decisionsShowCmd      `cmd:"" help:"The page of one decision: what was decided, by whom, and on what."`
	Verify    decisionsVerifyCmd    `cmd:"" help:"Whether a decision follows from its record, and the record is what was written."`
	Recompute decisionsRecomputeCmd `cmd:"" help:"Make a decision again: from its record, from today's data, and with what came late."`
	Export    decisionsExportCmd    `cmd:"" help:"Write decisions as Markdown, or as JSON that can be verified without a server."`
}

// decisionsListCmd lists decisions.
type decisionsListCmd struct {
	client
	output
	ID      string `arg:"" optional:"" hidden:"" help:"A decision, to show its page."`
	Rollout string `help:"Of this rollout alone: environment/flag/number."`
}

// Run prints the decisions.
func (c decisionsListCmd) Run(ctx context.Context) error {
	if c.ID != "" {
		return decisionsShowCmd{client: c.client, output: c.output, ID: c.ID}.Run(ctx)
	}
	all, err := c.decisions(ctx, c.Rollout)
	if err != nil {
		return err
	}
	return c.write(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "Nothing is decided yet.")
			return
		}
		fmt.Fprintln(w, "TIME\tROLLOUT\tVERDICT\tBY\tWHY\tID")
		for _, d := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.At.Format("2006-01-02 15:04:05"), d.Rollout, d.Verdict.Action, d.By, d.Verdict.Text, d.ID)
		}
	})
}

func (c client) decisions(ctx context.Context, rollout string) ([]server.DecisionView, error) {
	return list[server.DecisionView](ctx, c, "/api/v1/decisions", "decisions", set(url.Values{}, "rollout", rollout), 0)
}

// decisionsShowCmd shows the page of a decision.
type decisionsShowCmd struct {
	client
	output
	ID  string `arg:"" help:"A decision, as lists and pages show it."`
	SQL bool   `help:"With the text of every query at the end."`
}

// Run prints the page, or the record behind it.
func (c decisionsShowCmd) Run(ctx context.Context) error {
	record, err := c.record(ctx, c.ID)
	if err != nil {
		return err
	}
	text, err := record.Page(c.SQL)
	if err != nil {
		return err
	}
	if c.Output == "table" {
		_, err = io.WriteString(terminal{os.Stdout}, text)
		return err
	}
	return c.write(record, nil)
}

func (c client) record(ctx context.Context, id string) (r decisions.Record, err error) {
	return r, c.get(ctx, "/api/v1/decisions/"+url.PathEscape(id)+"/record", &r)
}

// fromFile reads what export wrote.
func fromFile(name string) (r decisions.Record, err error) {
	b, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err == nil && r.Event.Seq == 0 {
		err = fmt.Errorf("it holds no decision")
	}
	if err != nil {
		return r, fmt.Errorf("reading %s: %w; write one with: sluice decisions export ID --as json", name, err)
	}
	return r, nil
}
